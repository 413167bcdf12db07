package org.holdfast.handheld.screen

import android.view.View
import android.widget.ListView
import android.widget.TextView
import org.holdfast.handheld.Clockwork
import org.holdfast.handheld.Glass
import org.holdfast.handheld.R
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.everything
import org.holdfast.handheld.middle
import org.holdfast.handheld.ui.words
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** A live list moves nothing from under a finger. */
@RunWith(RobolectricTestRunner::class)
class RecentScreenTest {
    private val stage = Stage()
    private val glass = Glass()
    private val events = mutableListOf<RecentEvent>()
    private val screen = RecentScreen(stage.activity, events::add)
    private val state = RecentUiState(Outbox(link = Link.ONLINE), rows = AfterTheHold.rows)
    private val newer = AfterTheHold.rows[0].copy(id = PaymentId("0190f2c1-7c4e-7b1a-9a55-3c1d5e7f9aff"), total = Samples.usd(99))

    @Test
    fun `what comes in while a finger is down is shown when it is up, and the finger gets what it was on`() {
        stage.show(screen, state)
        val row = row("USD\u00A080.00")
        val place = row.middle()
        glass.down(place)
        screen.render(state.copy(outbox = Outbox(5, link = Link.OFFLINE), rows = listOf(newer) + state.rows))
        Clockwork.passFrames(4)
        assertEquals(place, row("USD\u00A080.00").middle())
        assertFalse(sees("USD\u00A00.99"))
        glass.up()
        Clockwork.pass(200)
        assertEquals(listOf(RecentEvent.Open(state.rows[1].id)), events)
        assertTrue(sees("USD\u00A00.99") && sees("5 payments not yet sent"))
    }

    @Test
    fun `a payment that moves on a moment before the finger comes down is still the one that opens`() {
        stage.show(screen, state)
        val place = row("USD\u00A080.00").middle()
        screen.render(state.copy(rows = state.rows.map { if (it.id == state.rows[1].id) it.copy(state = state.rows[6].state) else it }))
        glass.down(place)
        Clockwork.passFrames(4)
        glass.up()
        Clockwork.pass(200)
        assertEquals(listOf(RecentEvent.Open(state.rows[1].id)), events)
    }

    @Test
    fun `a payment that comes in above leaves the ones in sight where they are`() {
        stage.show(screen, state)
        list().setSelectionFromTop(4, 0)
        Clockwork.passFrames(4)
        val before = row("Paid, verified offline").middle()
        screen.render(state.copy(rows = listOf(newer) + state.rows))
        Clockwork.passFrames(4)
        assertEquals(before, row("Paid, verified offline").middle())
    }

    @Test
    fun `who comes back finds the list where it was left`() {
        stage.show(screen, state)
        list().setSelectionFromTop(4, -20)
        Clockwork.passFrames(4)
        screen.pause()
        val left = events.filterIsInstance<RecentEvent.Left>().single().place
        val again = RecentScreen(stage.activity) {}
        stage.show(again, state.copy(place = left))
        val list = again.view.everything().filterIsInstance<ListView>().single()
        assertEquals(left, ListPlace(list.firstVisiblePosition, list.getChildAt(0)!!.top))
    }

    @Test
    fun `a row says where something is wrong, why and who acts, and a test payment says that it is one`() {
        stage.show(screen, state)
        val parked = texts(row("You act"))
        assertTrue("$parked", "Needs attention" in parked && "TEST" in parked)
        assertTrue("$parked", parked.any { it.startsWith("The prices are different now.") })
        val fine = texts(row("Waiting for the card"))
        assertFalse("$fine", fine.any { "acts" in it || it.startsWith("You") })
        val unsure = Samples.payment(PaymentState.PAID).copy(heldAtIsSure = false)
        stage.show(screen, state.copy(rows = listOf(RecentRow(unsure.id, unsure.total, unsure.heldAtMs, false, unsure.words(Link.ONLINE), isTest = false))))
        val live = texts(row("Paid"))
        assertTrue("$live", live.any { it.endsWith("by this handheld's clock") } && "TEST" !in live)
    }

    private fun list() = screen.view.everything().filterIsInstance<ListView>().single()

    private fun sees(text: String) = shown().any { it.text.toString() == text }

    private fun shown() = screen.view.everything().filter { it.isShown }.filterIsInstance<TextView>()

    private fun texts(row: View) = row.everything().filter { it.isShown }.filterIsInstance<TextView>().map { it.text.toString() }.toList()

    private fun row(text: String): View {
        var view: View = shown().first { it.text.toString() == text }
        while (view.id != R.id.card) view = view.parent as View
        return view
    }
}
