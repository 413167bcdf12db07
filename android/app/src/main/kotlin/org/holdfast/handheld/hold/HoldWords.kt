package org.holdfast.handheld.hold

import android.content.res.Resources
import org.holdfast.handheld.R
import java.util.Locale

/** What the button says under its label. */
internal class HoldWords(private val resources: Resources) {
    /** For the eye. Without animation the time left is told in steps of half a second. */
    fun of(phase: HoldPhase, now: Long, animates: Boolean): String =
        if (phase is HoldPhase.Filling && !animates) countdown(phase.heldMs(now)) else spoken(phase)

    /** For the ear: the same, but nothing that changes by the moment. */
    fun spoken(phase: HoldPhase): String = resources.getString(
        when (phase) {
            is HoldPhase.Resting -> R.string.hold_rest
            is HoldPhase.Filling -> R.string.hold_filling
            is HoldPhase.LetGo -> if (phase.hint) R.string.hold_let_go else R.string.hold_rest
            is HoldPhase.Asking -> R.string.hold_asking
            is HoldPhase.Done -> R.string.hold_done
        },
    )

    private fun countdown(heldMs: Long): String {
        val left = (HoldGesture.HOLD_MS - heldMs).coerceAtLeast(0)
        val steps = (left + STEP_MS - 1) / STEP_MS
        val locale: Locale = resources.configuration.locales[0]
        return resources.getString(R.string.hold_counting, String.format(locale, "%.1f", steps * STEP_MS / 1_000.0))
    }

    private companion object {
        const val STEP_MS = 500L
    }
}
