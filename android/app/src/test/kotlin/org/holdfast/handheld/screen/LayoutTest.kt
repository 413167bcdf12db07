package org.holdfast.handheld.screen

import android.view.View
import android.widget.TextView
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.OpenRefusal
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.everything
import org.holdfast.handheld.ui.Bands
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.words
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** What can be measured of a good screen: targets for gloves, no text cut off, a name for everything. */
@RunWith(RobolectricTestRunner::class)
class LayoutTest {
    @Test
    fun `at the usual size`() = check()

    @Test
    @Config(qualifiers = "w320dp-h569dp-port-xhdpi")
    fun `on a small screen`() = check()

    @Test
    fun `in large text`() {
        RuntimeEnvironment.setFontScale(1.3f)
        check()
    }

    @Test
    fun `in the largest text`() {
        RuntimeEnvironment.setFontScale(2f)
        check()
    }

    @Test
    @Config(qualifiers = "w891dp-h411dp-land-xxhdpi")
    fun `on its side`() = check()

    private fun check() {
        val stage = Stage()
        val activity = stage.activity
        val bands = Bands(testMode = true, offline = true, queued = 3)

        fun <State : Any> check(screen: Screen<State>, state: State) {
            stage.show(screen, state, bands)
            val shown = activity.window.decorView.everything().filter { it.isShown }.toList()
            // Text that can be copied takes a long press, wherever on it.
            shown.filter { it.isClickable && (it as? TextView)?.isTextSelectable != true }.forEach { assertTarget(screen, it) }
            shown.filterIsInstance<TextView>().forEach { assertWhole(screen, it) }
        }
        val payment = Samples.payment(PaymentState.PAID)
        val queued = Samples.payment(PaymentState.QUEUED)
        val cart = Cart(mapOf(1 to 12))
        check(StartingScreen(activity) {}, StartingUiState(OpenRefusal.VaultKeyLost.words()))
        check(EnrolScreen(activity) {}, EnrolUiState("https://pay.greenfield.example/e/greenfield/7K3M-2QXD"))
        check(EnrolScreen(activity) {}, EnrolUiState(waiting = Samples.enrolment))
        check(
            ItemsScreen(activity) {},
            ItemsUiState(
                Samples.catalogue.map { ItemRow(it.id, it.name, it.price, cart.quantityOf(it.id), true) }, cart.total(Samples.catalogue),
                canCheckout = true, earlier = listOf(OpenPaymentRow(queued.id, queued.total, queued.words(Link.OFFLINE))),
                recent = RecentSummary(toLookAt = 2), alarm = KeyState.VAULT_KEY_LOST.words(),
            ),
        )
        check(SummaryScreen(activity) {}, SummaryUiState(payment.total, payment.lines))
        check(MethodScreen(activity) {}, MethodUiState(payment.total, listOf(Samples.card)))
        check(ProcessScreen(activity) {}, ProcessUiState(payment.total, "Online Payment"))
        check(CardScreen(activity) {}, CardUiState(queued.total, queued.words(Link.OFFLINE), Samples.code, queued.payHost, canCheckCode = true))
        check(ResultScreen(activity) {}, ResultUiState(payment.total, payment.words(Link.ONLINE), payment.receiptOrderId, confirmCode = payment.confirmCode))
        check(ResultScreen(activity) {}, AfterTheHold.resultVerified)
        check(EnrolScreen(activity) {}, EnrolUiState(alarm = KeyState.VAULT_KEY_LOST.words()))
        check(RecentScreen(activity) {}, AfterTheHold.recentOffline)
        check(DetailsScreen(activity) {}, AfterTheHold.waiting)
        check(DetailsScreen(activity) {}, AfterTheHold.parked)
        check(DetailsScreen(activity) {}, AfterTheHold.verified)
        check(ConfirmScreen(activity) {}, AfterTheHold.cancel)
        check(ConfirmScreen(activity) {}, AfterTheHold.withdraw)
        check(CheckCodeScreen(activity) {}, AfterTheHold.wrongCode)
        check(DeviceScreen(activity) {}, AfterTheHold.lost)
    }

    private fun assertTarget(screen: Screen<*>, view: View) {
        val least = (TARGET_DP * view.resources.displayMetrics.density).toInt()
        val what = "${screen.javaClass.simpleName}: ${named(view)} is ${view.width} × ${view.height}, less than $least"
        assertTrue(what, view.width >= least && view.height >= least)
        assertTrue("${screen.javaClass.simpleName}: ${named(view)} has no words", view.everything().any { it.isNamed() })
    }

    private fun assertWhole(screen: Screen<*>, view: TextView) {
        val layout = view.layout ?: return
        val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        assertTrue("${screen.javaClass.simpleName}: \"${view.text}\" needs ${layout.height} and has $room", layout.height <= room || view.maxLines == 1)
        for (line in 0 until layout.lineCount) {
            // Without the space at its end, which nobody sees.
            val wide = layout.getLineMax(line)
            assertTrue("${screen.javaClass.simpleName}: \"${view.text}\" is cut at the side ($wide of ${layout.width})", wide <= layout.width + 1)
        }
    }

    private fun View.isNamed() = contentDescription?.isNotBlank() == true || (this is TextView && (text.isNotBlank() || hint?.isNotBlank() == true))

    private fun named(view: View) =
        if (view.id == View.NO_ID) view.javaClass.simpleName else view.resources.getResourceEntryName(view.id)

    private companion object {
        const val TARGET_DP = 56
    }
}
