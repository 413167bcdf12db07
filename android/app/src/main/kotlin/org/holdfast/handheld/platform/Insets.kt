package org.holdfast.handheld.platform

import android.graphics.Rect
import android.os.Build
import android.view.View
import android.view.WindowInsets

/** What the system's bars, a cut-out and the keyboard cover, on every supported version. */
object Insets {
    fun onChange(view: View, use: (Rect) -> Unit) {
        view.setOnApplyWindowInsetsListener { _, insets ->
            use(covered(insets))
            insets
        }
    }

    private fun covered(insets: WindowInsets): Rect =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val types = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
            insets.getInsets(types).let { Rect(it.left, it.top, it.right, it.bottom) }
        } else {
            beforeTypes(insets)
        }

    @Suppress("DEPRECATION") // The only way before API 30.
    private fun beforeTypes(insets: WindowInsets) = Rect(
        insets.systemWindowInsetLeft,
        insets.systemWindowInsetTop,
        insets.systemWindowInsetRight,
        insets.systemWindowInsetBottom,
    )
}
