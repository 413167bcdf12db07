package org.holdfast.handheld.ui

import android.graphics.Insets
import android.view.View
import android.view.WindowInsets
import org.holdfast.handheld.Clockwork
import org.holdfast.handheld.Glass
import org.holdfast.handheld.R
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.Mode
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.middle
import org.holdfast.handheld.screen.ProcessScreen
import org.holdfast.handheld.screen.ProcessUiState
import org.holdfast.handheld.screen.Samples
import org.holdfast.handheld.screen.Stage
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class FrameTest {
    private val stage = Stage()
    private val glass = Glass()
    private val screen = ProcessScreen(stage.activity) {}
    private val offlineBand: View get() = stage.activity.findViewById(R.id.offline_band)!!

    @Test
    fun `a band waits until no finger is down`() {
        stage.show(screen, ProcessUiState(Samples.usd(4_500)))
        glass.down(screen.view.middle())
        stage.show(Bands(offline = true))
        assertFalse("it would move what is under the finger", offlineBand.isShown)
        glass.up()
        Clockwork.passFrames()
        assertTrue(offlineBand.isShown)
    }

    @Test
    fun `nothing lies under the system's bars`() {
        stage.show(screen, ProcessUiState(Samples.usd(4_500)), Bands(testMode = true))
        val bars = WindowInsets.Builder().setInsets(WindowInsets.Type.systemBars(), Insets.of(0, 100, 0, 60)).build()
        stage.activity.findViewById<View>(R.id.frame)!!.dispatchApplyWindowInsets(bars)
        Clockwork.passFrames(4)
        val band = stage.activity.findViewById<View>(R.id.test_band)!!
        val button = stage.activity.findViewById<View>(R.id.hold)!!
        val screenHeight = stage.activity.window.decorView.height
        assertEquals(100, IntArray(2).also(band::getLocationOnScreen)[1])
        assertTrue(IntArray(2).also(button::getLocationOnScreen)[1] + button.height <= screenHeight - 60)
    }

    @Test
    fun `test mode shows where any type is in it, or where the payment itself is`() {
        val live = Samples.card.copy(mode = Mode.LIVE)
        val held = Samples.payment(PaymentState.QUEUED)
        assertTrue(Bands.of(Samples.state(), payment = null).testMode)
        assertFalse(Bands.of(Samples.state().copy(paymentTypes = listOf(live)), payment = null).testMode)
        assertTrue(Bands.of(Samples.state().copy(paymentTypes = listOf(live)), held).testMode)
        assertFalse(Bands.of(Samples.state(), held.copy(mode = Mode.LIVE)).testMode)
    }

    @Test
    fun `offline and the queue are told apart`() {
        assertEquals(Bands(testMode = true, offline = true, queued = 2), Bands.of(Samples.state(link = Link.OFFLINE, queued = 2), null))
        assertFalse("not tried yet is not offline", Bands.of(Samples.state(link = Link.UNKNOWN), null).offline)
    }
}
