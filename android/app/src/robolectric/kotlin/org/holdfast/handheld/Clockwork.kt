package org.holdfast.handheld

import org.robolectric.shadows.ShadowChoreographer
import org.robolectric.shadows.ShadowLooper.shadowMainLooper
import java.time.Duration

/**
 * Time on the main thread. The framework's clock stands still until somebody lets it pass: by a
 * number ([pass]), or as fast as the real one ([live], [until]), which is what the core, its disk
 * and the network need.
 */
object Clockwork {
    private const val FRAME_MS = 16L

    /** Before an activity starts: by default every frame that is drawn moves the clock by itself. */
    fun stop() {
        ShadowChoreographer.setPaused(true)
        ShadowChoreographer.setFrameDelay(Duration.ofMillis(FRAME_MS))
    }

    fun pass(ms: Long) = shadowMainLooper().idleFor(Duration.ofMillis(ms))

    /** A pending layout may put a frame's work off to the next frame. */
    fun passFrames(count: Int = 2) = pass(count * FRAME_MS)

    /** Lets as much time pass as really does. */
    fun live(ms: Long) {
        until(ms) { false }
    }

    /** Lives until [done], at most [deadlineMs]; says whether it was done. */
    fun until(deadlineMs: Long, done: () -> Boolean): Boolean {
        val begun = System.nanoTime()
        var passed = 0L
        while (true) {
            val now = (System.nanoTime() - begun) / NANOS_PER_MS
            pass(now - passed)
            passed = now
            if (done()) return true
            if (now >= deadlineMs) return false
            Thread.sleep(STEP_MS)
        }
    }

    private const val STEP_MS = 5L
    private const val NANOS_PER_MS = 1_000_000L
}
