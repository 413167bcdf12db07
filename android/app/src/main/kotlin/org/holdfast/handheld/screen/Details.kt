package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.Provider
import org.holdfast.handheld.core.Request
import org.holdfast.handheld.core.RequestKind
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.core.SummaryLine
import org.holdfast.handheld.core.isOpen
import org.holdfast.handheld.ui.FrameView
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.StatePanel
import org.holdfast.handheld.ui.StateWords
import org.holdfast.handheld.ui.TimeText
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.words

/** One payment, all that this handheld knows of it, and what the officer can do about it: only what can work. */
data class DetailsUiState(
    val total: Money? = null,
    val state: StateWords? = null,
    val heldAtMs: Long? = null,
    val heldAtIsSure: Boolean = true,
    val method: String? = null,
    val isCash: Boolean = false,
    val lines: List<SummaryLine> = emptyList(),
    val provisionalReceipt: String? = null,
    val receiptOrderId: String? = null,
    val confirmCode: String? = null,
    val request: Request? = null,
    val fromGateway: Boolean = false,
    val hasCode: Boolean = false,
    val actions: List<OfficerAction> = emptyList(),
)

sealed interface DetailsEvent {
    data object ShowCode : DetailsEvent

    data class Do(val action: OfficerAction) : DetailsEvent
}

class DetailsPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<DetailsUiState, DetailsEvent>(DetailsUiState()) {
    init {
        scope.launch { holdfast.standing.collect { if (it is Standing.Open) follow(it.state) } }
    }

    override fun on(event: DetailsEvent) = when (event) {
        DetailsEvent.ShowCode -> way.toPayment(payment)
        is DetailsEvent.Do -> if (event.action == OfficerAction.CHECK_CODE) way.toCheckCode(payment) else way.toConfirm(payment, event.action)
    }

    override fun back() = way.outOfDetails(payment)

    private fun follow(state: HandheldState) {
        val now = holdfast.payment(payment)
        if (now == null || now.state == PaymentState.DRAFT) return way.toPayment(payment)
        shown.value = now.toDetails(state)
    }
}

private fun Payment.toDetails(state: HandheldState) = DetailsUiState(
    total = total,
    state = words(state.link),
    heldAtMs = heldAtMs,
    heldAtIsSure = heldAtIsSure,
    method = type?.name,
    isCash = type?.provider == Provider.CASH,
    lines = lines,
    provisionalReceipt = provisionalReceipt,
    receiptOrderId = receiptOrderId,
    confirmCode = confirmCode,
    request = request,
    fromGateway = fromGateway,
    hasCode = this.state.isOpen,
    actions = actions,
)

class DetailsScreen(private val activity: Activity, private val onEvent: (DetailsEvent) -> Unit) : Screen<DetailsUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.details, FrameLayout(activity), false) as FrameView
    private val panel = StatePanel(view)
    private val actions = view.findViewById<LinearLayout>(R.id.actions)!!
    private val fromGateway = view.findViewById<View>(R.id.from_gateway)!!
    private val facts = view.findViewById<LinearLayout>(R.id.facts)!!
    private val lines = view.findViewById<LinearLayout>(R.id.lines)!!
    private var shownState: DetailsUiState? = null

    override fun title(state: DetailsUiState) = R.string.details_title

    override fun render(state: DetailsUiState) = view.whenUntouched { renderNow(state) }

    private fun renderNow(state: DetailsUiState) {
        if (state == shownState) return
        shownState = state
        panel.show(state.total, state.state)
        fromGateway.showIf(state.fromGateway)
        showActions(state)
        showFacts(state)
        showLines(state.lines)
    }

    private fun showActions(state: DetailsUiState) {
        actions.removeAllViews()
        if (state.hasCode) addAction(R.string.show_code) { DetailsEvent.ShowCode }
        for (action in state.actions) addAction(action.word(state.isCash)) { DetailsEvent.Do(action) }
        actions.showIf(actions.childCount > 0)
    }

    private fun addAction(word: Int, event: () -> DetailsEvent) {
        val button = activity.layoutInflater.inflate(R.layout.button_action, actions, false) as Button
        button.setText(word)
        button.setOnClickListener { onEvent(event()) }
        actions.addView(button)
    }

    private fun showFacts(state: DetailsUiState) {
        facts.removeAllViews()
        val heldAt = state.heldAtMs?.let { TimeText.full(it, state.heldAtIsSure, activity.resources) }
        addFact(R.string.held_at, heldAt)
        addFact(R.string.with_method, state.method)
        addFact(R.string.provisional_receipt, state.provisionalReceipt, isCode = true)
        addFact(R.string.receipt_order_id, state.receiptOrderId, isCode = true)
        addFact(R.string.confirm_code, state.confirmCode, isCode = true)
        state.request?.let { addFact(it.word(), it.standing()) }
    }

    private fun addFact(label: Int, value: String?, isCode: Boolean = false) {
        if (value == null) return
        val fact = activity.layoutInflater.inflate(R.layout.row_fact, facts, false)!!
        fact.findViewById<TextView>(R.id.label)!!.setText(label)
        fact.findViewById<TextView>(R.id.value)!!.run {
            text = value
            // Read out letter by letter: a code is compared, not understood.
            if (isCode) contentDescription = value.toList().joinToString(" ")
        }
        facts.addView(fact)
    }

    private fun showLines(all: List<SummaryLine>) {
        lines.removeAllViews()
        val locale = activity.resources.configuration.locales[0]!!
        for (line in all) {
            val row = activity.layoutInflater.inflate(R.layout.row_line, lines, false)!!
            row.findViewById<TextView>(R.id.name)!!.text = activity.getString(R.string.summary_line, line.quantity, line.name)
            row.findViewById<TextView>(R.id.amount)!!.text = MoneyText.number(line.amount, locale)
            lines.addView(row)
        }
    }

    private fun Request.word(): Int = when (kind) {
        RequestKind.CANCEL -> R.string.asked_to_cancel
        RequestKind.WITHDRAW -> R.string.asked_to_withdraw
    }

    private fun Request.standing(): String {
        val word = when {
            refused != null -> R.string.request_is_refused
            answered -> R.string.request_answered
            else -> R.string.request_waits
        }
        return listOfNotNull(reason?.let { "“$it”" }, activity.getString(word)).joinToString(" · ")
    }
}

private fun OfficerAction.word(isCash: Boolean): Int = when (this) {
    OfficerAction.RETRY -> R.string.try_again
    OfficerAction.CHECK_CODE -> R.string.check_code
    OfficerAction.CANCEL -> R.string.cancel_payment
    OfficerAction.WITHDRAW -> if (isCash) R.string.give_cash_back else R.string.withdraw_payment
}
