package org.holdfast.handheld

import com.google.zxing.BinaryBitmap
import com.google.zxing.RGBLuminanceSource
import com.google.zxing.common.HybridBinarizer
import com.google.zxing.qrcode.QRCodeReader
import org.holdfast.handheld.core.PaymentState
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** The officer's way, on the real core against the real gateway. */
@RunWith(RobolectricTestRunner::class)
class PaymentTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val gateway by lazy { Gateway(folder.root) }
    private val handheld = Handheld()
    private val officer = Officer(handheld)

    @After
    fun stop() = gateway.close()

    @Test
    fun `from the enrolment link to the code that the payer scans`() {
        officer.awaits("Enrol this handheld")
        officer.tapField()
        officer.type(gateway.enrolmentLink())
        Shots.take("flow-1-enrol")
        officer.tap("Enrol")
        officer.awaits("Overstayed meter")
        officer.awaits("TEST MODE")
        officer.tap("Add one Overstayed meter")
        officer.tap("Add one Evening permit (one day)")
        officer.tap("Add one Evening permit (one day)")
        officer.tap("Remove one Evening permit (one day)")
        officer.awaits("USD 51.50")
        Shots.take("flow-2-items")
        officer.tap("Checkout")
        officer.awaits("1 × Evening permit (one day)")
        Shots.take("flow-3-summary")
        officer.tap("Select Payment Method")
        officer.awaits("Online Payment")
        Shots.take("flow-4-method")
        officer.tap("Online Payment")
        officer.awaits("Process Payment USD 51.50")
        Shots.take("flow-5-process")
        officer.hold("Tap and hold", 2_000) { Shots.take("flow-6-holding") }
        officer.awaits("Present card")
        handheld.awaits(PaymentState.SENT)
        officer.awaits("Sent")
        Shots.take("flow-7-present-card")
        assertEquals(handheld.newest!!.payAddress, scan())
        officer.awaits("Scan to pay at 127.0.0.1")
        assertNull("never before it is paid", handheld.newest!!.confirmCode)
    }

    @Test
    fun `an administrator who compares the six digits approves`() {
        officer.awaits("Enrol this handheld")
        officer.tapField()
        officer.type(gateway.enrolmentLink(approved = false))
        officer.tap("Enrol")
        officer.awaits("Waiting for approval")
        val enrolment = handheld.state!!.enrolment!!
        val six = enrolment.sixDigits.filter(Char::isDigit)
        officer.awaits("${six.take(3)} ${six.drop(3)}")
        officer.awaits("City of Greenfield")
        Shots.take("flow-waiting-for-approval")
        gateway.approve(enrolment.deviceId)
        officer.awaits("Overstayed meter")
    }

    @Test
    fun `a link that was used is refused in words`() {
        val link = gateway.enrolmentLink()
        officer.awaits("Enrol this handheld")
        officer.tapField()
        officer.type(link.dropLast(1) + if (link.last() == 'A') 'B' else 'A')
        officer.tap("Enrol")
        officer.awaits("This code is wrong, used or too old.")
    }

    @Test
    fun `what is no link is refused in words`() {
        officer.awaits("Enrol this handheld")
        officer.tapField()
        officer.type("greenfield")
        officer.tap("Enrol")
        officer.awaits("This is not an enrolment link.")
        officer.awaits("Copy the whole link")
    }

    @Test
    fun `a tap holds nothing, and nothing is saved`() {
        officer.enrol(gateway)
        officer.opensSummary()
        officer.choosesCard()
        officer.tap("Tap and hold")
        Clockwork.live(300)
        officer.awaits("Keep holding")
        assertNull(handheld.newest)
    }

    @Test
    fun `with the gateway gone the hold is saved, and sent when it is back`() {
        officer.enrol(gateway)
        gateway.stop()
        officer.awaits("Offline")
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
        officer.awaits("Saved, not yet sent")
        officer.awaits("Offline · 1 saved, not yet sent")
        officer.awaits("No network. Saved on this handheld; it will be sent by itself.")
        Shots.take("flow-offline-present-card")
        assertEquals(handheld.newest!!.payAddress, scan())
        gateway.start()
        handheld.application.holdfast.refreshSoon()
        handheld.awaits(PaymentState.SENT, deadlineMs = 60_000)
        officer.awaits("Sent")
        assertTrue(Clockwork.until(5_000) { !officer.sees("Offline") })
    }

    @Test
    fun `one summary is one payment, and a changed cart is another`() {
        officer.enrol(gateway)
        officer.opensSummary()
        val first = handheld.state!!.payments.first().id
        officer.back()
        officer.awaits("USD 45.00")
        officer.tap("Add one Overstayed meter")
        officer.tap("Checkout")
        officer.awaits("2 × Overstayed meter")
        val second = handheld.state!!.payments.first().id
        assertNotEquals(first, second)
        assertTrue("the first draft is gone", Clockwork.until(5_000) { handheld.state!!.payments.none { it.id == first } })
    }

    @Test
    fun `after a hold the cart is empty and the payment can be reached again`() {
        officer.enrol(gateway)
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
        officer.tap("New payment")
        officer.awaits("USD 0.00")
        officer.awaits("Earlier payments")
        Shots.take("flow-items-not-finished")
        officer.tap("USD 45.00, Sent. Open this payment")
        officer.awaits("Present card")
    }

    @Test
    fun `a rotation changes nothing`() {
        officer.enrol(gateway)
        officer.opensSummary()
        officer.choosesCard()
        handheld.rotate()
        officer.awaits("Tap and hold")
        officer.holds()
        handheld.rotate()
        officer.awaits("Present card")
        assertEquals(1, handheld.state!!.payments.size)
    }

    @Test
    fun `of a process that the system ended, the payment's ID is enough`() {
        officer.enrol(gateway)
        officer.opensSummary()
        officer.choosesCard()
        val saved = handheld.savedState()
        handheld.leave()
        val again = Handheld(saved)
        Officer(again).awaits("Payment summary")
        Officer(again).awaits("1 × Overstayed meter")
        assertFalse("no link, no address, no code", saved.toString().contains("http"))
    }

    @Test
    fun `opened again after a hold, the app shows that payment`() {
        officer.enrol(gateway)
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
        handheld.leave()
        Officer(Handheld()).awaits("Present card")
    }

    /** What a phone's camera would read off the glass. */
    private fun scan(): String {
        val picture = handheld.glass.picture()
        val pixels = IntArray(picture.width * picture.height)
        picture.getPixels(pixels, 0, picture.width, 0, 0, picture.width, picture.height)
        val source = RGBLuminanceSource(picture.width, picture.height, pixels)
        return QRCodeReader().decode(BinaryBitmap(HybridBinarizer(source))).text
    }
}
