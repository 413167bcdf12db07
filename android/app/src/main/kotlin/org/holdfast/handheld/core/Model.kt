package org.holdfast.handheld.core

/*
 * What the screens know of the core: plain values that never change. The closed enums are the
 * core's own; a copy of them would only be a place to differ.
 */

typealias PaymentState = org.holdfast.bindings.PaymentState
typealias DeclineReason = org.holdfast.bindings.DeclineReason
typealias AttentionReason = org.holdfast.bindings.AttentionReason
typealias ParkedReason = org.holdfast.bindings.ParkedReason
typealias Provider = org.holdfast.bindings.Provider
typealias Mode = org.holdfast.bindings.Mode
typealias Link = org.holdfast.bindings.LinkState

/** A payment's ID, minted by the core before its summary is shown. */
@JvmInline
value class PaymentId(val text: String)

/** [minor] units of [currency], which has [exponent] decimal places (ISO 4217). */
data class Money(val minor: Long, val currency: String, val exponent: Int)

data class CatalogueItem(val id: Int, val name: String, val price: Money)

data class PaymentType(val code: String, val name: String, val provider: Provider, val mode: Mode)

data class Enrolment(
    val organisation: String,
    val gatewayHost: String,
    /** As the administrator's list has it. */
    val deviceId: String,
    val officer: String,
    val sixDigits: String,
    val approved: Boolean,
)

data class SummaryLine(val name: String, val quantity: Int, val amount: Money)

data class Payment(
    val id: PaymentId,
    val state: PaymentState,
    val lines: List<SummaryLine>,
    val total: Money,
    val type: PaymentType?,
    val mode: Mode?,
    val heldAtMs: Long?,
    /** Where the payer pays; null until held. */
    val payAddress: String?,
    /** The host of [payAddress], to be shown in words beside its code. */
    val payHost: String?,
    val receiptOrderId: String?,
    /** Known only once paid. */
    val confirmCode: String?,
    val decline: DeclineReason?,
    val attention: AttentionReason?,
    val parked: ParkedReason?,
)

/** Everything the screens show, as of one moment. */
data class HandheldState(
    val revision: Long,
    val enrolment: Enrolment?,
    val catalogue: List<CatalogueItem>,
    val paymentTypes: List<PaymentType>,
    /** Newest first. */
    val payments: List<Payment>,
    val link: Link,
    /** Held, and not yet known to be with the gateway. */
    val queued: Int,
    /** Records of this handheld that cannot be read; they are kept, but shown nowhere. */
    val unreadable: Int,
)

/** A QR code: [size] rows of [size] modules, true where dark, without a quiet zone. */
class QrCode(val size: Int, private val modules: ByteArray) {
    init {
        require(modules.size == size * size) { "a code of $size rows has ${size * size} modules, not ${modules.size}" }
    }

    fun isDark(row: Int, column: Int): Boolean = modules[row * size + column] != 0.toByte()
}

/** True while the payer can still pay, so that the code belongs on the screen. */
val PaymentState.isOpen: Boolean
    get() = when (this) {
        PaymentState.QUEUED, PaymentState.SENT, PaymentState.WAITING_FOR_CARD,
        PaymentState.PROCESSING, PaymentState.DECLINED, PaymentState.OWED,
        -> true
        PaymentState.DRAFT, PaymentState.PAID, PaymentState.EXPIRED, PaymentState.CANCEL_REQUESTED,
        PaymentState.CANCELED, PaymentState.WITHDRAWN, PaymentState.REFUND_PENDING,
        PaymentState.REFUNDED, PaymentState.PARTLY_REFUNDED, PaymentState.REFUND_FAILED,
        PaymentState.DISPUTED, PaymentState.ALREADY_PAID, PaymentState.NEEDS_ATTENTION,
        -> false
    }
