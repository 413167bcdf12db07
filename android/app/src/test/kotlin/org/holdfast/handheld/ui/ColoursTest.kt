package org.holdfast.handheld.ui

import android.content.Context
import android.view.ContextThemeWrapper
import org.holdfast.handheld.R
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import kotlin.math.pow

/** Contrast as WCAG 2.2 measures it: 4.5 for text, 3 for what else has to be seen; more in the sun. */
@RunWith(RobolectricTestRunner::class)
class ColoursTest {
    @Test
    fun light() = check(R.style.Theme_Holdfast, text = 6.0, shape = 3.0)

    @Test
    @Config(qualifiers = "+night")
    fun dark() = check(R.style.Theme_Holdfast, text = 6.0, shape = 3.0)

    @Test
    fun sunlight() = check(R.style.Theme_Holdfast_Sunlight, text = 10.0, shape = 10.0)

    @Test
    @Config(qualifiers = "+night")
    fun `sunlight stays light at night`() = check(R.style.Theme_Holdfast_Sunlight, text = 10.0, shape = 10.0)

    @Test
    fun `the bands are the same everywhere`() {
        val app = RuntimeEnvironment.getApplication()
        assertContrast("test band", app.getColor(R.color.on_test_band), app.getColor(R.color.test_band), 10.0)
        assertContrast("offline band", app.getColor(R.color.on_offline_band), app.getColor(R.color.offline_band), 8.0)
    }

    private fun check(theme: Int, text: Double, shape: Double) {
        val context: Context = ContextThemeWrapper(RuntimeEnvironment.getApplication(), theme)
        fun contrast(name: String, front: Int, back: Int, least: Double) =
            assertContrast(name, context.colour(front), context.colour(back), least)
        contrast("text", R.attr.text, R.attr.ground, text)
        contrast("quiet text", R.attr.textQuiet, R.attr.ground, text.coerceAtMost(6.0))
        contrast("text of the primary button", R.attr.onPrimary, R.attr.primary, text)
        contrast("text of the button while held", R.attr.onPrimary, R.attr.primaryPressed, text)
        contrast("paid", R.attr.onPaid, R.attr.paid, text)
        contrast("declined", R.attr.onDeclined, R.attr.declined, text)
        contrast("declined, as text", R.attr.declined, R.attr.ground, text)
        contrast("paid, as text", R.attr.paid, R.attr.ground, text)
        contrast("primary, as text", R.attr.primary, R.attr.ground, text)
        contrast("outlines", R.attr.line, R.attr.ground, shape)
    }

    private fun assertContrast(name: String, front: Int, back: Int, least: Double) {
        val (bright, dim) = listOf(luminance(front), luminance(back)).sortedDescending()
        val contrast = (bright + 0.05) / (dim + 0.05)
        assertTrue("$name: %.1f, less than %.1f".format(contrast, least), contrast >= least)
    }

    private fun luminance(colour: Int): Double {
        fun part(shift: Int): Double {
            val value = (colour shr shift and 0xFF) / 255.0
            return if (value <= 0.04045) value / 12.92 else ((value + 0.055) / 1.055).pow(2.4)
        }
        return 0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }
}
