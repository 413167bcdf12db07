package org.holdfast.handheld.screen

import android.app.Activity
import android.widget.Button
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.SummaryLine
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen

/** What will be paid, as the core has it on disk. */
data class SummaryUiState(val total: Money? = null, val lines: List<SummaryLine> = emptyList())

sealed interface SummaryEvent {
    data object SelectMethod : SummaryEvent
}

class SummaryPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<SummaryUiState, SummaryEvent>(SummaryUiState()) {
    init {
        scope.launch { holdfast.standing.collect { shown.value = stateOf(holdfast.payment(payment)) } }
    }

    override fun on(event: SummaryEvent) = when (event) {
        SummaryEvent.SelectMethod -> way.toMethod(payment)
    }

    /** The officer changes the cart: the next summary over it is another payment. */
    override fun back() {
        way.toItems()
        holdfast.discardDraft(payment)
    }

    private fun stateOf(payment: Payment?) = SummaryUiState(payment?.total, payment?.lines.orEmpty())
}

class SummaryScreen(private val activity: Activity, onEvent: (SummaryEvent) -> Unit) : Screen<SummaryUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.summary, FrameLayout(activity), false)!!
    private val total = view.findViewById<TextView>(R.id.total)!!
    private val lines = view.findViewById<LinearLayout>(R.id.lines)!!

    init {
        view.findViewById<Button>(R.id.select_method)!!.setOnClickListener { onEvent(SummaryEvent.SelectMethod) }
    }

    override fun title(state: SummaryUiState) = R.string.summary_title

    override fun render(state: SummaryUiState) {
        total.text = state.total?.let { MoneyText.large(it, view.resources) }
        lines.removeAllViews()
        for (line in state.lines) {
            addRow(activity.getString(R.string.summary_line, line.quantity, line.name), MoneyText.number(line.amount, locale()))
        }
        state.total?.let { addRow(activity.getString(R.string.currency), it.currency) }
    }

    private fun locale() = activity.resources.configuration.locales[0]!!

    private fun addRow(name: String, value: String) {
        val row = activity.layoutInflater.inflate(R.layout.row_line, lines, false)!!
        row.findViewById<TextView>(R.id.name)!!.text = name
        row.findViewById<TextView>(R.id.amount)!!.text = value
        lines.addView(row)
    }
}
