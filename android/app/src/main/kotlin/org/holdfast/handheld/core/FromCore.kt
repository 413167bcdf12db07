package org.holdfast.handheld.core

import org.holdfast.bindings.CatalogueItemView
import org.holdfast.bindings.CopiesExport
import org.holdfast.bindings.EnrolmentView
import org.holdfast.bindings.MoneyView
import org.holdfast.bindings.PaymentTypeView
import org.holdfast.bindings.PaymentView
import org.holdfast.bindings.QrMatrix
import org.holdfast.bindings.RequestView
import org.holdfast.bindings.Snapshot
import org.holdfast.bindings.SummaryLineView
import org.holdfast.bindings.Cap as CapView

/* From the bindings' records, which can be changed, to values which cannot. */

internal fun Snapshot.toState() = HandheldState(
    revision = revision.toLong(),
    enrolment = enrolment?.toEnrolment(),
    catalogue = catalogue.map { it.toItem() },
    paymentTypes = paymentTypes.map { it.toType() },
    payments = payments.map { it.toPayment() },
    link = link,
    queued = queued.toInt(),
    queuedSinceMs = queuedSinceMs,
    queuedRequests = queuedRequests.toInt(),
    unreadable = quarantine.map { Unreadable(it.table, it.recordId, it.fault, it.reported) },
    keys = keys,
    olderFile = olderFile,
)

internal fun PaymentView.toPayment() = Payment(
    id = PaymentId(paymentId),
    state = state,
    lines = lines.map { it.toLine() },
    total = total.toMoney(),
    type = paymentType?.toType(),
    mode = mode,
    heldAtMs = heldAtMs,
    heldAtIsSure = heldAtIsSure,
    lifetimeOver = lifetimeOver,
    payAddress = payAddress,
    payHost = payHost,
    receiptOrderId = receiptOrderId,
    provisionalReceipt = provisionalReceipt,
    heldUpBy = heldUpBy,
    confirmCode = confirmCode,
    decline = decline,
    attention = attention,
    parked = parked,
    verifiedOffline = verifiedOffline,
    request = request?.toRequest(),
    foundAtStart = foundAtStart,
    fromGateway = fromGateway,
    whoActs = whoActs,
    actions = actions.toList(),
)

internal fun EnrolmentView.toEnrolment() = Enrolment(
    organisation = organisation,
    gatewayHost = gatewayHost,
    deviceId = deviceId,
    officer = officer,
    sixDigits = sixDigits,
    approved = approved,
)

internal fun QrMatrix.toCode() = QrCode(size.toInt(), modules)

internal fun CapView.toCap(): Cap = when (this) {
    is CapView.Orders -> Cap.Orders(max.toInt())
    is CapView.Age -> Cap.Age(maxS.toLong())
    is CapView.Sum -> Cap.Sum(max.toMoney())
}

internal fun CopiesExport.toCopies() = SealedCopies(fileName, contents, orders.toInt())

private fun RequestView.toRequest() = Request(kind, reason, answered, refused)

private fun CatalogueItemView.toItem() = CatalogueItem(id.toInt(), name, price.toMoney())

private fun PaymentTypeView.toType() = PaymentType(code, name, provider, mode)

private fun SummaryLineView.toLine() = SummaryLine(name, quantity.toInt(), amount.toMoney())

private fun MoneyView.toMoney() = Money(minor, currency, exponent.toInt())
