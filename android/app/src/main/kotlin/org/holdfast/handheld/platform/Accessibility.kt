package org.holdfast.handheld.platform

import android.os.Build
import android.view.View

object Accessibility {
    /** Lets a screen reader jump to it; versions before API 28 know no headings. */
    fun heading(view: View) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) view.isAccessibilityHeading = true
    }
}
