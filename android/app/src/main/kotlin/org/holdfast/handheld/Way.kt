package org.holdfast.handheld

import org.holdfast.handheld.core.PaymentId

/** Where a screen can lead. */
interface Way {
    fun toItems()

    fun toSummary(payment: PaymentId)

    fun toMethod(payment: PaymentId)

    fun toProcess(payment: PaymentId)

    /** To the screen on which this payment stands now: its summary, its code, or its result. */
    fun toPayment(payment: PaymentId)

    /** The payment is held: its cart is done with. */
    fun held(payment: PaymentId)
}
