package org.holdfast.handheld.screen

import android.app.Activity
import android.view.inputmethod.EditorInfo
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
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.setTextIfNew
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.words

/** The payer shows the code on their paid page; the core says whether it proves the payment, without a network. */
data class CheckCodeUiState(
    val total: Money? = null,
    val typed: String = "",
    val hint: Words = TypedCode("").hint(),
    val canCheck: Boolean = false,
    val checking: Boolean = false,
    val trouble: Words? = null,
)

sealed interface CheckCodeEvent {
    data class Typed(val text: String) : CheckCodeEvent

    data object Check : CheckCodeEvent
}

class CheckCodePresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<CheckCodeUiState, CheckCodeEvent>(CheckCodeUiState()) {
    private data class Local(val typed: TypedCode = TypedCode(""), val checking: Boolean = false, val trouble: Words? = null)

    private val local = MutableStateFlow(Local())

    init {
        scope.launch {
            combine(holdfast.standing, local) { _, local -> local }.collect(::follow)
        }
    }

    override fun on(event: CheckCodeEvent) {
        when (event) {
            is CheckCodeEvent.Typed -> if (event.text != local.value.typed.text) local.update { it.copy(typed = TypedCode(event.text), trouble = null) }
            CheckCodeEvent.Check -> if (shown.value.canCheck) check(local.value.typed)
        }
    }

    override fun back() = way.toPayment(payment)

    private fun follow(local: Local) {
        val now = holdfast.payment(payment)
        // Paid meanwhile, or over: its own screen says so.
        if (!local.checking && (now == null || OfficerAction.CHECK_CODE !in now.actions)) return way.toPayment(payment)
        shown.value = CheckCodeUiState(
            now?.total, local.typed.text, local.typed.hint(), local.typed.isWhole && !local.checking, local.checking, local.trouble,
        )
    }

    private fun check(typed: TypedCode) {
        local.update { it.copy(checking = true, trouble = null) }
        scope.launch {
            val proved = if (typed.isReceipt) byReceipt(typed.text) else byCode(typed.text)
            // The next try begins with an empty field: a wrong code is not mended letter by letter.
            if (proved is Answer.Refused) local.value = Local(trouble = proved.reason)
            if (proved is Answer.Done) way.toPayment(proved.value)
        }
    }

    private suspend fun byCode(typed: String): Answer<PaymentId, Words> = when (val answer = holdfast.verifyCode(payment, typed)) {
        is Answer.Done -> Answer.Done(answer.value.id)
        is Answer.Refused -> Answer.Refused(answer.reason.words())
    }

    /** A receipt names its payment: that one is proved, and shown. */
    private suspend fun byReceipt(typed: String): Answer<PaymentId, Words> = when (val answer = holdfast.verifyReceipt(typed)) {
        is Answer.Done -> Answer.Done(answer.value.id)
        is Answer.Refused -> Answer.Refused(answer.reason.words())
    }
}

class CheckCodeScreen(activity: Activity, private val onEvent: (CheckCodeEvent) -> Unit) : Screen<CheckCodeUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.check_code, FrameLayout(activity), false)!!
    private val total = view.findViewById<TextView>(R.id.total)!!
    private val code = view.findViewById<EditText>(R.id.code)!!
    private val hint = view.findViewById<TextView>(R.id.hint)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private val check = view.findViewById<Button>(R.id.check)!!

    init {
        // The code proves a payment: no saved state keeps it.
        code.isSaveEnabled = false
        code.addTextChangedListener(AfterTyping { onEvent(CheckCodeEvent.Typed(it)) })
        code.setOnEditorActionListener { _, action, _ ->
            // A scanner that types ends with Enter.
            val isDone = action == EditorInfo.IME_ACTION_DONE || action == EditorInfo.IME_NULL
            if (isDone) onEvent(CheckCodeEvent.Check)
            isDone
        }
        check.setOnClickListener { onEvent(CheckCodeEvent.Check) }
    }

    override fun title(state: CheckCodeUiState) = R.string.check_title

    override fun render(state: CheckCodeUiState) {
        total.text = state.total?.let { MoneyText.large(it, view.resources) }
        if (code.text.toString() != state.typed) code.setText(state.typed)
        code.isEnabled = !state.checking
        hint.setTextIfNew(state.hint.inFull(view.resources))
        check.isEnabled = state.canCheck
        check.setText(if (state.checking) R.string.checking else R.string.check_do)
        trouble.showTrouble(state.trouble, view.resources)
    }
}
