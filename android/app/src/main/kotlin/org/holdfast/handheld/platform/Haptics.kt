package org.holdfast.handheld.platform

import android.os.Build
import android.view.HapticFeedbackConstants
import android.view.View

/** Two ticks that a finger in a glove can tell apart. */
object Haptics {
    fun light(view: View) {
        view.performHapticFeedback(HapticFeedbackConstants.VIRTUAL_KEY)
    }

    fun firm(view: View) {
        val firm = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            HapticFeedbackConstants.CONFIRM
        } else {
            HapticFeedbackConstants.LONG_PRESS
        }
        view.performHapticFeedback(firm)
    }
}
