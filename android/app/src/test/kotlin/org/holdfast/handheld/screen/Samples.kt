package org.holdfast.handheld.screen

import org.holdfast.handheld.core.AttentionReason
import org.holdfast.handheld.core.CatalogueItem
import org.holdfast.handheld.core.DeclineReason
import org.holdfast.handheld.core.Enrolment
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.Mode
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.ParkedReason
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.PaymentType
import org.holdfast.handheld.core.Provider
import org.holdfast.handheld.core.QrCode
import org.holdfast.handheld.core.SummaryLine
import org.holdfast.handheld.core.WhoActs

/** Values to draw screens with. */
object Samples {
    fun usd(minor: Long) = Money(minor, "USD", 2)

    val card = PaymentType("STRIPE", "Online Payment", Provider.STRIPE, Mode.TEST)

    val enrolment = Enrolment(
        "City of Greenfield", "pay.greenfield.example", "1f3a5c7e9b2d4f60", "Dana Okafor", "482913", approved = false,
    )

    val catalogue = listOf(
        CatalogueItem(1, "Overstayed meter", usd(4_500)),
        CatalogueItem(2, "No parking zone", usd(8_000)),
        CatalogueItem(3, "Loading bay misuse", usd(6_500)),
        CatalogueItem(4, "Expired permit", usd(5_500)),
        CatalogueItem(5, "Blocked driveway", usd(11_000)),
        CatalogueItem(6, "Disabled bay without badge", usd(25_000)),
        CatalogueItem(7, "Double parking", usd(7_500)),
        CatalogueItem(8, "Wheel clamp release, including towing to the pound", usd(150_000)),
        CatalogueItem(9, "Evening permit (one day)", usd(650)),
    )

    val lines = listOf(
        SummaryLine("Overstayed meter", 1, usd(4_500)),
        SummaryLine("Evening permit (one day)", 2, usd(1_300)),
        SummaryLine("Wheel clamp release, including towing to the pound", 1, usd(150_000)),
    )

    fun payment(state: PaymentState, decline: DeclineReason? = null) = Payment(
        id = PaymentId("0190f2c1-7c4e-7b1a-9a55-3c1d5e7f9a01"),
        state = state,
        lines = lines,
        total = usd(155_800),
        type = card,
        mode = Mode.TEST,
        heldAtMs = HELD_AT_MS,
        heldAtIsSure = true,
        lifetimeOver = false,
        payAddress = "HTTPS://PAY.GREENFIELD.EXAMPLE/O/ABC",
        payHost = "pay.greenfield.example",
        receiptOrderId = if (state == PaymentState.PAID) "R-7K3M-2QXD" else null,
        provisionalReceipt = null,
        heldUpBy = null,
        confirmCode = if (state == PaymentState.PAID) "4T9W-H2CJ" else null,
        decline = decline,
        attention = null,
        parked = null,
        verifiedOffline = false,
        request = null,
        foundAtStart = false,
        fromGateway = false,
        whoActs = null,
        actions = emptyList(),
    )

    fun parked(reason: ParkedReason, who: WhoActs, vararg actions: OfficerAction) =
        payment(PaymentState.NEEDS_ATTENTION).copy(parked = reason, whoActs = who, actions = actions.toList(), payAddress = null)

    /** One of each kind that a list of recent payments holds. */
    val recent: List<Payment> by lazy {
        listOf(
            payment(PaymentState.QUEUED).copy(total = usd(4_500)),
            payment(PaymentState.WAITING_FOR_CARD).copy(total = usd(8_000)),
            parked(ParkedReason.PRICES_DIFFER, WhoActs.OFFICER, OfficerAction.RETRY, OfficerAction.WITHDRAW),
            payment(PaymentState.PAID).copy(verifiedOffline = true),
            payment(PaymentState.NEEDS_ATTENTION).copy(attention = AttentionReason.AMOUNT_DIFFERS, whoActs = WhoActs.ADMINISTRATOR, mode = Mode.LIVE),
            payment(PaymentState.CANCELED).copy(heldAtIsSure = false),
            payment(PaymentState.PAID),
        ).mapIndexed { at, payment -> payment.copy(id = PaymentId("0190f2c1-7c4e-7b1a-9a55-3c1d5e7f9a%02d".format(at))) }
    }

    /** 23 November 2026, 14:32:08 UTC. */
    const val HELD_AT_MS = 1_795_444_328_000

    fun state(vararg payments: Payment, link: Link = Link.ONLINE, queued: Int = 0) = HandheldState(
        revision = 1,
        enrolment = enrolment.copy(approved = true),
        catalogue = catalogue,
        paymentTypes = listOf(card),
        payments = payments.toList(),
        link = link,
        queued = queued,
        queuedSinceMs = if (queued > 0) HELD_AT_MS else null,
        queuedRequests = 0,
        unreadable = emptyList(),
        keys = KeyState.GOOD,
        olderFile = false,
    )

    /** Of the size that a pay address has; its modules mean nothing. */
    val code: QrCode by lazy {
        val size = 73
        QrCode(size, ByteArray(size * size) { if ((it * 7919 / 13 + it / size * 31) % 2 == 0) 1 else 0 })
    }
}
