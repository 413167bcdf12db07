package org.holdfast.handheld.ui

import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.Mode
import org.holdfast.handheld.core.Payment

/** What stands over every screen. */
data class Bands(val testMode: Boolean = false, val offline: Boolean = false, val queued: Int = 0) {
    companion object {
        /** A payment's own mode counts where it has one; elsewhere one type in test mode is enough. */
        fun of(state: HandheldState, payment: Payment?): Bands {
            val mode = payment?.mode
            return Bands(
                testMode = if (mode != null) mode == Mode.TEST else state.paymentTypes.any { it.mode == Mode.TEST },
                offline = state.link == Link.OFFLINE,
                queued = state.queued,
            )
        }
    }
}
