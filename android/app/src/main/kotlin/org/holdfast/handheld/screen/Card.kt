package org.holdfast.handheld.screen

import android.app.Activity
import android.content.res.ColorStateList
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
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.QrCode
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.core.isOpen
import org.holdfast.handheld.qr.QrView
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.StateWords
import org.holdfast.handheld.ui.colour
import org.holdfast.handheld.ui.setTextIfNew
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.textRole
import org.holdfast.handheld.ui.words

/** The code that the payer scans, with [host], where it leads, in words; and how the payment stands. */
data class CardUiState(
    val total: Money? = null,
    val state: StateWords? = null,
    val code: QrCode? = null,
    val host: String? = null,
    /** True if a code of the payer's could prove it now. */
    val canCheckCode: Boolean = false,
)

sealed interface CardEvent {
    data object NewPayment : CardEvent

    data object CheckCode : CardEvent

    data object Details : CardEvent
}

class CardPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<CardUiState, CardEvent>(CardUiState()) {
    /** A pay address never changes, so its code is computed once. */
    private val code by lazy { holdfast.payment(payment)?.payAddress?.let(holdfast::code) }

    init {
        scope.launch { holdfast.standing.collect { if (it is Standing.Open) follow(it.state) } }
    }

    override fun on(event: CardEvent) = when (event) {
        CardEvent.NewPayment -> way.toItems()
        CardEvent.CheckCode -> way.toCheckCode(payment)
        CardEvent.Details -> way.toDetails(payment)
    }

    override fun back() = way.outOfPayment()

    private fun follow(state: HandheldState) {
        val now = holdfast.payment(payment)
        if (now == null || !now.state.isOpen) return way.toPayment(payment)
        shown.value = CardUiState(now.total, now.words(state.link), code, now.payHost, OfficerAction.CHECK_CODE in now.actions)
    }
}

class CardScreen(private val activity: Activity, onEvent: (CardEvent) -> Unit) : Screen<CardUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.card, FrameLayout(activity), false)!!
    private val amount = view.findViewById<TextView>(R.id.amount)!!
    private val icon = view.findViewById<ImageView>(R.id.state_icon)!!
    private val state = view.findViewById<TextView>(R.id.state)!!
    private val code = view.findViewById<QrView>(R.id.code)!!
    private val scan = view.findViewById<TextView>(R.id.scan)!!
    private val means = view.findViewById<TextView>(R.id.means)!!
    private val checkCode = view.findViewById<Button>(R.id.check_code)!!

    override val isForCameras = true

    init {
        view.findViewById<Button>(R.id.new_payment)!!.setOnClickListener { onEvent(CardEvent.NewPayment) }
        view.findViewById<Button>(R.id.details)!!.setOnClickListener { onEvent(CardEvent.Details) }
        checkCode.setOnClickListener { onEvent(CardEvent.CheckCode) }
    }

    override fun title(state: CardUiState) = R.string.card_title

    override fun render(state: CardUiState) {
        amount.text = state.total?.let { MoneyText.large(it, view.resources) }
        state.state?.let(::show)
        code.show(state.code)
        val host = state.host.orEmpty()
        code.contentDescription = activity.getString(R.string.card_qr, host)
        scan.text = if (state.code == null) activity.getString(R.string.card_no_code) else activity.getString(R.string.card_scan, host)
        scan.showIf(state.total != null)
        checkCode.showIf(state.canCheckCode)
    }

    private fun show(words: StateWords) {
        val colour = activity.colour(words.tone.textRole())
        icon.setImageResource(words.icon)
        icon.imageTintList = ColorStateList.valueOf(colour)
        state.setTextColor(colour)
        state.setTextIfNew(activity.getString(words.word))
        means.setTextIfNew(words.means.inFull(view.resources))
    }
}
