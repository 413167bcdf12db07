package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.AttentionReason
import org.holdfast.handheld.core.DeclineReason
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.ParkedReason
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.Provider
import org.holdfast.handheld.core.WhoActs
import org.holdfast.handheld.core.hasBeenPaid
import org.holdfast.handheld.core.isOpen

/** How a state feels at a glance. Never said by colour alone: a word and an icon go with it. */
enum class Tone { Calm, Good, Bad }

/**
 * A state as it is shown: its word, its icon, its tone, what it means for the money, and, where
 * something is wrong, [who] acts.
 */
data class StateWords(val word: Int, val icon: Int, val tone: Tone, val means: Words, val who: Int? = null)

fun Payment.words(link: Link): StateWords {
    val (word, icon, tone) = state.face()
    val said = if (state == PaymentState.PAID && verifiedOffline) R.string.state_paid_verified_offline else word
    return StateWords(said, icon, tone, meaning(link), whoActs?.words())
}

private fun WhoActs.words(): Int = when (this) {
    WhoActs.OFFICER -> R.string.acts_officer
    WhoActs.ADMINISTRATOR -> R.string.acts_administrator
}

/** Money first, then what hinders it, then what was asked for, then where it stands. */
private fun Payment.meaning(link: Link): Words = when {
    state.hasBeenPaid -> paidMeaning()
    state == PaymentState.NEEDS_ATTENTION -> Words.Ours(parked?.sentence() ?: attention?.sentence() ?: state.meaning())
    state == PaymentState.CANCEL_REQUESTED -> Words.Ours(requestedMeaning(link))
    state == PaymentState.WITHDRAWN -> request?.reason?.let { Words.Ours(R.string.means_withdrawn_because, listOf(it)) } ?: Words.Ours(state.meaning())
    request?.refused != null -> Words.Ours(R.string.means_request_refused)
    else -> openMeaning(link)
}

private fun Payment.paidMeaning(): Words = when {
    state != PaymentState.PAID -> Words.Ours(state.meaning())
    parked != null -> Words.Ours(R.string.means_paid_refused_again)
    type?.provider == Provider.CASH -> cashMeaning()
    request != null -> Words.Ours(R.string.means_paid_not_canceled)
    verifiedOffline -> Words.Ours(R.string.means_paid_verified_offline)
    else -> Words.Ours(state.meaning())
}

private fun Payment.cashMeaning(): Words = when {
    request?.refused != null -> Words.Ours(R.string.means_void_refused)
    provisionalReceipt != null -> Words.Ours(R.string.means_cash, listOf(provisionalReceipt))
    else -> Words.Ours(R.string.means_cash_plain)
}

private fun Payment.requestedMeaning(link: Link): Int = when {
    type?.provider == Provider.CASH -> R.string.means_void_requested
    link == Link.OFFLINE -> R.string.means_cancel_requested_offline
    else -> R.string.means_cancel_requested
}

private fun Payment.openMeaning(link: Link): Words {
    val decline = decline
    return when {
        state.isOpen && heldUpBy != null -> Words.Ours(R.string.means_held_up, listOf(heldUpBy))
        state.isOpen && lifetimeOver -> Words.Ours(R.string.means_lifetime_over)
        state.isOpen && foundAtStart -> Words.Ours(R.string.means_found_at_start)
        state == PaymentState.DECLINED && decline != null -> Words.Ours(decline.sentence())
        state == PaymentState.QUEUED && link == Link.OFFLINE -> Words.Ours(R.string.means_queued_offline)
        else -> Words.Ours(state.meaning())
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
    AttentionReason.AWAITS_APPROVAL -> R.string.attention_awaits_approval
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
    ParkedReason.ORDER_LOST -> R.string.parked_order_lost
}
