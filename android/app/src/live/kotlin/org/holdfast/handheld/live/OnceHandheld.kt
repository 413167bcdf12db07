package org.holdfast.handheld.live

import org.holdfast.handheld.Clockwork
import org.holdfast.handheld.Handheld
import org.holdfast.handheld.Officer
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.isOpen
import org.holdfast.handheld.hold.HoldGesture
import org.holdfast.handheld.savePng
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import java.io.File

/**
 * One payment without a person at the handheld: real touches on the real screens, from Enrol to
 * Result. Somebody else pays at the address that it prints.
 *
 *     java … -Dholdfast.enrol=LINK -Dholdfast.data=FOLDER -Dholdfast.shots=FOLDER \
 *       [-Dholdfast.item="Overstayed meter"] [-Dholdfast.deadline_s=180] org.holdfast.handheld.live.OnceHandheld
 *
 * Prints `pay address URL`, and once the payment is paid `receipt order ID …`, `confirm code …`
 * and `state paid`. Ends with 0 only then; otherwise with 1 and a sentence on standard error.
 */
object OnceHandheld {
    @JvmStatic
    fun main(arguments: Array<String>): Unit = runInsideRobolectric(OnceSession::class.java, arguments)
}

/** Not a test: Robolectric runs it as one. */
@RunWith(RobolectricTestRunner::class)
class OnceSession {
    private val shots = File(Settings.needed("shots"))
    private val deadlineMs = (Settings.optional("deadline_s") ?: "180").toLong() * 1_000
    private val begun = System.nanoTime()
    private var pictures = 0

    @Test
    fun run() {
        Settings.needed("data")
        RuntimeEnvironment.setQualifiers(Settings.optional("qualifiers") ?: "w411dp-h891dp-port-notnight-xhdpi")
        val handheld = Handheld()
        val officer = Officer(handheld)
        try {
            enrol(officer)
            val held = hold(officer, handheld)
            println("pay address ${held.payAddress}")
            System.out.flush()
            val paid = awaitPaid(officer, handheld)
            println("receipt order ID ${paid.receiptOrderId}")
            println("confirm code ${paid.confirmCode}")
            println("state paid")
        } catch (e: Throwable) {
            picture(handheld, "failure")
            throw e
        }
    }

    private fun enrol(officer: Officer) = with(officer) {
        awaits("Enrol this handheld", left())
        tapField()
        type(Settings.needed("enrol"))
        picture(this, "enrol")
        tap("Enrol")
    }

    private fun hold(officer: Officer, handheld: Handheld): Payment = with(officer) {
        val item = Settings.optional("item") ?: firstItem(this, handheld)
        tap("Add one $item")
        picture(this, "items")
        tap("Checkout")
        awaits("Payment summary", left())
        picture(this, "summary")
        tap("Select Payment Method")
        awaits("Card, on the payer's own phone", left())
        picture(this, "method")
        tap("Card, on the payer's own phone")
        awaits("Tap and hold", left())
        picture(this, "process")
        hold("Tap and hold", HoldGesture.HOLD_MS + FINGER_MS) { picture(this, "holding") }
        awaits("Present card", left())
        picture(this, "present-card")
        handheld.newest?.takeIf { it.payAddress != null } ?: throw Trouble("the payment is held but has no pay address")
    }

    private fun firstItem(officer: Officer, handheld: Handheld): String {
        officer.awaits("New payment", left())
        val there = Clockwork.until(left()) { handheld.state?.catalogue?.isNotEmpty() == true }
        if (!there) throw Trouble("the gateway has no catalogue; load one with `holdfast catalogue load`")
        return handheld.state!!.catalogue.first().name
    }

    private fun awaitPaid(officer: Officer, handheld: Handheld): Payment {
        val ended = Clockwork.until(left()) { handheld.newest?.state?.isOpen == false }
        val payment = handheld.newest!!
        if (!ended) throw Trouble("nobody paid within ${deadlineMs / 1_000} s; the handheld last said ${payment.state}")
        if (payment.state != PaymentState.PAID) throw Trouble("the payment ended as ${payment.state}, not as paid")
        officer.awaits("Receipt order ID")
        officer.awaits(payment.confirmCode ?: throw Trouble("the payment is paid but has no confirm code"))
        picture(officer, "result")
        return payment
    }

    private fun left(): Long = (deadlineMs - (System.nanoTime() - begun) / 1_000_000).coerceAtLeast(0)

    private fun picture(officer: Officer, name: String) = officer.glass.picture().savePng(file(name))

    private fun picture(handheld: Handheld, name: String) = handheld.glass.picture().savePng(file(name))

    private fun file(name: String) = File(shots, "handheld-%02d-%s.png".format(++pictures, name))

    private companion object {
        /** A finger is not exact; nor is a busy machine's frame clock. */
        const val FINGER_MS = 500L
    }
}
