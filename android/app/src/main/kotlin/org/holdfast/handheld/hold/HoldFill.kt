package org.holdfast.handheld.hold

import android.content.Context
import android.graphics.Canvas
import android.graphics.ColorFilter
import android.graphics.Paint
import android.graphics.Path
import android.graphics.PixelFormat
import android.graphics.Rect
import android.graphics.drawable.Drawable
import org.holdfast.handheld.R
import org.holdfast.handheld.ui.colour

/**
 * The ground of the hold button: its colour, the fill that grows with the hold, and under the words
 * a bar in the text's colour, which stays plain to see where the two tones do not (in the sun, or to
 * a colour-blind eye).
 */
internal class HoldFill(context: Context) : Drawable() {
    private val ground = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.colour(R.attr.primary) }
    private val filled = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.colour(R.attr.primaryPressed) }
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.colour(R.attr.onPrimary) }
    private val focus = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.colour(R.attr.text)
        style = Paint.Style.STROKE
        strokeWidth = context.resources.displayMetrics.density * 2 * FOCUS_DP
    }
    private val corner = context.resources.getDimension(R.dimen.corner)
    private val barHeight = context.resources.displayMetrics.density * BAR_DP
    private val barMargin = context.resources.displayMetrics.density * BAR_MARGIN_DP
    private val outline = Path()
    private var progress = 0f
    private var done = false

    fun show(progress: Float, done: Boolean) {
        if (this.progress == progress && this.done == done) return
        this.progress = progress
        this.done = done
        invalidateSelf()
    }

    override fun draw(canvas: Canvas) {
        val area = bounds
        outline.rewind()
        outline.addRoundRect(
            area.left.toFloat(), area.top.toFloat(), area.right.toFloat(), area.bottom.toFloat(),
            corner, corner, Path.Direction.CW,
        )
        canvas.save()
        canvas.clipPath(outline)
        canvas.drawRect(area, if (done) filled else ground)
        if (progress > 0f && !done) drawProgress(canvas, area)
        if (android.R.attr.state_focused in state) canvas.drawPath(outline, focus)
        canvas.restore()
    }

    private fun drawProgress(canvas: Canvas, area: Rect) {
        canvas.drawRect(area.left.toFloat(), area.top.toFloat(), area.left + area.width() * progress, area.bottom.toFloat(), filled)
        val start = area.left + barMargin
        val whole = area.width() - 2 * barMargin
        val bottom = area.bottom - barMargin
        bar.alpha = TRACK_ALPHA
        canvas.drawRoundRect(start, bottom - barHeight, start + whole, bottom, barHeight, barHeight, bar)
        bar.alpha = FULL_ALPHA
        canvas.drawRoundRect(start, bottom - barHeight, start + whole * progress, bottom, barHeight, barHeight, bar)
    }

    override fun isStateful(): Boolean = true

    override fun onStateChange(state: IntArray): Boolean {
        invalidateSelf()
        return true
    }

    override fun setAlpha(alpha: Int) = Unit

    override fun setColorFilter(colorFilter: ColorFilter?) = Unit

    @Deprecated("Asked for by the framework's base class only.")
    override fun getOpacity(): Int = PixelFormat.TRANSLUCENT

    private companion object {
        const val BAR_DP = 6
        const val BAR_MARGIN_DP = 10
        const val TRACK_ALPHA = 0x50
        const val FULL_ALPHA = 0xFF
        const val FOCUS_DP = 3
    }
}
