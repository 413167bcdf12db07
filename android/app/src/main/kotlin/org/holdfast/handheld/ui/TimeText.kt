package org.holdfast.handheld.ui

import android.content.res.Resources
import org.holdfast.handheld.R
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.time.format.FormatStyle

/** Moments in words of the officer's language. The date is always there: "today" needs a clock that is right. */
object TimeText {
    /** [isSure] is false if only this handheld's own clock vouches for it, which the text then says. */
    fun full(ms: Long, isSure: Boolean, resources: Resources): String {
        val format = DateTimeFormatter.ofLocalizedDateTime(FormatStyle.MEDIUM, FormatStyle.SHORT)
        val local = Instant.ofEpochMilli(ms).atZone(ZoneId.systemDefault())
        val text = format.withLocale(resources.configuration.locales[0]).format(local)
        return if (isSure) text else resources.getString(R.string.at_unsure, text)
    }
}
