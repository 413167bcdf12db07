package org.holdfast.handheld

import android.graphics.Bitmap
import android.os.SystemClock
import android.view.InputDevice
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.MotionEvent.PointerCoords
import android.view.MotionEvent.PointerProperties
import android.view.View
import androidx.test.platform.app.InstrumentationRegistry
import java.io.File

/** A place on the screen, in pixels. */
data class Spot(val x: Float, val y: Float)

/**
 * The phone's glass: what is seen on it, and the fingers on it. Touches and keys go in where the
 * system's own would, so that windows, focus and hit testing are the real ones.
 */
class Glass {
    private val automation get() = InstrumentationRegistry.getInstrumentation().uiAutomation
    private val fingers = LinkedHashMap<Int, Spot>()
    private var firstDownAt = 0L

    /** Every window, as the hardware renderer draws it. */
    fun picture(): Bitmap = checkNotNull(automation.takeScreenshot()) { "no screen to take a picture of" }

    fun down(spot: Spot, finger: Int = 0) {
        if (finger in fingers) return
        if (fingers.isEmpty()) firstDownAt = SystemClock.uptimeMillis()
        fingers[finger] = spot
        send(if (fingers.size == 1) MotionEvent.ACTION_DOWN else withIndex(MotionEvent.ACTION_POINTER_DOWN, finger))
    }

    fun move(spot: Spot, finger: Int = 0) {
        if (finger !in fingers) return
        fingers[finger] = spot
        send(MotionEvent.ACTION_MOVE)
    }

    fun up(finger: Int = 0) {
        if (finger !in fingers) return
        send(if (fingers.size == 1) MotionEvent.ACTION_UP else withIndex(MotionEvent.ACTION_POINTER_UP, finger))
        fingers -= finger
    }

    /** The system takes the touch away, or whoever moved the fingers is gone. */
    fun cancel() {
        if (fingers.isEmpty()) return
        send(MotionEvent.ACTION_CANCEL)
        fingers.clear()
    }

    val isTouched: Boolean get() = fingers.isNotEmpty()

    fun key(code: Int, action: Int, repeat: Int = 0) {
        val now = SystemClock.uptimeMillis()
        automation.injectInputEvent(KeyEvent(now, now, action, code, repeat), true)
    }

    fun press(code: Int) {
        key(code, KeyEvent.ACTION_DOWN)
        key(code, KeyEvent.ACTION_UP)
    }

    private fun withIndex(action: Int, finger: Int) =
        action or (fingers.keys.indexOf(finger) shl MotionEvent.ACTION_POINTER_INDEX_SHIFT)

    private fun send(action: Int) {
        val properties = fingers.keys.map { PointerProperties().apply { id = it; toolType = MotionEvent.TOOL_TYPE_FINGER } }
        val places = fingers.values.map { PointerCoords().apply { x = it.x; y = it.y; pressure = 1f; size = 1f } }
        val event = MotionEvent.obtain(
            firstDownAt, SystemClock.uptimeMillis(), action, fingers.size,
            properties.toTypedArray(), places.toTypedArray(), 0, 0, 1f, 1f, 0, 0,
            InputDevice.SOURCE_TOUCHSCREEN, 0,
        )
        automation.injectInputEvent(event, true)
        event.recycle()
    }
}

/** The middle of a view, where a finger would go. */
fun View.middle(): Spot {
    val corner = IntArray(2)
    getLocationOnScreen(corner)
    return Spot(corner[0] + width / 2f, corner[1] + height / 2f)
}

fun Bitmap.savePng(file: File) {
    file.absoluteFile.parentFile?.mkdirs()
    file.outputStream().use { compress(Bitmap.CompressFormat.PNG, 100, it) }
}
