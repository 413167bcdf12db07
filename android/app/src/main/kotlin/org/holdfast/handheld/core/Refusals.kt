package org.holdfast.handheld.core

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

sealed interface RefreshRefusal {
    data object NotEnrolled : RefreshRefusal

    data object Offline : RefreshRefusal

    data object CertificateUntrusted : RefreshRefusal

    data object DeviceKeyUnavailable : RefreshRefusal

    data object DeviceRevoked : RefreshRefusal

    /** Another reason, in the gateway's own sentence. */
    data class ByGateway(val sentence: String) : RefreshRefusal

    data object Storage : RefreshRefusal

    data object Closed : RefreshRefusal
}

sealed interface SummaryRefusal {
    data object NotFound : SummaryRefusal

    data object NotADraft : SummaryRefusal

    data object NoCatalogue : SummaryRefusal

    data object CatalogueExpired : SummaryRefusal

    data object CartEmpty : SummaryRefusal

    data object TooManyLines : SummaryRefusal

    data object Quantity : SummaryRefusal

    data object UnknownItem : SummaryRefusal

    data object RepeatedItem : SummaryRefusal

    data object UnknownCharge : SummaryRefusal

    data object RepeatedCharge : SummaryRefusal

    data object TwoCurrencies : SummaryRefusal

    data object NothingOwed : SummaryRefusal

    data object TooMuch : SummaryRefusal

    data class OverCap(val cap: Cap) : SummaryRefusal

    data object StorageFull : SummaryRefusal

    data object Storage : SummaryRefusal

    data object Closed : SummaryRefusal
}

sealed interface MethodRefusal {
    data object NotFound : MethodRefusal

    data object NotADraft : MethodRefusal

    data object CurrencyDiffers : MethodRefusal

    data object UnknownMethod : MethodRefusal

    data class OverCap(val cap: Cap) : MethodRefusal

    data object StorageFull : MethodRefusal

    data object Storage : MethodRefusal

    data object Closed : MethodRefusal
}

sealed interface HoldRefusal {
    data object NotFound : HoldRefusal

    data object NoMethodChosen : HoldRefusal

    data object NotEnrolled : HoldRefusal

    data object NotApproved : HoldRefusal

    data object DeviceKeyUnavailable : HoldRefusal

    data object DeviceKeyLost : HoldRefusal

    data class OverCap(val cap: Cap) : HoldRefusal

    data object StorageFull : HoldRefusal

    data object Storage : HoldRefusal

    data object Closed : HoldRefusal
}

/** Of a cancellation or a withdrawal. Nothing was changed. */
sealed interface RequestRefusal {
    data object NotFound : RequestRefusal

    data object NotHeld : RequestRefusal

    /** It is paid, or over already. */
    data class Over(val state: PaymentState) : RequestRefusal

    data object ReasonMissing : RequestRefusal

    data class ReasonTooLong(val max: Int) : RequestRefusal

    data object NotEnrolled : RequestRefusal

    data object DeviceKeyUnavailable : RequestRefusal

    data object StorageFull : RequestRefusal

    data object Storage : RequestRefusal

    data object Closed : RequestRefusal
}

sealed interface RetryRefusal {
    data object NotFound : RetryRefusal

    data class NotParked(val state: PaymentState) : RetryRefusal

    data object StorageFull : RetryRefusal

    data object Storage : RetryRefusal

    data object Closed : RetryRefusal
}

enum class ReceiptRefusal {
    NotAReceipt, NotByThisGateway, UnknownPayment, AnotherTenant, AmountDiffers, ModeDiffers, StorageFull, Storage, Closed,
}

sealed interface CodeRefusal {
    data object NotFound : CodeRefusal

    data object NotHeld : CodeRefusal

    data object Unreadable : CodeRefusal

    data class Wrong(val triesLeft: Int) : CodeRefusal

    data class Locked(val waitS: Int) : CodeRefusal

    data object StorageFull : CodeRefusal

    data object Storage : CodeRefusal

    data object Closed : CodeRefusal
}

enum class ExportRefusal { Nothing, Storage, Closed }
