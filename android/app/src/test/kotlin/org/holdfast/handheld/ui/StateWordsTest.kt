package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.AttentionReason
import org.holdfast.handheld.core.DeclineReason
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.ParkedReason
import org.holdfast.handheld.core.PaymentState
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
            assertTrue("${payment.parked}: $said", "Call the administrator" in said || "Start a new payment" in said)
        }
    }

    @Test
    fun `nothing that a payer must not read is ever said`() {
        val fields = R.string::class.java.fields.map { resources.getString(it.getInt(null)).lowercase() }
        for (word in listOf("lost card", "stolen", "fraud", "risk")) {
            assertFalse(word, fields.any { word in it })
        }
    }

    private fun meaning(words: StateWords) = resources.getString(words.means)
}
