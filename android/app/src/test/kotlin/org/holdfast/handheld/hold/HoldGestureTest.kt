package org.holdfast.handheld.hold

import org.holdfast.handheld.hold.HoldEffect.Asked
import org.holdfast.handheld.hold.HoldEffect.Ended
import org.holdfast.handheld.hold.HoldEffect.Fired
import org.holdfast.handheld.hold.HoldEffect.Started
import org.holdfast.handheld.hold.HoldGesture.CONFIRM_AFTER_MS
import org.holdfast.handheld.hold.HoldGesture.CONFIRM_WITHIN_MS
import org.holdfast.handheld.hold.HoldGesture.DRAIN_MS
import org.holdfast.handheld.hold.HoldGesture.HINT_MS
import org.holdfast.handheld.hold.HoldGesture.HOLD_MS
import org.holdfast.handheld.hold.HoldInput.Activate
import org.holdfast.handheld.hold.HoldInput.Interrupted
import org.holdfast.handheld.hold.HoldInput.Lift
import org.holdfast.handheld.hold.HoldInput.Press
import org.holdfast.handheld.hold.HoldInput.Rearm
import org.holdfast.handheld.hold.HoldInput.SecondPointer
import org.holdfast.handheld.hold.HoldInput.SlideOff
import org.holdfast.handheld.hold.HoldInput.Tick
import org.holdfast.handheld.hold.HoldPhase.Asking
import org.holdfast.handheld.hold.HoldPhase.Done
import org.holdfast.handheld.hold.HoldPhase.Filling
import org.holdfast.handheld.hold.HoldPhase.LetGo
import org.holdfast.handheld.hold.HoldPhase.Resting
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class HoldGestureTest {
    /** Every phase with every input, 400 ms after the phase began at 1000. */
    @Test
    fun `every phase answers every input`() {
        val now = 1_400L
        val filling = Filling(1_000)
        val letGo = LetGo(1_000, 300, hint = true)
        val asking = Asking(1_000)
        val ended = HoldStep(LetGo(now, 400, hint = true), Ended)
        val rested = HoldStep(Resting)
        val pressed = HoldStep(Filling(now), Started)
        val expected: Map<HoldPhase, Map<HoldInput, HoldStep>> = mapOf(
            Resting to mapOf(
                Press to pressed, Lift to rested, SlideOff to rested, SecondPointer to rested,
                Interrupted to rested, Activate to HoldStep(Asking(now), Asked), Tick to rested, Rearm to rested,
            ),
            filling to mapOf(
                Press to ended, Lift to ended, SlideOff to ended, SecondPointer to ended,
                Interrupted to HoldStep(LetGo(now, 400, hint = false), Ended), Activate to ended,
                Tick to HoldStep(filling), Rearm to HoldStep(filling),
            ),
            letGo to mapOf(
                Press to pressed, Lift to HoldStep(letGo), SlideOff to HoldStep(letGo), SecondPointer to HoldStep(letGo),
                Interrupted to rested, Activate to HoldStep(Asking(now), Asked), Tick to HoldStep(letGo), Rearm to rested,
            ),
            asking to mapOf(
                Press to pressed, Lift to HoldStep(asking), SlideOff to HoldStep(asking), SecondPointer to HoldStep(asking),
                Interrupted to rested, Activate to HoldStep(asking), Tick to HoldStep(asking), Rearm to rested,
            ),
            Done to HoldInput.entries.associateWith { if (it == Rearm) rested else HoldStep(Done) },
        )
        for ((phase, answers) in expected) {
            for (input in HoldInput.entries) {
                assertEquals("$phase, then $input", answers.getValue(input), HoldGesture.step(phase, input, now))
            }
        }
    }

    @Test
    fun `it fires at one and a half seconds and not before`() {
        assertNull(after(HOLD_MS - 1, Tick).effect)
        assertEquals(HoldStep(Done, Fired), after(HOLD_MS, Tick))
    }

    @Test
    fun `a late tick still fires`() = assertEquals(Fired, after(HOLD_MS + 5_000, Tick).effect)

    @Test
    fun `only time fires a hold, however late the finger lifts`() {
        for (input in HoldInput.entries - Tick) assertTrue("$input", after(HOLD_MS * 2, input).effect != Fired)
    }

    @Test
    fun `it cannot fire twice`() {
        var phase: HoldPhase = Done
        for (input in HoldInput.entries - Rearm) {
            val step = HoldGesture.step(phase, input, HOLD_MS * 9)
            assertNull("$input", step.effect)
            phase = step.phase
        }
        assertEquals(Done, phase)
    }

    @Test
    fun `after a rearm it needs a whole new hold`() {
        val rearmed = HoldGesture.step(Done, Rearm, 5_000).phase
        assertNull(HoldGesture.step(rearmed, Tick, 9_000).effect)
        assertEquals(HoldStep(Filling(9_000), Started), HoldGesture.step(rearmed, Press, 9_000))
    }

    @Test
    fun `the bar fills steadily`() {
        val filling = Filling(0)
        assertEquals(listOf(0f, 0.25f, 0.5f, 0.75f, 1f, 1f), listOf(0L, 375, 750, 1_125, 1_500, 1_600).map(filling::progress))
    }

    @Test
    fun `a clock that went back shows an empty bar and no hold`() {
        assertEquals(0f, Filling(5_000).progress(1_000))
        assertNull(HoldGesture.step(Filling(5_000), Tick, 1_000).effect)
    }

    @Test
    fun `let go, the bar drains in a fifth of a second from where it was`() {
        val letGo = LetGo(0, HOLD_MS / 2, hint = true)
        assertEquals(listOf(0.5f, 0.25f, 0f, 0f), listOf(0L, DRAIN_MS / 2, DRAIN_MS, HINT_MS).map(letGo::progress))
    }

    @Test
    fun `the hint stays two seconds and then goes`() {
        val letGo = LetGo(0, 500, hint = true)
        assertEquals(letGo, HoldGesture.step(letGo, Tick, HINT_MS - 1).phase)
        assertEquals(Resting, HoldGesture.step(letGo, Tick, HINT_MS).phase)
    }

    @Test
    fun `an interruption leaves no hint`() {
        val letGo = HoldGesture.step(Filling(0), Interrupted, 500).phase
        assertEquals(LetGo(500, 500, hint = false), letGo)
        assertEquals(Resting, HoldGesture.step(letGo, Tick, 500 + DRAIN_MS).phase)
    }

    @Test
    fun `two activations in a row process, one does not`() {
        val asked = HoldGesture.step(Resting, Activate, 0)
        assertEquals(HoldStep(Asking(0), Asked), asked)
        assertEquals(HoldStep(Done, Fired), HoldGesture.step(asked.phase, Activate, CONFIRM_AFTER_MS))
    }

    @Test
    fun `a stuttering activation is one activation`() =
        assertEquals(HoldStep(Asking(0)), HoldGesture.step(Asking(0), Activate, CONFIRM_AFTER_MS - 1))

    @Test
    fun `a question that nobody answers is withdrawn`() =
        assertEquals(HoldStep(Resting), HoldGesture.step(Asking(0), Tick, CONFIRM_WITHIN_MS))

    @Test
    fun `nothing moves at rest or when done`() {
        assertEquals(listOf(false, false), listOf(Resting, Done).map { it.moves })
        assertTrue(listOf(Filling(0), LetGo(0, 1, true), Asking(0)).all { it.moves })
    }

    private fun after(ms: Long, input: HoldInput) = HoldGesture.step(Filling(0), input, ms)
}
