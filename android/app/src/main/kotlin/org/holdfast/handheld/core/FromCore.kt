package org.holdfast.handheld.core

import org.holdfast.bindings.CatalogueItemView
import org.holdfast.bindings.EnrolmentView
import org.holdfast.bindings.MoneyView
import org.holdfast.bindings.PaymentTypeView
import org.holdfast.bindings.PaymentView
import org.holdfast.bindings.QrMatrix
import org.holdfast.bindings.Snapshot
import org.holdfast.bindings.SummaryLineView

/* From the bindings' records, which can be changed, to values which cannot. */

internal fun Snapshot.toState() = HandheldState(
    revision = revision.toLong(),
    enrolment = enrolment?.toEnrolment(),
    catalogue = catalogue.map { it.toItem() },
    paymentTypes = paymentTypes.map { it.toType() },
    payments = payments.map { it.toPayment() },
    link = link,
    queued = queued.toInt(),
    unreadable = quarantine.size,
)

internal fun PaymentView.toPayment() = Payment(
    id = PaymentId(paymentId),
    state = state,
    lines = lines.map { it.toLine() },
    total = total.toMoney(),
    type = paymentType?.toType(),
    mode = mode,
    heldAtMs = heldAtMs,
    payAddress = payAddress,
    payHost = payHost,
    receiptOrderId = receiptOrderId,
    confirmCode = confirmCode,
    decline = decline,
    attention = attention,
    parked = parked,
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

private fun CatalogueItemView.toItem() = CatalogueItem(id.toInt(), name, price.toMoney())

private fun PaymentTypeView.toType() = PaymentType(code, name, provider, mode)

private fun SummaryLineView.toLine() = SummaryLine(name, quantity.toInt(), amount.toMoney())

private fun MoneyView.toMoney() = Money(minor, currency, exponent.toInt())
