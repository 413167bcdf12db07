package org.holdfast.handheld.ui

import android.content.Context

/** The colour that this theme gives to a role, such as `R.attr.primary`. */
fun Context.colour(role: Int): Int {
    val roles = obtainStyledAttributes(intArrayOf(role))
    try {
        return roles.getColor(0, 0)
    } finally {
        roles.recycle()
    }
}
