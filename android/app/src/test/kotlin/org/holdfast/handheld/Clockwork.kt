package org.holdfast.handheld

import org.robolectric.shadows.ShadowChoreographer
import org.robolectric.shadows.ShadowLooper.shadowMainLooper
import java.time.Duration

/** Time on the main thread, which only passes when a test says so. */
object Clockwork {
    private const val FRAME_MS = 16L

    /** After the first layout; before it, Robolectric needs frames that come by themselves. */
    fun stop() {
        ShadowChoreographer.setPaused(true)
        ShadowChoreographer.setFrameDelay(Duration.ofMillis(FRAME_MS))
    }

    fun pass(ms: Long) = shadowMainLooper().idleFor(Duration.ofMillis(ms))

    /** A pending layout may put a frame's work off to the next frame. */
    fun passFrames(count: Int = 2) = pass(count * FRAME_MS)

    /** Everything that is due now. */
    fun settle() = shadowMainLooper().idle()
}
