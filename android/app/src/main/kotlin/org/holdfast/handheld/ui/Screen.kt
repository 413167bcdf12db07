package org.holdfast.handheld.ui

import android.content.res.Resources
import android.view.View
import android.widget.TextView

/** The views of one screen: they show a state and report what the officer does, nothing else. */
interface Screen<State : Any> {
    val view: View

    fun render(state: State)

    /** The title over the screen; it may change with the state. */
    fun title(state: State): Int

    /** True if a camera must read the screen: as bright as it gets, and never asleep. */
    val isForCameras: Boolean get() = false

    /** The app is left or covered. */
    fun pause() = Unit
}

/** Shows what is in the way, or nothing. */
fun TextView.showTrouble(trouble: Words?, resources: Resources) {
    visibility = if (trouble == null) View.GONE else View.VISIBLE
    val said = trouble?.inFull(resources).orEmpty()
    if (text.toString() != said) text = said
}

fun View.showIf(condition: Boolean) {
    visibility = if (condition) View.VISIBLE else View.GONE
}
