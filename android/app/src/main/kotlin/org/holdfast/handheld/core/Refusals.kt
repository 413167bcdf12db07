package org.holdfast.handheld.core

import org.holdfast.bindings.EnrolException
import org.holdfast.bindings.HoldException
import org.holdfast.bindings.MethodException
import org.holdfast.bindings.OpenException
import org.holdfast.bindings.RefreshException
import org.holdfast.bindings.SummaryException

/*
 * Why the core did not do what a screen asked: one closed type for each request, variant for
 * variant the core's own. A screen has words for each, and each says what to do next.
 */

enum class OpenRefusal { AlreadyOpen, VaultUnavailable, VaultKeyLost, StorageFull, Storage, Resources }

sealed interface EnrolRefusal {
    data object LinkInvalid : EnrolRefusal

    data class InsecureAddress(val host: String) : EnrolRefusal

    data object CodeWrong : EnrolRefusal

    /** Another reason, in the gateway's own sentence. */
    data class ByGateway(val sentence: String) : EnrolRefusal

    data object Offline : EnrolRefusal

    data object NotAGateway : EnrolRefusal

    /** The address answers with a certificate that the link does not vouch for. */
    data class CertificateUntrusted(val host: String) : EnrolRefusal

    data object DeviceKeyUnavailable : EnrolRefusal

    data object Busy : EnrolRefusal

    data object StorageFull : EnrolRefusal

    data object Storage : EnrolRefusal

    data object Closed : EnrolRefusal
}

enum class RefreshRefusal {
    NotEnrolled, Offline, CertificateUntrusted, DeviceKeyUnavailable, DeviceRevoked, ByGateway, Storage, Closed,
}

enum class SummaryRefusal {
    NotFound, NotADraft, NoCatalogue, CatalogueExpired, CartEmpty, TooManyLines, Quantity, UnknownItem, RepeatedItem,
    UnknownCharge, RepeatedCharge, TwoCurrencies,
    NothingOwed, TooMuch, OverCap, StorageFull, Storage, Closed,
}

enum class MethodRefusal { NotFound, NotADraft, CurrencyDiffers, UnknownMethod, OverCap, StorageFull, Storage, Closed }

enum class HoldRefusal {
    NotFound, NoMethodChosen, NotEnrolled, NotApproved, DeviceKeyUnavailable, DeviceKeyLost, OverCap,
    StorageFull, Storage, Closed,
}

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
    is RefreshException.Refused -> RefreshRefusal.ByGateway
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
    is SummaryException.OverCap -> SummaryRefusal.OverCap
    is SummaryException.StorageFull -> SummaryRefusal.StorageFull
    is SummaryException.Storage -> SummaryRefusal.Storage
    is SummaryException.Closed -> SummaryRefusal.Closed
}

internal fun MethodException.toRefusal(): MethodRefusal = when (this) {
    is MethodException.NotFound -> MethodRefusal.NotFound
    is MethodException.NotADraft -> MethodRefusal.NotADraft
    is MethodException.CurrencyDiffers -> MethodRefusal.CurrencyDiffers
    is MethodException.UnknownMethod -> MethodRefusal.UnknownMethod
    is MethodException.OverCap -> MethodRefusal.OverCap
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
    is HoldException.OverCap -> HoldRefusal.OverCap
    is HoldException.StorageFull -> HoldRefusal.StorageFull
    is HoldException.Storage -> HoldRefusal.Storage
    is HoldException.Closed -> HoldRefusal.Closed
}
