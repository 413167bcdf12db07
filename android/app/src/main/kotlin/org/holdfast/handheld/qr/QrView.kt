package org.holdfast.handheld.qr

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import org.holdfast.handheld.R
import org.holdfast.handheld.core.QrCode

/**
 * A QR code as large as the width allows: dark on white in every theme, each module a whole number
 * of pixels (a blurred edge costs a camera its reach), and four modules of quiet around it.
 */
class QrView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    private val ground = context.getColor(R.color.qr_ground)
    private val dark = Paint().apply { color = context.getColor(R.color.qr_module) }
    private val leastSide = (LEAST_SIDE_DP * resources.displayMetrics.density).toInt()
    private var code: QrCode? = null

    fun show(code: QrCode?) {
        if (this.code === code) return
        this.code = code
        visibility = if (code == null) GONE else VISIBLE
        invalidate()
    }

    /**
     * A square as large as there is room. Inside a scroll view the room is what is left of the window
     * below what stands above (the framework passes it on as a hint), but never so little that a
     * camera could not read it: then it is scrolled to.
     */
    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val width = MeasureSpec.getSize(widthMeasureSpec)
        val room = MeasureSpec.getSize(heightMeasureSpec)
        val scrolls = MeasureSpec.getMode(heightMeasureSpec) == MeasureSpec.UNSPECIFIED
        val side = minOf(width, if (scrolls) maxOf(room, leastSide) else room)
        val fillsWidth = MeasureSpec.getMode(widthMeasureSpec) == MeasureSpec.EXACTLY
        setMeasuredDimension(if (fillsWidth) width else side, side)
    }

    override fun onDraw(canvas: Canvas) {
        val code = code ?: return
        canvas.drawColor(ground)
        val module = minOf(width, height) / (code.size + 2 * QUIET_MODULES)
        val left = (width - module * code.size) / 2
        val top = (height - module * code.size) / 2
        for (row in 0 until code.size) drawRow(canvas, code, row, left, top + row * module, module)
    }

    /** Neighbouring dark modules are one rectangle, so that no hairline can show between them. */
    private fun drawRow(canvas: Canvas, code: QrCode, row: Int, left: Int, y: Int, module: Int) {
        var column = 0
        while (column < code.size) {
            val start = column
            while (column < code.size && code.isDark(row, column)) column++
            if (column > start) {
                val from = (left + start * module).toFloat()
                val to = (left + column * module).toFloat()
                canvas.drawRect(from, y.toFloat(), to, (y + module).toFloat(), dark)
            }
            column++
        }
    }

    private companion object {
        /** ISO/IEC 18004 asks for four. */
        const val QUIET_MODULES = 4

        /** A code of version 15 then has modules of about half a millimetre. */
        const val LEAST_SIDE_DP = 240
    }
}
