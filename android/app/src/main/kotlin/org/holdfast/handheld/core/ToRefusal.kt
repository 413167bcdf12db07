package org.holdfast.handheld.core

import org.holdfast.bindings.CodeException
import org.holdfast.bindings.EnrolException
import org.holdfast.bindings.ExportException
import org.holdfast.bindings.HoldException
import org.holdfast.bindings.MethodException
import org.holdfast.bindings.OpenException
import org.holdfast.bindings.ReceiptException
import org.holdfast.bindings.RefreshException
import org.holdfast.bindings.RequestException
import org.holdfast.bindings.RetryException
import org.holdfast.bindings.SummaryException

/* From the bindings' exceptions to refusals: a `when` of each that the compiler keeps complete. */

internal fun OpenException.toRefusal(): OpenRefusal = when (this) {
    is OpenException.AlreadyOpen -> OpenRefusal.AlreadyOpen
    is OpenException.VaultUnavailable -> OpenRefusal.VaultUnavailable
    is OpenException.VaultKeyLost -> OpenRefusal.VaultKeyLost
    is OpenException.StorageFull -> OpenRefusal.StorageFull
    is OpenException.Storage -> OpenRefusal.Storage
    is OpenException.Resources -> OpenRefusal.Resources
}

internal fun EnrolException.toRefusal(): EnrolRefusal = when (this) {
    is EnrolException.LinkInvalid -> EnrolRefusal.LinkInvalid
    is EnrolException.InsecureAddress -> EnrolRefusal.InsecureAddress(host)
    is EnrolException.CodeWrong -> EnrolRefusal.CodeWrong
    is EnrolException.Refused -> EnrolRefusal.ByGateway(sentence)
    is EnrolException.Offline -> EnrolRefusal.Offline
    is EnrolException.NotAGateway -> EnrolRefusal.NotAGateway
    is EnrolException.CertificateUntrusted -> EnrolRefusal.CertificateUntrusted(host)
    is EnrolException.DeviceKeyUnavailable -> EnrolRefusal.DeviceKeyUnavailable
    is EnrolException.Busy -> EnrolRefusal.Busy
    is EnrolException.StorageFull -> EnrolRefusal.StorageFull
    is EnrolException.Storage -> EnrolRefusal.Storage
    is EnrolException.Closed -> EnrolRefusal.Closed
}

internal fun RefreshException.toRefusal(): RefreshRefusal = when (this) {
    is RefreshException.NotEnrolled -> RefreshRefusal.NotEnrolled
    is RefreshException.Offline -> RefreshRefusal.Offline
    is RefreshException.CertificateUntrusted -> RefreshRefusal.CertificateUntrusted
    is RefreshException.DeviceKeyUnavailable -> RefreshRefusal.DeviceKeyUnavailable
    is RefreshException.DeviceRevoked -> RefreshRefusal.DeviceRevoked
    is RefreshException.Refused -> RefreshRefusal.ByGateway(sentence)
    is RefreshException.Storage -> RefreshRefusal.Storage
    is RefreshException.Closed -> RefreshRefusal.Closed
}

internal fun SummaryException.toRefusal(): SummaryRefusal = when (this) {
    is SummaryException.NotFound -> SummaryRefusal.NotFound
    is SummaryException.NotADraft -> SummaryRefusal.NotADraft
    is SummaryException.NoCatalogue -> SummaryRefusal.NoCatalogue
    is SummaryException.CatalogueExpired -> SummaryRefusal.CatalogueExpired
    is SummaryException.CartEmpty -> SummaryRefusal.CartEmpty
    is SummaryException.TooManyLines -> SummaryRefusal.TooManyLines
    is SummaryException.Quantity -> SummaryRefusal.Quantity
    is SummaryException.UnknownItem -> SummaryRefusal.UnknownItem
    is SummaryException.RepeatedItem -> SummaryRefusal.RepeatedItem
    is SummaryException.UnknownCharge -> SummaryRefusal.UnknownCharge
    is SummaryException.RepeatedCharge -> SummaryRefusal.RepeatedCharge
    is SummaryException.TwoCurrencies -> SummaryRefusal.TwoCurrencies
    is SummaryException.NothingOwed -> SummaryRefusal.NothingOwed
    is SummaryException.TooMuch -> SummaryRefusal.TooMuch
    is SummaryException.OverCap -> SummaryRefusal.OverCap(cap.toCap())
    is SummaryException.StorageFull -> SummaryRefusal.StorageFull
    is SummaryException.Storage -> SummaryRefusal.Storage
    is SummaryException.Closed -> SummaryRefusal.Closed
}

internal fun MethodException.toRefusal(): MethodRefusal = when (this) {
    is MethodException.NotFound -> MethodRefusal.NotFound
    is MethodException.NotADraft -> MethodRefusal.NotADraft
    is MethodException.CurrencyDiffers -> MethodRefusal.CurrencyDiffers
    is MethodException.UnknownMethod -> MethodRefusal.UnknownMethod
    is MethodException.OverCap -> MethodRefusal.OverCap(cap.toCap())
    is MethodException.StorageFull -> MethodRefusal.StorageFull
    is MethodException.Storage -> MethodRefusal.Storage
    is MethodException.Closed -> MethodRefusal.Closed
}

internal fun HoldException.toRefusal(): HoldRefusal = when (this) {
    is HoldException.NotFound -> HoldRefusal.NotFound
    is HoldException.NoMethodChosen -> HoldRefusal.NoMethodChosen
    is HoldException.NotEnrolled -> HoldRefusal.NotEnrolled
    is HoldException.NotApproved -> HoldRefusal.NotApproved
    is HoldException.DeviceKeyUnavailable -> HoldRefusal.DeviceKeyUnavailable
    is HoldException.DeviceKeyLost -> HoldRefusal.DeviceKeyLost
    is HoldException.OverCap -> HoldRefusal.OverCap(cap.toCap())
    is HoldException.StorageFull -> HoldRefusal.StorageFull
    is HoldException.Storage -> HoldRefusal.Storage
    is HoldException.Closed -> HoldRefusal.Closed
}

internal fun RequestException.toRefusal(): RequestRefusal = when (this) {
    is RequestException.NotFound -> RequestRefusal.NotFound
    is RequestException.NotHeld -> RequestRefusal.NotHeld
    is RequestException.Over -> RequestRefusal.Over(state)
    is RequestException.ReasonMissing -> RequestRefusal.ReasonMissing
    is RequestException.ReasonTooLong -> RequestRefusal.ReasonTooLong(max.toInt())
    is RequestException.NotEnrolled -> RequestRefusal.NotEnrolled
    is RequestException.DeviceKeyUnavailable -> RequestRefusal.DeviceKeyUnavailable
    is RequestException.StorageFull -> RequestRefusal.StorageFull
    is RequestException.Storage -> RequestRefusal.Storage
    is RequestException.Closed -> RequestRefusal.Closed
}

internal fun RetryException.toRefusal(): RetryRefusal = when (this) {
    is RetryException.NotFound -> RetryRefusal.NotFound
    is RetryException.NotParked -> RetryRefusal.NotParked(state)
    is RetryException.StorageFull -> RetryRefusal.StorageFull
    is RetryException.Storage -> RetryRefusal.Storage
    is RetryException.Closed -> RetryRefusal.Closed
}

internal fun ReceiptException.toRefusal(): ReceiptRefusal = when (this) {
    is ReceiptException.NotAReceipt -> ReceiptRefusal.NotAReceipt
    is ReceiptException.NotByThisGateway -> ReceiptRefusal.NotByThisGateway
    is ReceiptException.UnknownPayment -> ReceiptRefusal.UnknownPayment
    is ReceiptException.AnotherTenant -> ReceiptRefusal.AnotherTenant
    is ReceiptException.AmountDiffers -> ReceiptRefusal.AmountDiffers
    is ReceiptException.ModeDiffers -> ReceiptRefusal.ModeDiffers
    is ReceiptException.StorageFull -> ReceiptRefusal.StorageFull
    is ReceiptException.Storage -> ReceiptRefusal.Storage
    is ReceiptException.Closed -> ReceiptRefusal.Closed
}

internal fun CodeException.toRefusal(): CodeRefusal = when (this) {
    is CodeException.NotFound -> CodeRefusal.NotFound
    is CodeException.NotHeld -> CodeRefusal.NotHeld
    is CodeException.Unreadable -> CodeRefusal.Unreadable
    is CodeException.Wrong -> CodeRefusal.Wrong(triesLeft.toInt())
    is CodeException.Locked -> CodeRefusal.Locked(waitS.toInt())
    is CodeException.StorageFull -> CodeRefusal.StorageFull
    is CodeException.Storage -> CodeRefusal.Storage
    is CodeException.Closed -> CodeRefusal.Closed
}

internal fun ExportException.toRefusal(): ExportRefusal = when (this) {
    is ExportException.Nothing -> ExportRefusal.Nothing
    is ExportException.Storage -> ExportRefusal.Storage
    is ExportException.Closed -> ExportRefusal.Closed
}
