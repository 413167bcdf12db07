package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.Cap
import org.holdfast.handheld.core.EnrolRefusal
import org.holdfast.handheld.core.HoldRefusal
import org.holdfast.handheld.core.MethodRefusal
import org.holdfast.handheld.core.OpenRefusal
import org.holdfast.handheld.core.SummaryRefusal

/* Each refusal of the core in the officer's words. */

fun OpenRefusal.words(): Words = Words.Ours(
    when (this) {
        OpenRefusal.AlreadyOpen -> R.string.trouble_already_open
        OpenRefusal.VaultUnavailable -> R.string.trouble_vault_unavailable
        OpenRefusal.VaultKeyLost -> R.string.trouble_vault_lost
        OpenRefusal.StorageFull -> R.string.trouble_storage_full
        OpenRefusal.Storage -> R.string.trouble_storage
        OpenRefusal.Resources -> R.string.trouble_resources
    },
)

fun EnrolRefusal.words(): Words = when (this) {
    is EnrolRefusal.InsecureAddress -> Words.Ours(R.string.trouble_link_insecure, listOf(host))
    is EnrolRefusal.CertificateUntrusted -> Words.Ours(R.string.trouble_certificate, listOf(host))
    is EnrolRefusal.ByGateway -> Words.OfGateway(sentence)
    EnrolRefusal.CodeWrong -> Words.Ours(R.string.trouble_code_wrong)
    EnrolRefusal.LinkInvalid -> Words.Ours(R.string.trouble_link_invalid)
    EnrolRefusal.Offline -> Words.Ours(R.string.trouble_offline_enrol)
    EnrolRefusal.NotAGateway -> Words.Ours(R.string.trouble_not_a_gateway)
    EnrolRefusal.DeviceKeyUnavailable -> Words.Ours(R.string.trouble_device_key)
    EnrolRefusal.Busy -> Words.Ours(R.string.trouble_busy)
    EnrolRefusal.StorageFull -> Words.Ours(R.string.trouble_storage_full)
    EnrolRefusal.Storage -> Words.Ours(R.string.trouble_storage)
    EnrolRefusal.Closed -> Words.Ours(R.string.trouble_closed)
}

fun SummaryRefusal.words(): Words = when (this) {
    SummaryRefusal.NotFound -> Words.Ours(R.string.trouble_gone)
    SummaryRefusal.NotADraft -> Words.Ours(R.string.trouble_held_already)
    SummaryRefusal.NoCatalogue -> Words.Ours(R.string.trouble_no_catalogue)
    SummaryRefusal.CatalogueExpired -> Words.Ours(R.string.trouble_catalogue_expired)
    SummaryRefusal.CartEmpty -> Words.Ours(R.string.trouble_cart_empty)
    SummaryRefusal.TooManyLines -> Words.Ours(R.string.trouble_too_many_lines)
    SummaryRefusal.Quantity -> Words.Ours(R.string.trouble_quantity)
    SummaryRefusal.UnknownItem -> Words.Ours(R.string.trouble_unknown_item)
    SummaryRefusal.RepeatedItem -> Words.Ours(R.string.trouble_unknown_item)
    SummaryRefusal.UnknownCharge -> Words.Ours(R.string.trouble_unknown_charge)
    SummaryRefusal.RepeatedCharge -> Words.Ours(R.string.trouble_repeated_charge)
    SummaryRefusal.TwoCurrencies -> Words.Ours(R.string.trouble_two_currencies)
    SummaryRefusal.NothingOwed -> Words.Ours(R.string.trouble_nothing_owed)
    SummaryRefusal.TooMuch -> Words.Ours(R.string.trouble_too_much)
    is SummaryRefusal.OverCap -> cap.words()
    SummaryRefusal.StorageFull -> Words.Ours(R.string.trouble_storage_full)
    SummaryRefusal.Storage -> Words.Ours(R.string.trouble_storage)
    SummaryRefusal.Closed -> Words.Ours(R.string.trouble_closed)
}

fun MethodRefusal.words(): Words = when (this) {
    MethodRefusal.NotFound -> Words.Ours(R.string.trouble_gone)
    MethodRefusal.NotADraft -> Words.Ours(R.string.trouble_held_already)
    MethodRefusal.CurrencyDiffers -> Words.Ours(R.string.trouble_currency_differs)
    MethodRefusal.UnknownMethod -> Words.Ours(R.string.trouble_unknown_method)
    is MethodRefusal.OverCap -> cap.words()
    MethodRefusal.StorageFull -> Words.Ours(R.string.trouble_storage_full)
    MethodRefusal.Storage -> Words.Ours(R.string.trouble_storage)
    MethodRefusal.Closed -> Words.Ours(R.string.trouble_closed)
}

/** The screen adds that nothing was held. */
fun HoldRefusal.words(): Words = when (this) {
    HoldRefusal.NotFound -> Words.Ours(R.string.trouble_gone)
    HoldRefusal.NoMethodChosen -> Words.Ours(R.string.trouble_no_method)
    HoldRefusal.NotEnrolled -> Words.Ours(R.string.trouble_not_enrolled)
    HoldRefusal.NotApproved -> Words.Ours(R.string.trouble_not_approved)
    HoldRefusal.DeviceKeyUnavailable -> Words.Ours(R.string.trouble_device_key)
    HoldRefusal.DeviceKeyLost -> Words.Ours(R.string.trouble_device_key_lost)
    is HoldRefusal.OverCap -> cap.words()
    HoldRefusal.StorageFull -> Words.Ours(R.string.trouble_storage_full)
    HoldRefusal.Storage -> Words.Ours(R.string.trouble_storage)
    HoldRefusal.Closed -> Words.Ours(R.string.trouble_closed)
}

/** Which limit on what may wait here is reached. */
fun Cap.words(): Words = when (this) {
    is Cap.Orders -> Words.Counted(R.plurals.trouble_cap_orders, max)
    is Cap.Age -> Words.Ours(R.string.trouble_cap_age)
    is Cap.Sum -> Words.WithAmount(R.string.trouble_cap_sum, max)
}
