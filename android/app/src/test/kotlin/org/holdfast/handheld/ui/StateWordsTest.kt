package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.AttentionReason
import org.holdfast.handheld.core.DeclineReason
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.ParkedReason
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.Provider
import org.holdfast.handheld.core.Request
import org.holdfast.handheld.core.RequestKind
import org.holdfast.handheld.core.WhoActs
import org.holdfast.handheld.screen.Samples
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

@RunWith(RobolectricTestRunner::class)
class StateWordsTest {
    private val resources = RuntimeEnvironment.getApplication().resources

    @Test
    fun `the states are named as everywhere else`() {
        val named = PaymentState.entries.associateWith { resources.getString(Samples.payment(it).words(Link.ONLINE).word) }
        assertEquals(
            mapOf(
                PaymentState.DRAFT to "Draft",
                PaymentState.QUEUED to "Saved, not yet sent",
                PaymentState.SENT to "Sent",
                PaymentState.WAITING_FOR_CARD to "Waiting for the card",
                PaymentState.PROCESSING to "Processing",
                PaymentState.DECLINED to "Declined, try another card",
                PaymentState.PAID to "Paid",
                PaymentState.EXPIRED to "Expired",
                PaymentState.OWED to "Owed",
                PaymentState.CANCEL_REQUESTED to "Cancel requested",
                PaymentState.CANCELED to "Canceled",
                PaymentState.WITHDRAWN to "Withdrawn",
                PaymentState.REFUND_PENDING to "Refund pending",
                PaymentState.REFUNDED to "Refunded",
                PaymentState.PARTLY_REFUNDED to "Partly refunded",
                PaymentState.REFUND_FAILED to "Refund failed",
                PaymentState.DISPUTED to "Disputed",
                PaymentState.ALREADY_PAID to "Already paid by another payment",
                PaymentState.NEEDS_ATTENTION to "Needs attention",
            ),
            named,
        )
    }

    @Test
    fun `a decline is said in words that can be said to the payer`() {
        val said = DeclineReason.entries.map { meaning(Samples.payment(PaymentState.DECLINED, it).words(Link.ONLINE)) }
        assertEquals(
            listOf(
                "Not enough funds. Ask for another card.",
                "The bank declined the card. Ask for another card.",
                "The card has expired. Ask for another card.",
                "The security code does not match. Check it and try again.",
                "The card number is not right. Check it and try again.",
                "The card could not be processed just now. Try again in a minute.",
                "The bank wants the payer to confirm. They should follow the steps on their phone.",
            ),
            said,
        )
    }

    @Test
    fun `without a network it says what that means for the money`() = assertEquals(
        "No network. Saved on this handheld; it will be sent by itself. The payer can pay now with this code.",
        meaning(Samples.payment(PaymentState.QUEUED).words(Link.OFFLINE)),
    )

    @Test
    fun `whatever needs attention says who acts`() {
        val reasons = AttentionReason.entries.map { Samples.payment(PaymentState.NEEDS_ATTENTION).copy(attention = it) }
        for (payment in reasons) assertTrue("${payment.attention}", "administrator" in meaning(payment.words(Link.ONLINE)))
    }

    @Test
    fun `whatever the office did not take says what to do`() {
        val parked = ParkedReason.entries.map { Samples.payment(PaymentState.NEEDS_ATTENTION).copy(parked = it) }
        for (payment in parked) {
            val said = meaning(payment.words(Link.ONLINE))
            assertTrue("${payment.parked}: $said", "Call the administrator" in said || "start a new payment" in said)
        }
    }

    @Test
    fun `what is proved offline is paid, and says how that is known`() {
        val words = Samples.payment(PaymentState.PAID).copy(verifiedOffline = true).words(Link.OFFLINE)
        assertEquals("Paid, verified offline", resources.getString(words.word))
        assertTrue(meaning(words), "The payer has proved it" in meaning(words))
    }

    @Test
    fun `money comes first, whatever was asked for or refused`() {
        val asked = Request(RequestKind.CANCEL, null, answered = true, refused = null)
        val paid = Samples.payment(PaymentState.PAID)
        for (payment in listOf(paid.copy(request = asked), paid.copy(parked = ParkedReason.LIFETIME_OVER))) {
            assertTrue(meaning(payment.words(Link.ONLINE)), "The money is received" in meaning(payment.words(Link.ONLINE)))
        }
        assertTrue("had paid already, so it is not canceled" in meaning(paid.copy(request = asked).words(Link.ONLINE)))
    }

    @Test
    fun `what was asked for without a network is saved here, and a reason is shown as it was given`() {
        val waits = Request(RequestKind.CANCEL, null, answered = false, refused = null)
        val requested = Samples.payment(PaymentState.CANCEL_REQUESTED).copy(request = waits)
        assertTrue("saved here and sent by itself" in meaning(requested.words(Link.OFFLINE)))
        val reason = Request(RequestKind.WITHDRAW, "The payer has left.", answered = true, refused = null)
        val withdrawn = Samples.payment(PaymentState.WITHDRAWN).copy(request = reason)
        assertTrue("The payer has left." in meaning(withdrawn.words(Link.ONLINE)))
        val refused = Request(RequestKind.CANCEL, null, answered = false, refused = ParkedReason.DEVICE_REVOKED)
        assertTrue("Call the administrator" in meaning(Samples.payment(PaymentState.SENT).copy(request = refused).words(Link.ONLINE)))
    }

    @Test
    fun `what holds an open payment up is said`() {
        val open = Samples.payment(PaymentState.OWED)
        assertTrue("charge N-2041" in meaning(open.copy(heldUpBy = "N-2041").words(Link.ONLINE)))
        assertTrue("Its time is over" in meaning(open.copy(lifetimeOver = true).words(Link.ONLINE)))
        assertTrue("at the very moment of the hold" in meaning(open.copy(foundAtStart = true).words(Link.ONLINE)))
    }

    @Test
    fun `cash says where it is, and by which receipt`() {
        val cash = Samples.payment(PaymentState.PAID).copy(type = Samples.card.copy(provider = Provider.CASH), provisionalReceipt = "P-7K3M-2QXD-12")
        assertTrue("P-7K3M-2QXD-12" in meaning(cash.words(Link.OFFLINE)))
    }

    @Test
    fun `who acts is named where somebody must`() {
        val named = WhoActs.entries.map { Samples.payment(PaymentState.NEEDS_ATTENTION).copy(whoActs = it).words(Link.ONLINE).who!! }
        assertEquals(listOf("You act", "The administrator acts"), named.map(resources::getString))
        assertEquals(null, Samples.payment(PaymentState.SENT).words(Link.ONLINE).who)
    }

    @Test
    fun `nothing that a payer must not read is ever said`() {
        val fields = R.string::class.java.fields.map { resources.getString(it.getInt(null)).lowercase() }
        for (word in listOf("lost card", "stolen", "fraud", "risk")) {
            assertFalse(word, fields.any { word in it })
        }
    }

    private fun meaning(words: StateWords) = words.means.inFull(resources)
}
