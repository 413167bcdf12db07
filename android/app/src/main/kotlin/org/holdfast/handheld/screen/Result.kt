package org.holdfast.handheld.screen

import android.app.Activity
import android.content.res.ColorStateList
import android.view.View
import android.widget.Button
import android.widget.FrameLayout
import android.widget.ImageView
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
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.StateWords
import org.holdfast.handheld.ui.Tone
import org.holdfast.handheld.ui.colour
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.words

/** How a payment ended, with its receipt where there is one. */
data class ResultUiState(
    val total: Money? = null,
    val state: StateWords? = null,
    val receiptOrderId: String? = null,
    val confirmCode: String? = null,
)

sealed interface ResultEvent {
    data object NewPayment : ResultEvent
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
    }

    override fun back() = way.toItems()

    private fun follow(state: HandheldState) {
        val now = holdfast.payment(payment)
        if (now == null || now.state.isOpen) return way.toPayment(payment)
        shown.value = ResultUiState(now.total, now.words(state.link), now.receiptOrderId, now.confirmCode)
    }
}

class ResultScreen(private val activity: Activity, onEvent: (ResultEvent) -> Unit) : Screen<ResultUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.result, FrameLayout(activity), false)!!
    private val panel = view.findViewById<View>(R.id.state_panel)!!
    private val icon = view.findViewById<ImageView>(R.id.state_icon)!!
    private val state = view.findViewById<TextView>(R.id.state)!!
    private val amount = view.findViewById<TextView>(R.id.amount)!!
    private val means = view.findViewById<TextView>(R.id.means)!!
    private val receiptLabel = view.findViewById<View>(R.id.receipt_label)!!
    private val receipt = view.findViewById<TextView>(R.id.receipt)!!
    private val codeLabel = view.findViewById<View>(R.id.code_label)!!
    private val code = view.findViewById<TextView>(R.id.code)!!

    init {
        view.findViewById<Button>(R.id.new_payment)!!.setOnClickListener { onEvent(ResultEvent.NewPayment) }
    }

    override fun title(state: ResultUiState) = R.string.result_title

    override fun render(state: ResultUiState) {
        state.state?.let(::show)
        panel.showIf(state.state != null)
        amount.text = state.total?.let { MoneyText.large(it, view.resources) }
        showCode(receiptLabel, receipt, state.receiptOrderId)
        showCode(codeLabel, code, state.confirmCode)
    }

    private fun show(words: StateWords) {
        val (ground, text) = words.tone.panelRoles()
        panel.setBackgroundResource(R.drawable.state_panel)
        panel.backgroundTintList = ColorStateList.valueOf(activity.colour(ground))
        icon.setImageResource(words.icon)
        icon.imageTintList = ColorStateList.valueOf(activity.colour(text))
        state.setTextColor(activity.colour(text))
        state.setTextIfNew(activity.getString(words.word))
        means.setTextIfNew(activity.getString(words.means))
    }

    private fun showCode(label: View, view: TextView, code: String?) {
        label.showIf(code != null)
        view.showIf(code != null)
        view.text = code
        // Read out letter by letter: a code is compared, not understood.
        view.contentDescription = code?.toList()?.joinToString(" ")
    }
}

private fun Tone.panelRoles(): Pair<Int, Int> = when (this) {
    Tone.Calm -> R.attr.text to R.attr.ground
    Tone.Good -> R.attr.paid to R.attr.onPaid
    Tone.Bad -> R.attr.declined to R.attr.onDeclined
}
