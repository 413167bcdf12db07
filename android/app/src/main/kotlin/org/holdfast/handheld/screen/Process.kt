package org.holdfast.handheld.screen

import android.app.Activity
import android.widget.FrameLayout
import android.widget.TextView
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Answer
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.hold.HoldButton
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.words

/**
 * The hold. [saving] from the moment it is done until it is durable; [attempt] grows when a hold
 * did not succeed, which is what arms the button again.
 */
data class ProcessUiState(
    val total: Money? = null,
    val method: String? = null,
    val saving: Boolean = false,
    val attempt: Int = 0,
    val trouble: Words? = null,
)

sealed interface ProcessEvent {
    data object Held : ProcessEvent
}

class ProcessPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<ProcessUiState, ProcessEvent>(ProcessUiState()) {
    private data class Local(val saving: Boolean = false, val attempt: Int = 0, val trouble: Words? = null)

    private val local = MutableStateFlow(Local())

    init {
        scope.launch {
            combine(holdfast.standing, local) { _, local ->
                val payment = holdfast.payment(payment)
                ProcessUiState(payment?.total, payment?.type?.name, local.saving, local.attempt, local.trouble)
            }.collect { shown.value = it }
        }
    }

    override fun on(event: ProcessEvent) = when (event) {
        ProcessEvent.Held -> if (local.value.saving) Unit else hold()
    }

    /** Not while it is being saved: what comes next is the payment's own screen. */
    override fun back() {
        if (!local.value.saving) way.toMethod(payment)
    }

    private fun hold() {
        local.update { it.copy(saving = true, trouble = null) }
        scope.launch {
            when (val answer = holdfast.hold(payment)) {
                is Answer.Done -> way.held(payment)
                is Answer.Refused -> local.update { Local(attempt = it.attempt + 1, trouble = answer.reason.words()) }
            }
        }
    }
}

class ProcessScreen(private val activity: Activity, onEvent: (ProcessEvent) -> Unit) : Screen<ProcessUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.process, FrameLayout(activity), false)!!
    private val total = view.findViewById<TextView>(R.id.total)!!
    private val with = view.findViewById<TextView>(R.id.with)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private val hold = view.findViewById<HoldButton>(R.id.hold)!!

    init {
        hold.onHeld = { onEvent(ProcessEvent.Held) }
    }

    override fun title(state: ProcessUiState) = R.string.process_title

    override fun render(state: ProcessUiState) {
        total.text = state.total?.let { MoneyText.large(it, view.resources) }
        with.text = state.method?.let { activity.getString(R.string.process_with, it) }
        val amount = state.total?.let { MoneyText.full(it, view.resources) }.orEmpty()
        hold.isEnabled = state.total != null
        hold.show(activity.getString(R.string.hold_label, amount), state.attempt, state.saving)
        trouble.showTrouble(state.trouble?.let { Words.Ours(R.string.trouble_not_held, listOf(it.inFull(view.resources))) }, view.resources)
    }

    override fun pause() = hold.interrupt()
}
