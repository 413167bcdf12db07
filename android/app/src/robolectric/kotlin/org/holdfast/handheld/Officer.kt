package org.holdfast.handheld

import android.graphics.Rect
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.widget.EditText
import android.widget.TextView

/** Something that should be on the screen is not; says what is there instead. */
class NotSeen(message: String) : AssertionError(message)

/**
 * Uses the handheld as an officer does: looks for words, puts fingers where they are. [pass] lets
 * milliseconds go by, [waitUntil] waits for at most so many.
 */
class Officer(
    private val handheld: Handheld,
    private val pass: (Long) -> Unit = Clockwork::live,
    private val waitUntil: (Long, () -> Boolean) -> Boolean = Clockwork::until,
) {
    val glass: Glass get() = handheld.glass

    /** Everything that can be read now, top down. */
    fun reads(): List<String> = texts().map { it.text.plain() }.toList()

    fun sees(words: String): Boolean = find(words) != null

    /** Waits until [words] stand somewhere, alone or within a longer text. */
    fun awaits(words: String, deadlineMs: Long = PATIENCE_MS) {
        if (!waitUntil(deadlineMs) { sees(words) }) throw missing(words)
    }

    fun tap(words: String) {
        awaits(words)
        tap(find(words) ?: throw missing(words))
    }

    /** Brings the words into sight, however far down the page they stand. */
    fun scrollTo(words: String) {
        val isThere = { handheld.root.everything().firstOrNull { it.isShown && it.says(words) { text -> words in text } } }
        if (!waitUntil(PATIENCE_MS) { isThere() != null }) throw missing(words)
        isThere()?.run { requestRectangleOnScreen(Rect(0, 0, width, height), true) }
        pass(LOOK_MS)
    }

    fun tap(view: View) {
        // What was only just put there may still be moved by the next layout.
        pass(LOOK_MS)
        glass.down(view.middle())
        pass(TAP_MS)
        glass.up()
        pass(TAP_MS)
    }

    /** The one field there is to type into. */
    fun tapField() {
        if (!waitUntil(PATIENCE_MS) { field() != null }) throw NotSeen("there is no field to type into")
        field()?.let(::tap)
    }

    /** Keeps a finger on the words for [ms]; [meanwhile] happens half-way. */
    fun hold(words: String, ms: Long, meanwhile: () -> Unit = {}) {
        awaits(words)
        glass.down((find(words) ?: throw missing(words)).middle())
        pass(ms / 2)
        meanwhile()
        pass(ms - ms / 2)
        glass.up()
        pass(TAP_MS)
    }

    /** Types into the field that has the focus, as an on-screen keyboard does. */
    fun type(text: String) {
        val field = handheld.root.findFocus() ?: throw NotSeen("no field has the focus")
        val keyboard = field.onCreateInputConnection(EditorInfo()) ?: throw NotSeen("nothing can be typed here")
        keyboard.commitText(text, 1)
        pass(TAP_MS)
    }

    /** Takes everything out of the one field, as a held backspace does. */
    fun clearsField() {
        field()?.text?.clear()
        pass(TAP_MS)
    }

    fun back() {
        tap("Back")
    }

    private fun field() = handheld.root.everything().filterIsInstance<EditText>().firstOrNull { it.isOnScreen() }

    private fun find(words: String): View? {
        val shown = handheld.root.everything().filter { it.isOnScreen() }
        return shown.firstOrNull { it.says(words) { text -> text == words } }
            ?: shown.firstOrNull { it.says(words) { text -> words in text } }
    }

    private inline fun View.says(words: String, matches: (String) -> Boolean): Boolean =
        (words.isNotEmpty() && this is TextView && matches(text.plain())) || matches(contentDescription.plain())

    private fun texts() = handheld.root.everything().filterIsInstance<TextView>().filter { it.isOnScreen() && it.text.isNotEmpty() }

    private fun missing(words: String) = NotSeen("\"$words\" is not on the screen, which says: ${reads().joinToString(" / ")}")

    private companion object {
        /** Two frames. */
        const val LOOK_MS = 34L

        /** A finger that taps stays about so long. */
        const val TAP_MS = 60L

        /** Far more than anything on this machine takes; a wait that ends here is a failure. */
        const val PATIENCE_MS = 20_000L
    }
}

private fun View.isOnScreen() = isShown && getGlobalVisibleRect(Rect())

/** As a person reads it: spaces that do not break are spaces. */
private fun CharSequence?.plain(): String = this?.toString().orEmpty().replace('\u00A0', ' ').replace('\u2002', ' ')

fun View.everything(): Sequence<View> = sequence {
    yield(this@everything)
    if (this@everything is ViewGroup) for (i in 0 until childCount) yieldAll(getChildAt(i)!!.everything())
}
