package org.holdfast.handheld

import android.content.Intent
import android.net.Uri
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.PaymentState
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import java.io.File

/** A key of the handheld is gone: no order is, and there is a way on. */
@RunWith(RobolectricTestRunner::class)
class LostKeyTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val gateway by lazy { Gateway(folder.root) }
    private var handheld = Handheld()
    private var officer = Officer(handheld)

    @After
    fun stop() = gateway.close()

    @Test
    fun `without its signing key it holds nothing new, shares copies of what waits, and goes on when enrolled again`() {
        holdsOneOffline()
        loses("holdfast.device")
        officer.tap("New payment")
        officer.opensSummary()
        officer.choosesCard()
        officer.hold("Tap and hold", 2_000)
        officer.awaits("The signing key of this handheld is gone.")
        officer.awaits("Nothing was held.")
        repeat(3) { officer.back() }
        officer.awaits("what waits is kept, and payers can still pay it")
        Shots.take("flow-lost-key")
        officer.tap("This handheld")
        officer.awaits("Enrol again")
        assertEquals(KeyState.DEVICE_KEY_LOST, handheld.state!!.keys)
        assertEquals(1, copiesShared())
        gateway.start()
        officer.tap("Enrol again")
        officer.awaits("What waits on this handheld is kept and sent afterwards.")
        officer.tapField()
        officer.type(gateway.enrolmentLink())
        officer.tap("Enrol")
        officer.awaits("Overstayed meter", deadlineMs = 30_000)
        assertEquals(KeyState.GOOD, handheld.state!!.keys)
        officer.tap("Checkout")
        officer.choosesCard()
        officer.holds()
        val all = { handheld.state!!.payments.filter { it.heldAtMs != null }.map { it.state } }
        assertTrue("${all()}", Clockwork.until(60_000) { all() == listOf(PaymentState.SENT, PaymentState.SENT) })
    }

    @Test
    fun `without its storage key it says what is lost and what is not, and shares the copies`() {
        holdsOneOffline()
        handheld.leave()
        handheld.application.onTerminate()
        loses("holdfast.vault")
        handheld.application.onCreate()
        handheld = Handheld()
        officer = Officer(handheld)
        officer.awaits("Enrol this handheld")
        officer.awaits("No payment is lost")
        Shots.take("flow-lost-storage-key")
        officer.tap("This handheld")
        officer.awaits("The storage key of this handheld is gone")
        assertEquals(1, copiesShared())
    }

    private fun holdsOneOffline() {
        officer.enrol(gateway)
        gateway.stop()
        officer.awaits("Offline")
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
    }

    private fun loses(alias: String) {
        val files = File(handheld.application.noBackupFilesDir, "keystore").listFiles()!!.filter { it.name.startsWith(alias) }
        assertTrue("$alias is there", files.isNotEmpty() && files.all { it.delete() })
    }

    /** How many orders are in the file that another app would get. */
    private fun copiesShared(): Int {
        officer.scrollTo("Share sealed copies")
        officer.tap("Share sealed copies")
        var chooser: Intent? = null
        assertTrue("something is shared", Clockwork.until(10_000) { chooser = chooser ?: shadowOf(handheld.application).nextStartedActivity; chooser != null })
        @Suppress("DEPRECATION") // The typed one came with API 33.
        val sent = chooser!!.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals(Intent.ACTION_SEND, sent.action)
        assertTrue(sent.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION != 0)
        @Suppress("DEPRECATION")
        val address = sent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)!!
        val file = handheld.application.contentResolver.openInputStream(address)!!.bufferedReader().use { it.readText() }
        return Regex("\"copies\":\\[(.*?)]").find(file)!!.groupValues[1].split(',').size
    }
}
