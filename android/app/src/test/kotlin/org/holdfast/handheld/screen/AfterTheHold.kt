package org.holdfast.handheld.screen

import org.holdfast.handheld.core.CodeRefusal
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.Mode
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.RecordFault
import org.holdfast.handheld.core.RefreshRefusal
import org.holdfast.handheld.core.Request
import org.holdfast.handheld.core.RequestKind
import org.holdfast.handheld.core.Unreadable
import org.holdfast.handheld.ui.words

/** What the screens after the hold look like in the states that matter. */
object AfterTheHold {
    val rows = Samples.recent.map {
        RecentRow(it.id, it.total, it.heldAtMs, it.heldAtIsSure, it.words(Link.ONLINE), it.mode == Mode.TEST)
    }

    val recentOffline = RecentUiState(
        Outbox(3, 1, Samples.HELD_AT_MS, Link.OFFLINE, trouble = RefreshRefusal.Offline.words()), isUnwell = true, rows = rows,
    )

    val waiting = details(Samples.payment(PaymentState.WAITING_FOR_CARD)).copy(
        hasCode = true, actions = listOf(OfficerAction.CHECK_CODE, OfficerAction.CANCEL),
    )

    val parked = details(Samples.recent[2])

    val verified = details(Samples.payment(PaymentState.PAID).copy(verifiedOffline = true, request = asked))

    val resultVerified = Samples.payment(PaymentState.PAID).copy(verifiedOffline = true).let {
        ResultUiState(it.total, it.words(Link.OFFLINE), it.receiptOrderId, confirmCode = it.confirmCode)
    }

    val cancel = ConfirmUiState(Question.Cancel, Samples.usd(155_800))

    val withdraw = ConfirmUiState(
        Question.Withdraw, Samples.usd(155_800), offline = true,
        reason = "The payer has left; the car was towed to the pound, and the charge is written anew there.",
    )

    val wrongCode = TypedCode("4T9W-U").let {
        CheckCodeUiState(Samples.usd(155_800), it.text, it.hint(), trouble = CodeRefusal.Wrong(3).words())
    }

    val lost = DeviceUiState(
        Samples.enrolment, KeyState.DEVICE_KEY_LOST.words(), olderFile = true,
        faults = listOf(
            Unreadable("payment", "1", RecordFault.DAMAGED, reported = true),
            Unreadable("payment", "2", RecordFault.MISSING, reported = false),
            Unreadable("config", "", RecordFault.UNVOUCHED, reported = false),
        ).words(),
    )

    private val asked get() = Request(RequestKind.WITHDRAW, "The payer has left.", answered = false, refused = null)

    private fun details(payment: Payment) = DetailsUiState(
        total = payment.total,
        state = payment.words(Link.ONLINE),
        heldAtMs = payment.heldAtMs,
        heldAtIsSure = false,
        method = "Online Payment",
        lines = payment.lines,
        receiptOrderId = payment.receiptOrderId,
        confirmCode = payment.confirmCode,
        request = payment.request,
        actions = payment.actions,
    )
}
