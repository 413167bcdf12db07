package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.EditText
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
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.Provider
import org.holdfast.handheld.core.RequestRefusal
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.setTextIfNew
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.words

/** What is asked for in the second step. */
enum class Question { Cancel, Withdraw, GiveCashBack, Retry }

/** The second step before a payment is changed: what it means for the money, and a reason where one is needed. */
data class ConfirmUiState(
    val question: Question,
    val total: Money? = null,
    val offline: Boolean = false,
    val reason: String = "",
    val saving: Boolean = false,
    /** False once the payment has moved on, so that this would be refused. */
    val isOpen: Boolean = true,
    val trouble: Words? = null,
) {
    val needsReason: Boolean get() = question == Question.Withdraw || question == Question.GiveCashBack

    /** As the core counts: characters, not UTF-16 units. */
    val reasonLeft: Int get() = REASON_CHARS_MAX - reason.trim().let { it.codePointCount(0, it.length) }

    val canGo: Boolean get() = isOpen && !saving && (!needsReason || (reason.isNotBlank() && reasonLeft >= 0))

    private companion object {
        /** As the core has it. */
        const val REASON_CHARS_MAX = 140
    }
}

sealed interface ConfirmEvent {
    data class ReasonTyped(val reason: String) : ConfirmEvent

    data object Go : ConfirmEvent

    data object Keep : ConfirmEvent
}

class ConfirmPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
    private val action: OfficerAction,
) : Presenter<ConfirmUiState, ConfirmEvent>(ConfirmUiState(action.question(holdfast.payment(payment)))) {
    private data class Local(val reason: String = "", val saving: Boolean = false, val trouble: Words? = null)

    private val local = MutableStateFlow(Local())

    init {
        scope.launch {
            combine(holdfast.standing, local) { standing, local -> stateOf(standing, local) }.collect { shown.value = it }
        }
    }

    override fun on(event: ConfirmEvent) {
        when (event) {
            is ConfirmEvent.ReasonTyped -> if (event.reason != local.value.reason) local.update { it.copy(reason = event.reason, trouble = null) }
            ConfirmEvent.Go -> if (shown.value.canGo) go()
            ConfirmEvent.Keep -> back()
        }
    }

    override fun back() {
        if (!local.value.saving) way.toDetails(payment)
    }

    private fun go() {
        local.update { it.copy(saving = true, trouble = null) }
        scope.launch {
            val trouble = ask()
            if (trouble == null) way.toPayment(payment) else local.update { it.copy(saving = false, trouble = trouble) }
        }
    }

    /** What stood in the way, or null. */
    private suspend fun ask(): Words? = when (action) {
        OfficerAction.CANCEL -> (holdfast.cancel(payment) as? Answer.Refused)?.reason?.words()
        OfficerAction.WITHDRAW -> (holdfast.withdraw(payment, local.value.reason) as? Answer.Refused)?.reason?.words()
        OfficerAction.RETRY -> (holdfast.retry(payment) as? Answer.Refused)?.reason?.words()
        OfficerAction.CHECK_CODE -> error("a code is checked on a screen of its own")
    }

    private fun stateOf(standing: Standing, local: Local): ConfirmUiState {
        val now = holdfast.payment(payment)
        val isOpen = local.saving || now == null || action in now.actions
        val over = if (isOpen) null else RequestRefusal.Over(now.state).words()
        return ConfirmUiState(
            question = shown.value.question,
            total = now?.total,
            offline = (standing as? Standing.Open)?.state?.link == Link.OFFLINE,
            reason = local.reason,
            saving = local.saving,
            isOpen = isOpen,
            trouble = local.trouble ?: over,
        )
    }
}

private fun OfficerAction.question(payment: Payment?): Question = when (this) {
    OfficerAction.CANCEL -> Question.Cancel
    OfficerAction.WITHDRAW -> if (payment?.type?.provider == Provider.CASH) Question.GiveCashBack else Question.Withdraw
    OfficerAction.RETRY -> Question.Retry
    OfficerAction.CHECK_CODE -> error("a code is checked on a screen of its own")
}

class ConfirmScreen(private val activity: Activity, onEvent: (ConfirmEvent) -> Unit) : Screen<ConfirmUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.confirm, FrameLayout(activity), false)!!
    private val total = view.findViewById<TextView>(R.id.total)!!
    private val means = view.findViewById<TextView>(R.id.means)!!
    private val reasonPart = view.findViewById<View>(R.id.reason_part)!!
    private val reason = view.findViewById<EditText>(R.id.reason)!!
    private val left = view.findViewById<TextView>(R.id.reason_left)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private val keep = view.findViewById<Button>(R.id.keep)!!
    private val ends = view.findViewById<Button>(R.id.go_on)!!
    private val again = view.findViewById<Button>(R.id.go_again)!!

    init {
        reason.isSaveEnabled = false
        // One line of text for the office, but all of it is seen.
        reason.setHorizontallyScrolling(false)
        reason.maxLines = REASON_LINES_MAX
        reason.addTextChangedListener(AfterTyping { onEvent(ConfirmEvent.ReasonTyped(it)) })
        keep.setOnClickListener { onEvent(ConfirmEvent.Keep) }
        for (go in listOf(ends, again)) go.setOnClickListener { onEvent(ConfirmEvent.Go) }
    }

    override fun title(state: ConfirmUiState) = when (state.question) {
        Question.Cancel -> R.string.confirm_cancel_title
        Question.Withdraw -> R.string.confirm_withdraw_title
        Question.GiveCashBack -> R.string.confirm_void_title
        Question.Retry -> R.string.confirm_retry_title
    }

    override fun render(state: ConfirmUiState) {
        total.text = state.total?.let { MoneyText.large(it, view.resources) }
        means.setTextIfNew(activity.getString(state.means()))
        reasonPart.showIf(state.needsReason)
        if (reason.text.toString() != state.reason) reason.setText(state.reason)
        reason.isEnabled = !state.saving
        left.text = view.resources.getQuantityString(R.plurals.reason_left, state.reasonLeft, state.reasonLeft)
        trouble.showTrouble(state.trouble, view.resources)
        keep.setText(if (state.question == Question.Retry) R.string.confirm_not_now else R.string.confirm_keep)
        keep.isEnabled = !state.saving
        // What ends something looks different from what goes on with it.
        ends.showIf(state.question != Question.Retry)
        again.showIf(state.question == Question.Retry)
        for (go in listOf(ends, again)) {
            go.isEnabled = state.canGo
            go.setText(if (state.saving) R.string.confirm_saving else state.question.word())
        }
    }

    private fun ConfirmUiState.means(): Int = when (question) {
        Question.Cancel -> if (offline) R.string.confirm_cancel_offline else R.string.confirm_cancel
        Question.Withdraw -> if (offline) R.string.confirm_withdraw_offline else R.string.confirm_withdraw
        Question.GiveCashBack -> R.string.confirm_void
        Question.Retry -> R.string.confirm_retry
    }

    private fun Question.word(): Int = when (this) {
        Question.Cancel -> R.string.cancel_payment
        Question.Withdraw -> R.string.withdraw_payment
        Question.GiveCashBack -> R.string.give_cash_back
        Question.Retry -> R.string.try_again
    }

    private companion object {
        const val REASON_LINES_MAX = 4
    }
}
