package org.holdfast.handheld

import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.hold.HoldGesture

/** The steps that many tests begin with. */
fun Officer.enrol(gateway: Gateway) {
    awaits("Enrol this handheld")
    tapField()
    type(gateway.enrolmentLink())
    tap("Enrol")
    awaits("Overstayed meter")
}

fun Officer.opensSummary() {
    tap("Add one Overstayed meter")
    tap("Checkout")
    awaits("Payment summary")
}

fun Officer.choosesCard() {
    tap("Select Payment Method")
    tap("Online Payment")
    awaits("Tap and hold")
}

fun Officer.holds() {
    hold("Tap and hold", HoldGesture.HOLD_MS + 500)
    awaits("Present card")
}

/** Waits until the payment that was held last is in [state]. */
fun Handheld.awaits(state: PaymentState, deadlineMs: Long = 30_000) {
    check(Clockwork.until(deadlineMs) { newest?.state == state }) { "the payment is ${newest?.state}, not $state" }
}

/** From the code on the screen to the second step. */
fun Officer.asksTo(action: String) {
    scrollTo("Details")
    tap("Details")
    tap(action)
}
