package org.holdfast.handheld.live

import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** What the page knows, with a number that grows with every change, for pages to wait on. */
internal class News {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private var number = 0L
    private var frameNumber = 0L
    private var width = 0
    private var height = 0
    private var seen = Seen("", "unknown", null, null)

    @Volatile var frame = ByteArray(0)
        private set

    fun say(seen: Seen) = change { if (this.seen == seen) false else true.also { this.seen = seen } }

    fun show(png: ByteArray, width: Int, height: Int) = change {
        frame = png
        frameNumber++
        this.width = width
        this.height = height
        true
    }

    /** Waits for a number above [after], at most [WAIT_MS]; the news as JSON either way. */
    fun after(after: Long): String = lock.withLock {
        var left = TimeUnit.MILLISECONDS.toNanos(WAIT_MS)
        while (number <= after && left > 0) left = changed.awaitNanos(left)
        json()
    }

    private fun change(what: () -> Boolean) = lock.withLock {
        if (what()) {
            number++
            changed.signalAll()
        }
    }

    private fun json(): String = listOf(
        "number" to number.toString(),
        "frame" to frameNumber.toString(),
        "width" to width.toString(),
        "height" to height.toString(),
        "title" to seen.title.quoted(),
        "link" to seen.link.quoted(),
        "payAddress" to seen.payAddress.quoted(),
        "payHost" to seen.payHost.quoted(),
    ).joinToString(",", "{", "}") { (name, value) -> "\"$name\":$value" }

    private companion object {
        /** Below the idle limit of any browser. */
        const val WAIT_MS = 20_000L
    }
}

/** As a JSON string; our own texts hold no control characters. */
private fun String?.quoted(): String = if (this == null) "null" else "\"" + replace("\\", "\\\\").replace("\"", "\\\"") + "\""
