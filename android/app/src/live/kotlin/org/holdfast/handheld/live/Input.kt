package org.holdfast.handheld.live

import android.view.KeyEvent
import org.holdfast.handheld.Spot
import java.net.URLDecoder

/** What the page reports, one a line: `down 0 12.5 300`, `key Enter down`, `text hello%20there`. */
internal sealed interface Input {
    data class Down(val finger: Int, val spot: Spot) : Input

    data class Move(val finger: Int, val spot: Spot) : Input

    data class Up(val finger: Int) : Input

    data object Cancel : Input

    /** The fingers are where they were; the page is still there. */
    data object Still : Input

    data class Text(val text: String) : Input

    data class Key(val code: Int, val down: Boolean) : Input

    companion object {
        private val KEYS = mapOf(
            "Enter" to KeyEvent.KEYCODE_ENTER,
            "Space" to KeyEvent.KEYCODE_SPACE,
            "Tab" to KeyEvent.KEYCODE_TAB,
            "Backspace" to KeyEvent.KEYCODE_DEL,
            "Escape" to KeyEvent.KEYCODE_BACK,
            "ArrowUp" to KeyEvent.KEYCODE_DPAD_UP,
            "ArrowDown" to KeyEvent.KEYCODE_DPAD_DOWN,
            "ArrowLeft" to KeyEvent.KEYCODE_DPAD_LEFT,
            "ArrowRight" to KeyEvent.KEYCODE_DPAD_RIGHT,
        )

        /** Null for a line that says nothing we know. */
        fun parse(line: String): Input? {
            val words = line.split(' ')
            return when (words[0]) {
                "down" -> spot(words)?.let { Down(words[1].toInt(), it) }
                "move" -> spot(words)?.let { Move(words[1].toInt(), it) }
                "up" -> words.getOrNull(1)?.toIntOrNull()?.let(::Up)
                "cancel" -> Cancel
                "still" -> Still
                "text" -> words.getOrNull(1)?.let { Text(URLDecoder.decode(it, Charsets.UTF_8)) }
                "key" -> KEYS[words.getOrNull(1)]?.let { Key(it, words.getOrNull(2) == "down") }
                else -> null
            }
        }

        private fun spot(words: List<String>): Spot? {
            val (x, y) = words.drop(2).mapNotNull { it.toFloatOrNull() }.takeIf { it.size == 2 } ?: return null
            return if (words[1].toIntOrNull() == null) null else Spot(x, y)
        }
    }
}
