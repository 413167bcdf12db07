package org.holdfast.handheld.hold

/**
 * The hold, without a screen: which inputs lead from which phase to which, and what each step asks
 * the button to do. Times are milliseconds of one monotonic clock that the caller passes in.
 *
 * A press starts [HoldPhase.Filling]. Only time ends that well: the first [HoldInput.Tick] at or
 * after [HOLD_MS] fires, once, and the phase stays [HoldPhase.Done] until the owner of the payment
 * says [HoldInput.Rearm]. Everything else ends it badly: the bar drains, and where it was the finger
 * that ended it, a hint stays for a while.
 *
 * Somebody who cannot hold (TalkBack, Switch Access) activates instead: the first
 * [HoldInput.Activate] only asks, a second one after [CONFIRM_AFTER_MS] fires. One activation, or a
 * stuttering double one, never does.
 */
object HoldGesture {
    /** Long enough that no bump does it, short enough to do it often. */
    const val HOLD_MS = 1_500L

    /** The bar runs back so fast that nobody takes it for progress. */
    const val DRAIN_MS = 200L

    /** Long enough to read two words after looking up from the finger. */
    const val HINT_MS = 2_000L

    /** A second activation that follows faster than this is a stutter of the first. */
    const val CONFIRM_AFTER_MS = 700L

    /** A question that nobody answers is withdrawn. */
    const val CONFIRM_WITHIN_MS = 10_000L

    /** The phase after [input] at [now], and what to do about it. Total: every pair has an answer. */
    fun step(phase: HoldPhase, input: HoldInput, now: Long): HoldStep = when (phase) {
        is HoldPhase.Resting, is HoldPhase.LetGo -> atRest(phase, input, now)
        is HoldPhase.Filling -> filling(phase, input, now)
        is HoldPhase.Asking -> asking(phase, input, now)
        is HoldPhase.Done -> if (input == HoldInput.Rearm) HoldStep(HoldPhase.Resting) else HoldStep(phase)
    }

    private fun atRest(phase: HoldPhase, input: HoldInput, now: Long): HoldStep = when (input) {
        HoldInput.Press -> HoldStep(HoldPhase.Filling(now), HoldEffect.Started)
        HoldInput.Activate -> HoldStep(HoldPhase.Asking(now), HoldEffect.Asked)
        HoldInput.Tick -> HoldStep(if (phase is HoldPhase.LetGo && phase.isOver(now)) HoldPhase.Resting else phase)
        HoldInput.Interrupted, HoldInput.Rearm -> HoldStep(HoldPhase.Resting)
        HoldInput.Lift, HoldInput.SlideOff, HoldInput.SecondPointer -> HoldStep(phase)
    }

    private fun filling(phase: HoldPhase.Filling, input: HoldInput, now: Long): HoldStep = when (input) {
        HoldInput.Tick -> if (phase.heldMs(now) >= HOLD_MS) HoldStep(HoldPhase.Done, HoldEffect.Fired) else HoldStep(phase)
        HoldInput.Lift, HoldInput.SlideOff, HoldInput.SecondPointer -> letGo(phase, now, hint = true)
        // A press or an activation while one finger is down can only be a second one.
        HoldInput.Press, HoldInput.Activate -> letGo(phase, now, hint = true)
        HoldInput.Interrupted -> letGo(phase, now, hint = false)
        HoldInput.Rearm -> HoldStep(phase)
    }

    private fun asking(phase: HoldPhase.Asking, input: HoldInput, now: Long): HoldStep = when (input) {
        HoldInput.Activate -> if (now - phase.since >= CONFIRM_AFTER_MS) HoldStep(HoldPhase.Done, HoldEffect.Fired) else HoldStep(phase)
        HoldInput.Press -> HoldStep(HoldPhase.Filling(now), HoldEffect.Started)
        HoldInput.Tick -> HoldStep(if (now - phase.since >= CONFIRM_WITHIN_MS) HoldPhase.Resting else phase)
        HoldInput.Interrupted, HoldInput.Rearm -> HoldStep(HoldPhase.Resting)
        HoldInput.Lift, HoldInput.SlideOff, HoldInput.SecondPointer -> HoldStep(phase)
    }

    private fun letGo(phase: HoldPhase.Filling, now: Long, hint: Boolean) =
        HoldStep(HoldPhase.LetGo(now, phase.heldMs(now).coerceAtMost(HOLD_MS), hint), HoldEffect.Ended)
}

sealed interface HoldPhase {
    /** How full the bar is, from 0 to 1. */
    fun progress(now: Long): Float = 0f

    /** True while something changes by time alone, so that ticks are needed. */
    val moves: Boolean get() = true

    data object Resting : HoldPhase {
        override val moves get() = false
    }

    data class Filling(val since: Long) : HoldPhase {
        fun heldMs(now: Long): Long = (now - since).coerceAtLeast(0)

        override fun progress(now: Long) = (heldMs(now) / HoldGesture.HOLD_MS.toFloat()).coerceAtMost(1f)
    }

    /** The bar drains from [heldMs]; with [hint], "Keep holding" stays. */
    data class LetGo(val since: Long, val heldMs: Long, val hint: Boolean) : HoldPhase {
        fun isOver(now: Long) = now - since >= if (hint) HoldGesture.HINT_MS else HoldGesture.DRAIN_MS

        override fun progress(now: Long): Float {
            val left = 1f - (now - since) / HoldGesture.DRAIN_MS.toFloat()
            return left.coerceIn(0f, 1f) * heldMs / HoldGesture.HOLD_MS
        }
    }

    /** Somebody activated instead of holding, and is asked whether they mean it. */
    data class Asking(val since: Long) : HoldPhase

    data object Done : HoldPhase {
        override fun progress(now: Long) = 1f
        override val moves get() = false
    }
}

enum class HoldInput {
    /** A finger or a key goes down on the button. */
    Press,

    /** It goes up again. */
    Lift,

    /** It leaves the button. */
    SlideOff,

    /** Another finger or key joins it. */
    SecondPointer,

    /** Something that is not the finger: a call, another window, the screen left, the button disabled. */
    Interrupted,

    /** An accessibility service activates the button. */
    Activate,

    /** Time has passed. */
    Tick,

    /** The payment was not held after all; the officer may try again. */
    Rearm,
}

enum class HoldEffect { Started, Ended, Asked, Fired }

data class HoldStep(val phase: HoldPhase, val effect: HoldEffect? = null)
