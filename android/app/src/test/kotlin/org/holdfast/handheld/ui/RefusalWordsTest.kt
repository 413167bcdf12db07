package org.holdfast.handheld.ui

import org.holdfast.handheld.core.Cap
import org.holdfast.handheld.core.CodeRefusal
import org.holdfast.handheld.core.ExportRefusal
import org.holdfast.handheld.core.HoldRefusal
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.ReceiptRefusal
import org.holdfast.handheld.core.RecordFault
import org.holdfast.handheld.core.RefreshRefusal
import org.holdfast.handheld.core.RequestRefusal
import org.holdfast.handheld.core.RetryRefusal
import org.holdfast.handheld.core.Unreadable
import org.holdfast.handheld.screen.Samples
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** Each refusal after the hold says what happened, what it means for the money, and what to do next. */
@RunWith(RobolectricTestRunner::class)
class RefusalWordsTest {
    private val resources = RuntimeEnvironment.getApplication().resources

    private val refresh: List<RefreshRefusal> = listOf(
        RefreshRefusal.NotEnrolled, RefreshRefusal.Offline, RefreshRefusal.CertificateUntrusted, RefreshRefusal.DeviceKeyUnavailable,
        RefreshRefusal.DeviceRevoked, RefreshRefusal.ByGateway("The gateway rests."), RefreshRefusal.Storage, RefreshRefusal.Closed,
    )
    private val request: List<RequestRefusal> = listOf(
        RequestRefusal.NotFound, RequestRefusal.NotHeld, RequestRefusal.Over(PaymentState.PAID), RequestRefusal.ReasonMissing,
        RequestRefusal.ReasonTooLong(140), RequestRefusal.NotEnrolled, RequestRefusal.DeviceKeyUnavailable, RequestRefusal.StorageFull,
        RequestRefusal.Storage, RequestRefusal.Closed,
    )
    private val retry: List<RetryRefusal> = listOf(
        RetryRefusal.NotFound, RetryRefusal.NotParked(PaymentState.SENT), RetryRefusal.StorageFull, RetryRefusal.Storage, RetryRefusal.Closed,
    )
    private val code: List<CodeRefusal> = listOf(
        CodeRefusal.NotFound, CodeRefusal.NotHeld, CodeRefusal.Unreadable, CodeRefusal.Wrong(3), CodeRefusal.Locked(42),
        CodeRefusal.StorageFull, CodeRefusal.Storage, CodeRefusal.Closed,
    )

    private val said = refresh.filterNot { it is RefreshRefusal.ByGateway }.map { it.words() } +
        request.map { it.words() } + RequestRefusal.Over(PaymentState.CANCELED).words() +
        retry.map { it.words() } + RetryRefusal.NotParked(PaymentState.PAID).words() +
        code.map { it.words() } + CodeRefusal.Wrong(0).words() + CodeRefusal.Wrong(1).words() +
        ReceiptRefusal.entries.map { it.words() } + ExportRefusal.entries.map { it.words() }

    @Test
    fun `none is left out`() {
        assertEquals(variantsOf(RefreshRefusal::class.java), refresh.map { it.javaClass.simpleName }.toSet())
        assertEquals(variantsOf(RequestRefusal::class.java), request.map { it.javaClass.simpleName }.toSet())
        assertEquals(variantsOf(RetryRefusal::class.java), retry.map { it.javaClass.simpleName }.toSet())
        assertEquals(variantsOf(CodeRefusal::class.java), code.map { it.javaClass.simpleName }.toSet())
    }

    @Test
    fun `each has at least three short sentences' worth, and the money is in it`() {
        for (words in said) {
            val text = words.inFull(resources)
            assertTrue(text, text.endsWith(".") && text.count { it == '.' } >= 2)
            assertTrue("nothing of the money: $text", MONEY.any { it in text })
            assertTrue("nothing to do: $text", TO_DO.any { it in text })
        }
    }

    @Test
    fun `none shows a code`() {
        for (words in said) {
            val text = words.inFull(resources)
            assertFalse(text, Regex("[A-Z]{3,}|_|[a-z][A-Z]|%|\\b(HTTP|null)\\b").containsMatchIn(text))
        }
    }

    @Test
    fun `the gateway's own sentence is shown as it came`() =
        assertEquals("The gateway rests.", RefreshRefusal.ByGateway("The gateway rests.").words().inFull(resources))

    @Test
    fun `a cap is named with its number, and with the way on`() {
        val caps = listOf(Cap.Orders(20), Cap.Age(3_600), Cap.Sum(Samples.usd(500_000)))
        assertEquals(variantsOf(Cap::class.java), caps.map { it.javaClass.simpleName }.toSet())
        val said = caps.map { HoldRefusal.OverCap(it).words().inFull(resources) }
        assertTrue(said[0], "20 payments" in said[0])
        assertTrue(said[2], "USD\u00A05,000.00" in said[2])
        for (text in said) assertTrue(text, "Connect the handheld" in text)
    }

    @Test
    fun `each fault of a record has words, and what was held there is not taken again blindly`() {
        for (fault in RecordFault.entries) {
            val (ofPayment, ofOther) = listOf("payment", "config").map {
                listOf(Unreadable(it, "1", fault, reported = true)).words().single().inFull(resources)
            }
            assertTrue(ofOther, ofOther.endsWith("."))
            val isSetAside = fault != RecordFault.UNVOUCHED && fault != RecordFault.KEY_LOST
            assertEquals(ofPayment, isSetAside, "ask the administrator before taking it again" in ofPayment)
            assertEquals(ofPayment, isSetAside, "The office knows." in ofPayment)
        }
    }

    @Test
    fun `a lost key says that nothing is lost and that enrolling again is the way on`() {
        for (keys in KeyState.entries.filter { it != KeyState.GOOD }) {
            val text = keys.words().inFull(resources)
            assertTrue(text, "Enrol this handheld again" in text)
            assertTrue(text, "kept" in text || "No payment is lost" in text)
        }
    }

    private fun variantsOf(refusal: Class<*>) = refusal.declaredClasses.filter { refusal.isAssignableFrom(it) }.map { it.simpleName }.toSet()

    private companion object {
        val MONEY = listOf(
            "oney", "paid", "charged", "saved here", "still pay", "No payment", "Nothing is lost", "Payments that were sent", "has every payment",
            "nothing was sent", "for the payer",
        )
        val TO_DO = listOf(
            "Enrol", "Go ", "wait", "Wait", "Try", "try", "Call", "call", "Restart", "Open it", "Look", "Type", "Make", "ask", "Ask", "Compare",
        )
    }
}
