package org.holdfast.handheld

import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.PaymentId

/** Where a screen can lead. */
interface Way {
    fun toItems()

    fun toSummary(payment: PaymentId)

    fun toMethod(payment: PaymentId)

    fun toProcess(payment: PaymentId)

    /** To the screen on which this payment stands now: its summary, its code, or its result. */
    fun toPayment(payment: PaymentId)

    fun toRecent()

    /** To all that is known of a payment, and what can be done about it. */
    fun toDetails(payment: PaymentId)

    /** Back to where the officer came to the details from. */
    fun outOfDetails(payment: PaymentId)

    /** Away from a payment's code or result: to the recent payments if the officer came from there. */
    fun outOfPayment()

    /** To the second step before a payment is changed. */
    fun toConfirm(payment: PaymentId, action: OfficerAction)

    fun toCheckCode(payment: PaymentId)

    fun toDevice()

    fun toEnrol(again: Boolean)

    /** The payment is held: its cart is done with. */
    fun held(payment: PaymentId)
}
