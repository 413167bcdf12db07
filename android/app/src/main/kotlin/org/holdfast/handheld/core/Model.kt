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
typealias WhoActs = org.holdfast.bindings.WhoActs
typealias OfficerAction = org.holdfast.bindings.OfficerAction
typealias RequestKind = org.holdfast.bindings.RequestKind
typealias RecordFault = org.holdfast.bindings.RecordFault
typealias KeyState = org.holdfast.bindings.KeyState

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

/** What the officer asked for after the hold: signed, on disk, and sent until the office has [answered]. */
data class Request(val kind: RequestKind, val reason: String?, val answered: Boolean, val refused: ParkedReason?)

/** A limit on what may wait on this handheld. */
sealed interface Cap {
    data class Orders(val max: Int) : Cap

    data class Age(val maxS: Long) : Cap

    data class Sum(val max: Money) : Cap
}

data class Payment(
    val id: PaymentId,
    val state: PaymentState,
    val lines: List<SummaryLine>,
    val total: Money,
    val type: PaymentType?,
    val mode: Mode?,
    /** By the gateway's clock, unless [heldAtIsSure] is false. */
    val heldAtMs: Long?,
    val heldAtIsSure: Boolean,
    val lifetimeOver: Boolean,
    /** Where the payer pays; null until held. */
    val payAddress: String?,
    /** The host of [payAddress], to be shown in words beside its code. */
    val payHost: String?,
    val receiptOrderId: String?,
    /** With cash: what the payer is told at the hold. */
    val provisionalReceipt: String?,
    /** A charge that another payment holds: this one waits for that one. */
    val heldUpBy: String?,
    /** Known only once paid. */
    val confirmCode: String?,
    val decline: DeclineReason?,
    val attention: AttentionReason?,
    val parked: ParkedReason?,
    /** Paid by the payer's code or receipt; the gateway has not said so yet. */
    val verifiedOffline: Boolean,
    val request: Request?,
    /** Held, and perhaps nobody was told so: the app ended at that very moment. */
    val foundAtStart: Boolean,
    /** This handheld's own record is lost; the gateway told of it. */
    val fromGateway: Boolean,
    val whoActs: WhoActs?,
    /** Only what can work. */
    val actions: List<OfficerAction>,
)

/** A record that cannot be read: named, kept, and left out. */
data class Unreadable(val table: String, val recordId: String, val fault: RecordFault, val reported: Boolean)

/** A file of copies of waiting orders, which only the gateway can read. */
data class SealedCopies(val fileName: String, val contents: String, val orders: Int)

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
    /** When the oldest of them was held. */
    val queuedSinceMs: Long?,
    /** Requests to cancel or withdraw that the gateway has not answered yet. */
    val queuedRequests: Int,
    /** Records of this handheld that cannot be read. */
    val unreadable: List<Unreadable>,
    val keys: KeyState,
    /** An older file was put back on this handheld. */
    val olderFile: Boolean,
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

/** True once money has arrived, whatever became of it since. */
val PaymentState.hasBeenPaid: Boolean
    get() = when (this) {
        PaymentState.PAID, PaymentState.REFUND_PENDING, PaymentState.REFUNDED, PaymentState.PARTLY_REFUNDED,
        PaymentState.REFUND_FAILED, PaymentState.DISPUTED,
        -> true
        PaymentState.DRAFT, PaymentState.QUEUED, PaymentState.SENT, PaymentState.WAITING_FOR_CARD,
        PaymentState.PROCESSING, PaymentState.DECLINED, PaymentState.EXPIRED, PaymentState.OWED,
        PaymentState.CANCEL_REQUESTED, PaymentState.CANCELED, PaymentState.WITHDRAWN,
        PaymentState.ALREADY_PAID, PaymentState.NEEDS_ATTENTION,
        -> false
    }
