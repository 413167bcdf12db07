package org.holdfast.handheld.ui

import android.content.Context
import android.util.AttributeSet
import android.view.MotionEvent
import android.widget.LinearLayout

/** Knows whether a finger is on it, so that nothing moves away from under one. */
class FrameView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) : LinearLayout(context, attributes) {
    private var touched = false
    private var waiting: (() -> Unit)? = null

    /** Does it now, or once the last finger is up; only the latest of several is done. */
    fun whenUntouched(change: () -> Unit) {
        if (touched) waiting = change else change()
    }

    override fun dispatchTouchEvent(event: MotionEvent): Boolean {
        val ends = event.actionMasked == MotionEvent.ACTION_UP || event.actionMasked == MotionEvent.ACTION_CANCEL
        touched = !ends
        val handled = super.dispatchTouchEvent(event)
        if (ends) {
            // After the views below had their click.
            post { catchUp() }
        }
        return handled
    }

    private fun catchUp() {
        if (touched) return
        waiting?.invoke()
        waiting = null
    }
}
