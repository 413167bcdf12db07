package org.holdfast.handheld

import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.screen.ResultPresenter
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** What an officer does about a payment after its hold, on the real core against the real gateway. */
@RunWith(RobolectricTestRunner::class)
class AfterTheHoldTest {
    @get:Rule
    val folder = TemporaryFolder()

    private var running: Gateway? = null
    private val gateway get() = running ?: Gateway(folder.root).also { running = it }
    private var handheld = Handheld()
    private var officer = Officer(handheld)

    @After
    fun stop() {
        running?.close()
    }

    @Test
    fun `canceled with a network it is canceled, and the list says so`() {
        val held = holdsOne()
        handheld.awaits(PaymentState.SENT)
        officer.asksTo("Cancel payment")
        officer.awaits("Cancel this payment?")
        officer.awaits("If the payer has paid already, it stays paid.")
        Shots.take("flow-cancel-second-step")
        officer.tap("Keep the payment")
        officer.awaits("Held")
        assertNull("nothing was asked for", handheld.newest!!.request)
        officer.tap("Cancel payment")
        officer.awaits("Cancel this payment?")
        officer.tap("Cancel payment")
        officer.awaits("Canceled")
        officer.awaits("No money was taken.")
        officer.scrollTo("Details")
        officer.tap("Details")
        officer.awaits("The office has it")
        assertFalse("nothing is left to do about it", officer.sees("Cancel payment"))
        officer.back()
        officer.tap("New payment")
        officer.tap("Recent payments")
        officer.awaits("Everything is sent")
        officer.awaits("Canceled")
        Shots.take("flow-recent-canceled")
        assertEquals(held.id, handheld.newest!!.id)
    }

    @Test
    fun `a screen that is out of place from its first moment is never shown`() {
        val held = holdsOne()
        officer.asksTo("Cancel payment")
        officer.tap("Cancel payment")
        officer.awaits("Canceled")
        val journey = Journey(handheld.application.holdfast, null)
        journey.toCheckCode(held.id)
        assertTrue("${journey.current.value}", journey.current.value is ResultPresenter)
        journey.close()
    }

    @Test
    fun `without a network it is requested, and sent with its order when there is one`() {
        officer.enrol(gateway)
        gateway.stop()
        officer.awaits("Offline")
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
        officer.asksTo("Cancel payment")
        officer.awaits("No network: the request is saved here and sent by itself.")
        officer.tap("Cancel payment")
        officer.awaits("Cancel requested")
        officer.awaits("No network. Your request is saved here and sent by itself.")
        officer.tap("New payment")
        officer.awaits("1 payment not yet sent")
        officer.tap("Recent payments")
        officer.awaits("1 payment not yet sent · 1 request not yet sent")
        officer.awaits("The oldest since ")
        officer.tap("Send now")
        officer.awaits("The office does not answer. Nothing is lost")
        Shots.take("flow-recent-offline")
        gateway.start()
        officer.tap("Send now")
        officer.awaits("Everything is sent", deadlineMs = 60_000)
        officer.awaits("Canceled")
        assertFalse(officer.sees("does not answer"))
    }

    @Test
    fun `what the office does not take is withdrawn for a reason`() {
        officer.enrol(gateway)
        officer.scrollTo("Add one Paper copy")
        officer.tap("Add one Paper copy")
        officer.tap("Checkout")
        officer.choosesCard()
        officer.hold("Tap and hold", 2_000)
        handheld.awaits(PaymentState.NEEDS_ATTENTION)
        officer.awaits("You act")
        officer.awaits("The amount is too small or too large for a card. No money was taken.")
        officer.scrollTo("Details")
        officer.tap("Details")
        officer.awaits("Withdraw payment")
        assertFalse("the same order would be refused again", officer.sees("Try again"))
        officer.tap("Withdraw payment")
        officer.awaits("Withdraw this payment?")
        officer.tap("Withdraw payment")
        assertNull("not without a reason", handheld.newest!!.request)
        officer.tapField()
        officer.type("Paid by coins at the desk")
        officer.awaits("115 characters left")
        Shots.take("flow-withdraw")
        officer.tap("Withdraw payment")
        officer.awaits("Withdrawn: “Paid by coins at the desk”")
        handheld.awaits(PaymentState.WITHDRAWN)
        assertTrue("the office has it", Clockwork.until(20_000) { handheld.newest!!.request!!.answered })
    }

    @Test
    fun `what a revoked handheld holds waits for the administrator, and the officer is told to leave it`() {
        officer.enrol(gateway)
        gateway.revoke(handheld.state!!.enrolment!!.deviceId)
        officer.opensSummary()
        officer.choosesCard()
        officer.hold("Tap and hold", 2_000)
        handheld.awaits(PaymentState.NEEDS_ATTENTION)
        officer.awaits("The administrator acts")
        officer.tap("New payment")
        officer.awaits("1 to look at")
        officer.tap("Recent payments")
        officer.awaits("This handheld was revoked. The administrator decides about this payment; do not take it again.")
        officer.awaits("Everything is sent")
        Shots.take("flow-recent-revoked")
        officer.tap("Needs attention")
        officer.awaits("The administrator decides about this payment")
        assertFalse("the office has it", officer.sees("Try again"))
        assertFalse("a revoked handheld's word counts for nothing", officer.sees("Withdraw payment"))
        officer.back()
        officer.tap("Send now")
        officer.awaits("The office no longer takes this handheld's word.")
    }

    @Test
    fun `code and receipt of the payer prove a payment without a network, also to the app that was opened again`() {
        Sandbox().use { stripe ->
            running = Gateway(folder.root, stripe.url)
            val first = holdsOne()
            officer.tap("New payment")
            officer.opensSummary()
            officer.choosesCard()
            officer.holds()
            handheld.awaits(PaymentState.SENT)
            val second = handheld.newest!!
            close()
            val receiptPage = Payer().pay(first.payAddress!!)
            val codePage = Payer().pay(second.payAddress!!)
            gateway.stop()
            open()
            proveBy(Payer.read(codePage, "confirm-code"))
            officer.tap("New payment")
            officer.tap("USD 45.00, Sent. Open this payment")
            proveByScanning(Payer.receiptOn(receiptPage))
            close()
            open()
            assertEquals(listOf(true, true), opened().payments.filter { it.heldAtMs != null }.map { it.verifiedOffline })
            officer.tap("Recent payments")
            officer.awaits("Paid, verified offline")
            // Opened before the gateway is back: its word takes these words off the list.
            officer.tap("Paid, verified offline")
            gateway.start()
            handheld.application.holdfast.refreshSoon()
            assertTrue(Clockwork.until(60_000) { handheld.state!!.payments.none { it.verifiedOffline } })
            officer.awaits("Receipt order ID")
            assertEquals(Payer.read(codePage, "receipt-order-id"), handheld.newest!!.receiptOrderId)
        }
    }

    /** As a scanner does that types. */
    private fun proveByScanning(receipt: String) {
        officer.awaits("Present card")
        officer.scrollTo("Payer has paid?")
        officer.tap("Payer has paid?")
        types(receipt.dropLast(8) + "AAAAAAAA")
        officer.tap("Check")
        officer.awaits("Nothing is proved: take it as not paid.")
        types(receipt)
        officer.awaits("This is a receipt.")
        officer.tap("Check")
        officer.awaits("Paid, verified offline")
        officer.awaits("Receipt order ID")
    }

    private fun proveBy(code: String) {
        officer.awaits("Present card")
        officer.scrollTo("Payer has paid?")
        officer.tap("Payer has paid?")
        officer.awaits("Check their code")
        types("0000-000U")
        officer.awaits("A confirm code has no U.")
        officer.clearsField()
        types("0000-0000")
        officer.tap("Check")
        officer.awaits("This is not the code of this payment. Take it as not paid.")
        officer.awaits("4 tries are left")
        Shots.take("flow-wrong-code")
        assertEquals(PaymentState.SENT, handheld.newest!!.state)
        types(code.lowercase().replace("-", " "))
        officer.awaits("All 8 are there.")
        officer.tap("Check")
        officer.awaits("Paid, verified offline")
        officer.awaits("The payer has proved it: the money is received.")
        Shots.take("flow-verified-offline")
    }

    private fun opened(): HandheldState {
        assertTrue("the core opens", Clockwork.until(20_000) { handheld.state != null })
        return handheld.state!!
    }

    private fun types(text: String) {
        officer.tapField()
        officer.type(text)
    }

    private fun holdsOne(): Payment {
        officer.enrol(gateway)
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
        return handheld.newest!!
    }

    /** The app ends, as for the system; what it keeps is on disk. */
    private fun close() {
        handheld.leave()
        handheld.application.onTerminate()
    }

    private fun open() {
        handheld.application.onCreate()
        handheld = Handheld()
        officer = Officer(handheld)
    }
}
