package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.CodeRefusal
import org.holdfast.handheld.core.ExportRefusal
import org.holdfast.handheld.core.ReceiptRefusal
import org.holdfast.handheld.core.RefreshRefusal
import org.holdfast.handheld.core.RequestRefusal
import org.holdfast.handheld.core.RetryRefusal
import org.holdfast.handheld.core.hasBeenPaid

/* Each refusal after the hold: what happened, what it means for the money, what to do next. */

/** Of "Send now". */
fun RefreshRefusal.words(): Words = when (this) {
    RefreshRefusal.NotEnrolled -> Words.Ours(R.string.send_not_enrolled)
    RefreshRefusal.Offline -> Words.Ours(R.string.send_offline)
    RefreshRefusal.CertificateUntrusted -> Words.Ours(R.string.send_certificate)
    RefreshRefusal.DeviceKeyUnavailable -> Words.Ours(R.string.send_device_key)
    RefreshRefusal.DeviceRevoked -> Words.Ours(R.string.send_revoked)
    is RefreshRefusal.ByGateway -> Words.OfGateway(sentence)
    RefreshRefusal.Storage -> Words.Ours(R.string.send_storage)
    RefreshRefusal.Closed -> Words.Ours(R.string.send_closed)
}

/** Of a cancellation or a withdrawal. */
fun RequestRefusal.words(): Words = when (this) {
    RequestRefusal.NotFound -> Words.Ours(R.string.request_not_found)
    RequestRefusal.NotHeld -> Words.Ours(R.string.request_not_held)
    is RequestRefusal.Over -> Words.Ours(if (state.hasBeenPaid) R.string.request_paid else R.string.request_over)
    RequestRefusal.ReasonMissing -> Words.Ours(R.string.request_reason_missing)
    is RequestRefusal.ReasonTooLong -> Words.Counted(R.plurals.request_reason_too_long, max)
    RequestRefusal.NotEnrolled -> Words.Ours(R.string.request_not_enrolled)
    RequestRefusal.DeviceKeyUnavailable -> Words.Ours(R.string.request_device_key)
    RequestRefusal.StorageFull -> Words.Ours(R.string.request_storage_full)
    RequestRefusal.Storage -> Words.Ours(R.string.request_storage)
    RequestRefusal.Closed -> Words.Ours(R.string.request_closed)
}

fun RetryRefusal.words(): Words = when (this) {
    RetryRefusal.NotFound -> Words.Ours(R.string.request_not_found)
    is RetryRefusal.NotParked -> Words.Ours(if (state.hasBeenPaid) R.string.retry_paid else R.string.retry_not_parked)
    RetryRefusal.StorageFull -> Words.Ours(R.string.retry_storage_full)
    RetryRefusal.Storage -> Words.Ours(R.string.retry_storage)
    RetryRefusal.Closed -> Words.Ours(R.string.retry_closed)
}

fun CodeRefusal.words(): Words = when (this) {
    CodeRefusal.NotFound -> Words.Ours(R.string.code_not_found)
    CodeRefusal.NotHeld -> Words.Ours(R.string.code_not_held)
    CodeRefusal.Unreadable -> Words.Ours(R.string.code_unreadable)
    is CodeRefusal.Wrong -> if (triesLeft == 0) Words.Ours(R.string.code_wrong_last) else Words.Counted(R.plurals.code_wrong, triesLeft)
    is CodeRefusal.Locked -> Words.Counted(R.plurals.code_locked, waitS)
    CodeRefusal.StorageFull -> Words.Ours(R.string.proof_storage_full)
    CodeRefusal.Storage -> Words.Ours(R.string.proof_storage)
    CodeRefusal.Closed -> Words.Ours(R.string.proof_closed)
}

fun ReceiptRefusal.words(): Words = Words.Ours(
    when (this) {
        ReceiptRefusal.NotAReceipt -> R.string.receipt_not_a_receipt
        ReceiptRefusal.NotByThisGateway -> R.string.receipt_not_by_this_gateway
        ReceiptRefusal.UnknownPayment -> R.string.receipt_unknown_payment
        ReceiptRefusal.AnotherTenant -> R.string.receipt_another_tenant
        ReceiptRefusal.AmountDiffers -> R.string.receipt_amount_differs
        ReceiptRefusal.ModeDiffers -> R.string.receipt_mode_differs
        ReceiptRefusal.StorageFull -> R.string.proof_storage_full
        ReceiptRefusal.Storage -> R.string.proof_storage
        ReceiptRefusal.Closed -> R.string.proof_closed
    },
)

fun ExportRefusal.words(): Words = Words.Ours(
    when (this) {
        ExportRefusal.Nothing -> R.string.copies_nothing
        ExportRefusal.Storage -> R.string.copies_storage
        ExportRefusal.Closed -> R.string.copies_closed
    },
)
