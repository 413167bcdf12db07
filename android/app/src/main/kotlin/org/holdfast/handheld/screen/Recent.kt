package org.holdfast.handheld.screen

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Answer
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.Mode
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.StateWords
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.isUnwell
import org.holdfast.handheld.ui.words

/** The payments of this handheld, newest first, under the condition of the outbox. */
data class RecentUiState(
    val outbox: Outbox = Outbox(),
    /** True if something is wrong with the handheld itself. */
    val isUnwell: Boolean = false,
    val rows: List<RecentRow> = emptyList(),
    /** Where the list stood when the officer left it. */
    val place: ListPlace = ListPlace(),
)

/** What is not sent yet, [sinceMs] when, and how sending it now went. */
data class Outbox(
    val payments: Int = 0,
    val requests: Int = 0,
    val sinceMs: Long? = null,
    val link: Link = Link.UNKNOWN,
    val sending: Boolean = false,
    val trouble: Words? = null,
)

data class RecentRow(
    val id: PaymentId,
    val total: Money,
    val heldAtMs: Long?,
    val heldAtIsSure: Boolean,
    val state: StateWords,
    val isTest: Boolean,
)

/** The first row in sight, and how far it is scrolled, in pixels. */
data class ListPlace(val row: Int = 0, val top: Int = 0)

sealed interface RecentEvent {
    data object SendNow : RecentEvent

    data class Open(val payment: PaymentId) : RecentEvent

    data object ThisHandheld : RecentEvent

    data class Left(val place: ListPlace) : RecentEvent
}

class RecentPresenter(private val holdfast: Holdfast, private val way: Way) : Presenter<RecentUiState, RecentEvent>(RecentUiState()) {
    private data class Local(val sending: Boolean = false, val trouble: Words? = null, val place: ListPlace = ListPlace())

    private val local = MutableStateFlow(Local())

    init {
        scope.launch {
            combine(holdfast.standing, local) { standing, local ->
                if (standing is Standing.Open) stateOf(standing.state, local) else RecentUiState()
            }.collect { shown.value = it }
        }
    }

    override fun on(event: RecentEvent) {
        when (event) {
            RecentEvent.SendNow -> if (!local.value.sending) sendNow()
            is RecentEvent.Open -> way.toDetails(event.payment)
            RecentEvent.ThisHandheld -> way.toDevice()
            is RecentEvent.Left -> local.update { it.copy(place = event.place) }
        }
    }

    override fun back() = way.toItems()

    /** The officer comes here anew, not back from a payment. */
    fun enter() {
        local.value = Local()
    }

    private fun sendNow() {
        local.update { it.copy(sending = true, trouble = null) }
        scope.launch {
            val trouble = (holdfast.refresh() as? Answer.Refused)?.reason?.words()
            local.update { it.copy(sending = false, trouble = trouble) }
        }
    }

    private fun stateOf(state: HandheldState, local: Local) = RecentUiState(
        outbox = Outbox(state.queued, state.queuedRequests, state.queuedSinceMs, state.link, local.sending, local.trouble),
        isUnwell = state.isUnwell,
        rows = state.payments.filter { it.state != PaymentState.DRAFT }.map { it.toRow(state.link) },
        place = local.place,
    )
}

private fun Payment.toRow(link: Link) = RecentRow(id, total, heldAtMs, heldAtIsSure, words(link), mode == Mode.TEST)
