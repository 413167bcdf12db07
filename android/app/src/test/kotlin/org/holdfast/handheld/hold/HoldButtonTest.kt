package org.holdfast.handheld.hold

import android.provider.Settings
import android.view.HapticFeedbackConstants
import android.view.KeyEvent
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.TextView
import org.holdfast.handheld.Clockwork
import org.holdfast.handheld.Glass
import org.holdfast.handheld.R
import org.holdfast.handheld.Shots
import org.holdfast.handheld.Spot
import org.holdfast.handheld.middle
import org.holdfast.handheld.screen.ProcessEvent
import org.holdfast.handheld.screen.ProcessScreen
import org.holdfast.handheld.screen.ProcessUiState
import org.holdfast.handheld.screen.Samples
import org.holdfast.handheld.screen.Stage
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** The real button on the real screen, with fingers on the glass and time that passes when told. */
@RunWith(RobolectricTestRunner::class)
class HoldButtonTest {
    private val glass = Glass()
    private val stage = Stage()
    private var held = 0
    private val screen = ProcessScreen(stage.activity) { if (it == ProcessEvent.Held) held++ }
    private val ready = ProcessUiState(Samples.usd(4_500), "Online Payment")
    private val button: HoldButton get() = screen.view.findViewById(R.id.hold)!!
    private val hint: String get() = button.findViewById<TextView>(R.id.hold_hint)!!.text.toString()

    /** What a keyboard does by leaving touch mode. */
    private fun focus() {
        button.isFocusableInTouchMode = true
        button.requestFocus()
    }

    @Before
    fun show() = stage.show(screen, ready)

    @Test
    fun `held for one and a half seconds, it fires once`() {
        glass.down(button.middle())
        Clockwork.pass(750)
        assertEquals("Hold…", hint)
        Shots.take("hold-half-way")
        Clockwork.pass(700)
        assertEquals(0, held)
        Clockwork.pass(100)
        assertEquals(1, held)
        assertEquals("Saving…", hint)
        Shots.take("hold-done")
    }

    @Test
    fun `the finger may stay, and come again, and nothing fires twice`() {
        glass.down(button.middle())
        Clockwork.pass(5_000)
        glass.up()
        glass.down(button.middle())
        Clockwork.pass(5_000)
        glass.up()
        assertEquals(1, held)
    }

    @Test
    fun `a tap does nothing but say what to do`() {
        glass.down(button.middle())
        Clockwork.pass(80)
        glass.up()
        Clockwork.pass(300)
        assertEquals("Keep holding", hint)
        Shots.take("hold-keep-holding")
        Clockwork.pass(2_000)
        assertEquals("Tap and hold", hint)
        assertEquals(0, held)
    }

    @Test
    fun `lifted early, it does not fire, however often`() {
        repeat(4) {
            glass.down(button.middle())
            Clockwork.pass(1_400)
            glass.up()
            Clockwork.pass(50)
        }
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `slid off the button, it does not fire, even when the finger comes back`() {
        val middle = button.middle()
        glass.down(middle)
        Clockwork.pass(700)
        glass.move(Spot(middle.x, middle.y - button.height * 2))
        Clockwork.pass(100)
        glass.move(middle)
        Clockwork.pass(5_000)
        glass.up()
        assertEquals(0, held)
    }

    @Test
    fun `a finger that rolls a little goes on holding`() {
        val middle = button.middle()
        glass.down(middle)
        Clockwork.pass(700)
        glass.move(Spot(middle.x + 20, middle.y - 15))
        Clockwork.pass(900)
        assertEquals(1, held)
    }

    @Test
    fun `a second finger on the button cancels`() {
        val middle = button.middle()
        glass.down(middle)
        Clockwork.pass(700)
        glass.down(Spot(middle.x + 60, middle.y), finger = 1)
        Clockwork.pass(5_000)
        glass.up(1)
        Clockwork.pass(5_000)
        glass.up()
        assertEquals(0, held)
    }

    @Test
    fun `a touch that the system takes away cancels`() {
        glass.down(button.middle())
        Clockwork.pass(700)
        glass.cancel()
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `another window in front cancels`() {
        glass.down(button.middle())
        Clockwork.pass(700)
        stage.loseWindowFocus()
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `leaving the screen cancels`() {
        glass.down(button.middle())
        Clockwork.pass(700)
        screen.pause()
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `taken off the screen, it does not fire`() {
        glass.down(button.middle())
        Clockwork.pass(700)
        val other = View(stage.activity)
        stage.activity.setContentView(other)
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `disabled, it neither begins nor goes on`() {
        glass.down(button.middle())
        Clockwork.pass(700)
        screen.render(ready.copy(total = null))
        Clockwork.pass(5_000)
        glass.up()
        glass.down(button.middle())
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `a hold that was not saved arms it again for a whole hold`() {
        glass.down(button.middle())
        Clockwork.pass(1_600)
        screen.render(ready.copy(saving = true))
        screen.render(ready.copy(attempt = 1))
        Clockwork.pass(5_000)
        assertEquals("the finger that is still there holds nothing", 1, held)
        glass.up()
        glass.down(button.middle())
        Clockwork.pass(1_600)
        assertEquals(2, held)
    }

    @Test
    fun `shown again while saving, as after a rotation, it stays done`() {
        screen.render(ready.copy(saving = true))
        assertEquals("Saving…", hint)
        glass.down(button.middle())
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `a light tick at the start and a firm one when done`() {
        glass.down(button.middle())
        assertEquals(HapticFeedbackConstants.VIRTUAL_KEY, shadowOf(button).lastHapticFeedbackPerformed())
        Clockwork.pass(1_600)
        assertEquals(HapticFeedbackConstants.CONFIRM, shadowOf(button).lastHapticFeedbackPerformed())
    }

    @Test
    fun `without animations it counts down in words`() {
        Settings.Global.putFloat(stage.activity.contentResolver, Settings.Global.ANIMATOR_DURATION_SCALE, 0f)
        button.animates = { false }
        glass.down(button.middle())
        val said = (0 until 3).map { hint.also { Clockwork.pass(520) } }
        assertEquals(listOf("Hold 1.5 s…", "Hold 1.0 s…", "Hold 0.5 s…"), said)
        assertEquals(1, held)
    }

    @Test
    fun `a key is held like a finger`() {
        focus()
        glass.key(KeyEvent.KEYCODE_ENTER, KeyEvent.ACTION_DOWN)
        repeat(20) { repeat ->
            Clockwork.pass(50)
            glass.key(KeyEvent.KEYCODE_ENTER, KeyEvent.ACTION_DOWN, repeat + 1)
        }
        assertEquals(0, held)
        Clockwork.pass(600)
        assertEquals(1, held)
    }

    @Test
    fun `a key that is only pressed does nothing`() {
        focus()
        for (key in listOf(KeyEvent.KEYCODE_ENTER, KeyEvent.KEYCODE_SPACE, KeyEvent.KEYCODE_DPAD_CENTER)) {
            glass.press(key)
            Clockwork.pass(3_000)
        }
        assertEquals(0, held)
    }

    @Test
    fun `a key whose focus moves on cancels`() {
        focus()
        glass.key(KeyEvent.KEYCODE_SPACE, KeyEvent.ACTION_DOWN)
        Clockwork.pass(700)
        button.clearFocus()
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `a key beside a finger cancels`() {
        focus()
        glass.down(button.middle())
        Clockwork.pass(700)
        glass.key(KeyEvent.KEYCODE_ENTER, KeyEvent.ACTION_DOWN)
        Clockwork.pass(5_000)
        assertEquals(0, held)
    }

    @Test
    fun `a screen reader activates twice, with a question between`() {
        button.performAccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK, null)
        assertEquals("Tap once more to process this payment", hint)
        Shots.take("hold-asking")
        button.performAccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK, null)
        assertEquals("a stutter is not an answer", 0, held)
        Clockwork.pass(1_000)
        button.performAccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK, null)
        assertEquals(1, held)
    }

    @Test
    fun `a question that is not answered is withdrawn`() {
        button.performAccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK, null)
        Clockwork.pass(10_100)
        assertEquals("Tap and hold", hint)
        button.performAccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK, null)
        assertEquals(0, held)
    }

    @Test
    fun `it tells a screen reader what it is and how it stands`() {
        assertEquals("Process Payment\u2002USD\u00A045.00. Tap and hold", button.contentDescription)
        val info = button.createAccessibilityNodeInfo()!!
        assertEquals("android.widget.Button", info.className)
        assertEquals("process, then confirm", info.actionList.last { it.id == AccessibilityNodeInfo.ACTION_CLICK }.label)
    }

    @Test
    fun `it is as high as a thumb in a glove needs`() {
        val density = stage.activity.resources.displayMetrics.density
        assertFalse("${button.height / density} dp", button.height < 96 * density)
    }
}
