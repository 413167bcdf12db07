package org.holdfast.handheld.ui

import android.content.res.Resources
import android.text.SpannableString
import android.text.Spanned
import android.text.style.RelativeSizeSpan
import org.holdfast.handheld.R
import org.holdfast.handheld.core.Money
import java.math.BigDecimal
import java.text.DecimalFormat
import java.text.DecimalFormatSymbols
import java.util.Locale

/** Money in words of the officer's language, without a floating point number on the way. */
object MoneyText {
    /** The number alone, for a row whose currency stands in the total: `1,234.50`. */
    fun number(money: Money, locale: Locale): String {
        val format = DecimalFormat("#,##0", DecimalFormatSymbols.getInstance(locale))
        format.minimumFractionDigits = money.exponent
        format.maximumFractionDigits = money.exponent
        return format.format(BigDecimal.valueOf(money.minor, money.exponent))
    }

    /** With its currency: `USD 1,234.50`. */
    fun full(money: Money, resources: Resources): String =
        resources.getString(R.string.money, money.currency, number(money, resources.configuration.locales[0]))

    /** For the large amount: the same, with a smaller currency, so that the number is read first. */
    fun large(money: Money, resources: Resources): CharSequence {
        val text = full(money, resources)
        val at = text.indexOf(money.currency)
        return SpannableString(text).apply {
            setSpan(RelativeSizeSpan(CURRENCY_SCALE), at, at + money.currency.length, Spanned.SPAN_INCLUSIVE_EXCLUSIVE)
        }
    }

    private const val CURRENCY_SCALE = 0.5f
}
