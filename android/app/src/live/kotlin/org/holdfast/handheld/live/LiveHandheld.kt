package org.holdfast.handheld.live

import android.view.KeyEvent
import android.view.inputmethod.EditorInfo
import org.holdfast.handheld.Glass
import org.holdfast.handheld.Handheld
import org.holdfast.handheld.Officer
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.isOpen
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.shadows.ShadowLooper.shadowMainLooper
import java.time.Duration

/**
 * The real screens in a browser page, where the mouse taps and holds.
 *
 *     java … -Dholdfast.data=FOLDER [-Dholdfast.port=0] [-Dholdfast.enrol=LINK] \
 *       [-Dholdfast.qualifiers=w411dp-h891dp-port-notnight-mdpi] org.holdfast.handheld.live.LiveHandheld
 *
 * Prints `listening on http://127.0.0.1:PORT` when the page can be opened. A handheld that is not
 * enrolled yet is enrolled with the link, by typing it and tapping Enrol.
 */
object LiveHandheld {
    @JvmStatic
    fun main(arguments: Array<String>): Unit = runInsideRobolectric(LiveSession::class.java, arguments)
}

/** Not a test: Robolectric runs it as one. Its thread is the app's main thread, and real time drives it. */
@RunWith(RobolectricTestRunner::class)
class LiveSession {
    private lateinit var handheld: Handheld
    private lateinit var page: LivePage
    private val pacer = Pacer()
    private var passedAt = System.nanoTime()

    @Test
    fun run() {
        Settings.needed("data")
        RuntimeEnvironment.setQualifiers(Settings.qualifiers)
        handheld = Handheld()
        page = LivePage(Settings.port)
        println("listening on ${page.address}")
        System.out.flush()
        passedAt = System.nanoTime()
        Settings.enrolmentLink?.let(::enrol)
        while (true) turn()
    }

    /** One round: time, what the mouse did, and a frame if it looks different from the last one. */
    private fun turn() {
        val now = System.nanoTime()
        val ms = (now - passedAt) / NANOS_PER_MS
        passedAt += ms * NANOS_PER_MS
        shadowMainLooper().idleFor(Duration.ofMillis(ms))
        if (page.isForsaken) page.forget()
        val touched = page.takeInput { it.applyTo(handheld) }
        page.say(about())
        val changed = page.show(handheld.glass.picture())
        pacer.rest(busy = touched || changed || handheld.glass.isTouched)
    }

    private fun about(): Seen {
        val state = handheld.state
        val payment = handheld.newest?.takeIf { it.state.isOpen }
        return Seen(
            title = handheld.activity.title?.toString().orEmpty(),
            link = (state?.link ?: Link.UNKNOWN).name.lowercase(),
            payAddress = payment?.payAddress,
            payHost = payment?.payHost,
        )
    }

    private fun enrol(link: String) {
        val officer = Officer(handheld, pass = { waitUntil(it) { false } }, waitUntil = ::waitUntil)
        if (!waitUntil(OPENING_MS) { handheld.state != null } || handheld.state?.enrolment != null) return
        officer.awaits("Enrol this handheld")
        officer.tapField()
        officer.type(link)
        officer.tap("Enrol")
    }

    private fun waitUntil(deadlineMs: Long, done: () -> Boolean): Boolean {
        val until = System.nanoTime() + deadlineMs * NANOS_PER_MS
        while (!done()) {
            if (System.nanoTime() >= until) return false
            turn()
        }
        return true
    }

    private companion object {
        const val NANOS_PER_MS = 1_000_000L
        const val OPENING_MS = 20_000L
    }
}

/** Quick while something moves, slow while nothing does: an idle handheld should not cost a processor. */
private class Pacer {
    private var busyAt = System.nanoTime()

    fun rest(busy: Boolean) {
        val now = System.nanoTime()
        if (busy) busyAt = now
        Thread.sleep(if (now - busyAt < LINGER_NANOS) QUICK_MS else SLOW_MS)
    }

    private companion object {
        const val LINGER_NANOS = 1_000_000_000L
        const val QUICK_MS = 16L
        const val SLOW_MS = 60L
    }
}

private fun Input.applyTo(handheld: Handheld) {
    val glass: Glass = handheld.glass
    when (this) {
        is Input.Down -> glass.down(spot, finger)
        is Input.Move -> glass.move(spot, finger)
        is Input.Up -> glass.up(finger)
        Input.Cancel -> glass.cancel()
        Input.Still -> Unit
        is Input.Text -> handheld.type(text)
        is Input.Key -> handheld.press(this)
    }
}

/** The space bar writes in a field and presses a button. */
private fun Handheld.press(key: Input.Key) {
    val writes = key.code == KeyEvent.KEYCODE_SPACE && root.findFocus()?.onCheckIsTextEditor() == true
    if (!writes) glass.key(key.code, if (key.down) KeyEvent.ACTION_DOWN else KeyEvent.ACTION_UP) else if (key.down) type(" ")
}

private fun Handheld.type(text: String) {
    root.findFocus()?.onCreateInputConnection(EditorInfo())?.commitText(text, 1)
}
