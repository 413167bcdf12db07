package org.holdfast.handheld.ui

import org.holdfast.handheld.R
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

fun SummaryRefusal.words(): Words = Words.Ours(
    when (this) {
        SummaryRefusal.NotFound -> R.string.trouble_gone
        SummaryRefusal.NotADraft -> R.string.trouble_held_already
        SummaryRefusal.NoCatalogue -> R.string.trouble_no_catalogue
        SummaryRefusal.CatalogueExpired -> R.string.trouble_catalogue_expired
        SummaryRefusal.CartEmpty -> R.string.trouble_cart_empty
        SummaryRefusal.TooManyLines -> R.string.trouble_too_many_lines
        SummaryRefusal.Quantity -> R.string.trouble_quantity
        SummaryRefusal.UnknownItem -> R.string.trouble_unknown_item
        SummaryRefusal.RepeatedItem -> R.string.trouble_unknown_item
        SummaryRefusal.UnknownCharge -> R.string.trouble_unknown_charge
        SummaryRefusal.RepeatedCharge -> R.string.trouble_repeated_charge
        SummaryRefusal.TwoCurrencies -> R.string.trouble_two_currencies
        SummaryRefusal.NothingOwed -> R.string.trouble_nothing_owed
        SummaryRefusal.TooMuch -> R.string.trouble_too_much
        SummaryRefusal.OverCap -> R.string.trouble_over_cap
        SummaryRefusal.StorageFull -> R.string.trouble_storage_full
        SummaryRefusal.Storage -> R.string.trouble_storage
        SummaryRefusal.Closed -> R.string.trouble_closed
    },
)

fun MethodRefusal.words(): Words = Words.Ours(
    when (this) {
        MethodRefusal.NotFound -> R.string.trouble_gone
        MethodRefusal.NotADraft -> R.string.trouble_held_already
        MethodRefusal.CurrencyDiffers -> R.string.trouble_currency_differs
        MethodRefusal.UnknownMethod -> R.string.trouble_unknown_method
        MethodRefusal.OverCap -> R.string.trouble_over_cap
        MethodRefusal.StorageFull -> R.string.trouble_storage_full
        MethodRefusal.Storage -> R.string.trouble_storage
        MethodRefusal.Closed -> R.string.trouble_closed
    },
)

/** The screen adds that nothing was held. */
fun HoldRefusal.words(): Words = Words.Ours(
    when (this) {
        HoldRefusal.NotFound -> R.string.trouble_gone
        HoldRefusal.NoMethodChosen -> R.string.trouble_no_method
        HoldRefusal.NotEnrolled -> R.string.trouble_not_enrolled
        HoldRefusal.NotApproved -> R.string.trouble_not_approved
        HoldRefusal.DeviceKeyUnavailable -> R.string.trouble_device_key
        HoldRefusal.DeviceKeyLost -> R.string.trouble_device_key_lost
        HoldRefusal.OverCap -> R.string.trouble_over_cap
        HoldRefusal.StorageFull -> R.string.trouble_storage_full
        HoldRefusal.Storage -> R.string.trouble_storage
        HoldRefusal.Closed -> R.string.trouble_closed
    },
)
