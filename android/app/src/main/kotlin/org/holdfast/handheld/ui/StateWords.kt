package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.AttentionReason
import org.holdfast.handheld.core.DeclineReason
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.ParkedReason
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentState

/** How a state feels at a glance. Never said by colour alone: a word and an icon go with it. */
enum class Tone { Calm, Good, Bad }

/** A state as it is shown: its word, its icon, its tone, and what it means for the money. */
data class StateWords(val word: Int, val icon: Int, val tone: Tone, val means: Int)

fun Payment.words(link: Link): StateWords {
    val (word, icon, tone) = state.face()
    return StateWords(word, icon, tone, meaning(link))
}

private fun Payment.meaning(link: Link): Int {
    val decline = decline
    val attention = attention
    val parked = parked
    return when {
        parked != null -> parked.sentence()
        state == PaymentState.DECLINED && decline != null -> decline.sentence()
        state == PaymentState.NEEDS_ATTENTION && attention != null -> attention.sentence()
        state == PaymentState.QUEUED && link == Link.OFFLINE -> R.string.means_queued_offline
        else -> state.meaning()
    }
}

private fun PaymentState.face(): Triple<Int, Int, Tone> = when (this) {
    PaymentState.DRAFT -> Triple(R.string.state_draft, R.drawable.ic_ended, Tone.Calm)
    PaymentState.QUEUED -> Triple(R.string.state_queued, R.drawable.ic_saved, Tone.Calm)
    PaymentState.SENT -> Triple(R.string.state_sent, R.drawable.ic_sent, Tone.Calm)
    PaymentState.WAITING_FOR_CARD -> Triple(R.string.state_waiting_for_card, R.drawable.ic_card, Tone.Calm)
    PaymentState.PROCESSING -> Triple(R.string.state_processing, R.drawable.ic_waiting, Tone.Calm)
    PaymentState.DECLINED -> Triple(R.string.state_declined, R.drawable.ic_declined, Tone.Bad)
    PaymentState.PAID -> Triple(R.string.state_paid, R.drawable.ic_paid, Tone.Good)
    PaymentState.EXPIRED -> Triple(R.string.state_expired, R.drawable.ic_ended, Tone.Calm)
    PaymentState.OWED -> Triple(R.string.state_owed, R.drawable.ic_waiting, Tone.Calm)
    PaymentState.CANCEL_REQUESTED -> Triple(R.string.state_cancel_requested, R.drawable.ic_waiting, Tone.Calm)
    PaymentState.CANCELED -> Triple(R.string.state_canceled, R.drawable.ic_ended, Tone.Calm)
    PaymentState.WITHDRAWN -> Triple(R.string.state_withdrawn, R.drawable.ic_ended, Tone.Calm)
    PaymentState.REFUND_PENDING -> Triple(R.string.state_refund_pending, R.drawable.ic_returned, Tone.Calm)
    PaymentState.REFUNDED -> Triple(R.string.state_refunded, R.drawable.ic_returned, Tone.Calm)
    PaymentState.PARTLY_REFUNDED -> Triple(R.string.state_partly_refunded, R.drawable.ic_returned, Tone.Calm)
    PaymentState.REFUND_FAILED -> Triple(R.string.state_refund_failed, R.drawable.ic_attention, Tone.Bad)
    PaymentState.DISPUTED -> Triple(R.string.state_disputed, R.drawable.ic_attention, Tone.Bad)
    PaymentState.ALREADY_PAID -> Triple(R.string.state_already_paid, R.drawable.ic_paid, Tone.Calm)
    PaymentState.NEEDS_ATTENTION -> Triple(R.string.state_needs_attention, R.drawable.ic_attention, Tone.Bad)
}

private fun PaymentState.meaning(): Int = when (this) {
    PaymentState.DRAFT -> R.string.means_draft
    PaymentState.QUEUED -> R.string.means_queued
    PaymentState.SENT -> R.string.means_sent
    PaymentState.WAITING_FOR_CARD -> R.string.means_waiting_for_card
    PaymentState.PROCESSING -> R.string.means_processing
    PaymentState.DECLINED -> R.string.decline_bank_declined
    PaymentState.PAID -> R.string.means_paid
    PaymentState.EXPIRED -> R.string.means_expired
    PaymentState.OWED -> R.string.means_owed
    PaymentState.CANCEL_REQUESTED -> R.string.means_cancel_requested
    PaymentState.CANCELED -> R.string.means_canceled
    PaymentState.WITHDRAWN -> R.string.means_withdrawn
    PaymentState.REFUND_PENDING -> R.string.means_refund_pending
    PaymentState.REFUNDED -> R.string.means_refunded
    PaymentState.PARTLY_REFUNDED -> R.string.means_partly_refunded
    PaymentState.REFUND_FAILED -> R.string.means_refund_failed
    PaymentState.DISPUTED -> R.string.means_disputed
    PaymentState.ALREADY_PAID -> R.string.means_already_paid
    PaymentState.NEEDS_ATTENTION -> R.string.means_needs_attention
}

private fun DeclineReason.sentence(): Int = when (this) {
    DeclineReason.NOT_ENOUGH_FUNDS -> R.string.decline_not_enough_funds
    DeclineReason.BANK_DECLINED -> R.string.decline_bank_declined
    DeclineReason.CARD_EXPIRED -> R.string.decline_card_expired
    DeclineReason.SECURITY_CODE_WRONG -> R.string.decline_security_code_wrong
    DeclineReason.CARD_NUMBER_WRONG -> R.string.decline_card_number_wrong
    DeclineReason.TRY_AGAIN_LATER -> R.string.decline_try_again_later
    DeclineReason.PAYER_MUST_CONFIRM -> R.string.decline_payer_must_confirm
}

private fun AttentionReason.sentence(): Int = when (this) {
    AttentionReason.AMOUNT_DIFFERS -> R.string.attention_amount_differs
    AttentionReason.MODE_DIFFERS -> R.string.attention_mode_differs
    AttentionReason.ACCOUNT_DIFFERS -> R.string.attention_account_differs
    AttentionReason.FOREIGN_SESSION -> R.string.attention_foreign_session
    AttentionReason.PAID_TWICE -> R.string.attention_paid_twice
    AttentionReason.STRIPE_REFUSES -> R.string.attention_stripe_refuses
}

private fun ParkedReason.sentence(): Int = when (this) {
    ParkedReason.CONFLICT -> R.string.parked_conflict
    ParkedReason.SEQUENCE_REUSED -> R.string.parked_sequence_reused
    ParkedReason.UNREADABLE -> R.string.parked_unreadable
    ParkedReason.DEVICE_REVOKED -> R.string.parked_device_revoked
    ParkedReason.DEVICE_UNKNOWN -> R.string.parked_device_unknown
    ParkedReason.WRONG_GATEWAY -> R.string.parked_wrong_gateway
    ParkedReason.METHOD_UNAVAILABLE -> R.string.parked_method_unavailable
    ParkedReason.MODE_DIFFERS -> R.string.parked_mode_differs
    ParkedReason.PRICES_DIFFER -> R.string.parked_prices_differ
    ParkedReason.AMOUNT_REFUSED -> R.string.parked_amount_refused
    ParkedReason.LIFETIME_OVER -> R.string.parked_lifetime_over
}
