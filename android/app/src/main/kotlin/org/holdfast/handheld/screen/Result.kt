package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.FrameLayout
import android.widget.TextView
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.core.isOpen
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.StatePanel
import org.holdfast.handheld.ui.StateWords
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.words

/** How a payment ended, with its receipt where there is one. */
data class ResultUiState(
    val total: Money? = null,
    val state: StateWords? = null,
    val receiptOrderId: String? = null,
    /** With cash: what the payer is told. */
    val provisionalReceipt: String? = null,
    val confirmCode: String? = null,
)

sealed interface ResultEvent {
    data object NewPayment : ResultEvent

    data object Details : ResultEvent
}

class ResultPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<ResultUiState, ResultEvent>(ResultUiState()) {
    init {
        scope.launch { holdfast.standing.collect { if (it is Standing.Open) follow(it.state) } }
    }

    override fun on(event: ResultEvent) = when (event) {
        ResultEvent.NewPayment -> way.toItems()
        ResultEvent.Details -> way.toDetails(payment)
    }

    override fun back() = way.outOfPayment()

    private fun follow(state: HandheldState) {
        val now = holdfast.payment(payment)
        if (now == null || now.state.isOpen) return way.toPayment(payment)
        shown.value = ResultUiState(now.total, now.words(state.link), now.receiptOrderId, now.provisionalReceipt, now.confirmCode)
    }
}

class ResultScreen(activity: Activity, onEvent: (ResultEvent) -> Unit) : Screen<ResultUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.result, FrameLayout(activity), false)!!
    private val panel = StatePanel(view)
    private val receiptLabel = view.findViewById<TextView>(R.id.receipt_label)!!
    private val receipt = view.findViewById<TextView>(R.id.receipt)!!
    private val codeLabel = view.findViewById<TextView>(R.id.code_label)!!
    private val code = view.findViewById<TextView>(R.id.code)!!

    init {
        view.findViewById<Button>(R.id.new_payment)!!.setOnClickListener { onEvent(ResultEvent.NewPayment) }
        view.findViewById<Button>(R.id.details)!!.setOnClickListener { onEvent(ResultEvent.Details) }
    }

    override fun title(state: ResultUiState) = R.string.result_title

    override fun render(state: ResultUiState) {
        panel.show(state.total, state.state)
        receiptLabel.setText(if (state.receiptOrderId == null) R.string.provisional_receipt else R.string.receipt_order_id)
        showCode(receiptLabel, receipt, state.receiptOrderId ?: state.provisionalReceipt)
        showCode(codeLabel, code, state.confirmCode)
    }

    private fun showCode(label: View, view: TextView, code: String?) {
        label.showIf(code != null)
        view.showIf(code != null)
        view.text = code
        // Read out letter by letter: a code is compared, not understood.
        view.contentDescription = code?.toList()?.joinToString(" ")
    }
}
