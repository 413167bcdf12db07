package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.widget.FrameLayout
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Answer
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Mode
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.PaymentType
import org.holdfast.handheld.core.Provider
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.words

/** The payment types that this officer may use. */
data class MethodUiState(
    val total: Money? = null,
    val methods: List<PaymentType> = emptyList(),
    val choosing: Boolean = false,
    val trouble: Words? = null,
)

sealed interface MethodEvent {
    data class Choose(val code: String) : MethodEvent
}

class MethodPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    override val payment: PaymentId,
) : Presenter<MethodUiState, MethodEvent>(MethodUiState()) {
    private data class Local(val choosing: Boolean = false, val trouble: Words? = null)

    private val local = MutableStateFlow(Local())

    init {
        scope.launch {
            combine(holdfast.standing, local) { standing, local ->
                MethodUiState(
                    total = holdfast.payment(payment)?.total,
                    methods = (standing as? Standing.Open)?.state?.paymentTypes.orEmpty(),
                    choosing = local.choosing,
                    trouble = local.trouble,
                )
            }.collect { shown.value = it }
        }
    }

    override fun on(event: MethodEvent) = when (event) {
        is MethodEvent.Choose -> if (local.value.choosing) Unit else choose(event.code)
    }

    override fun back() = way.toSummary(payment)

    private fun choose(code: String) {
        local.value = Local(choosing = true)
        scope.launch {
            when (val answer = holdfast.chooseMethod(payment, code)) {
                is Answer.Done -> way.toProcess(payment)
                is Answer.Refused -> local.value = Local(trouble = answer.reason.words())
            }
        }
    }
}

class MethodScreen(private val activity: Activity, private val onEvent: (MethodEvent) -> Unit) : Screen<MethodUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.method, FrameLayout(activity), false)!!
    private val total = view.findViewById<TextView>(R.id.total)!!
    private val methods = view.findViewById<LinearLayout>(R.id.methods)!!
    private val none = view.findViewById<View>(R.id.none)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private var shownMethods: List<PaymentType> = emptyList()

    override fun title(state: MethodUiState) = R.string.method_title

    override fun render(state: MethodUiState) {
        total.text = state.total?.let { MoneyText.large(it, view.resources) }
        none.showIf(state.methods.isEmpty())
        trouble.showTrouble(state.trouble, view.resources)
        if (state.methods != shownMethods) {
            shownMethods = state.methods
            methods.removeAllViews()
            for (method in state.methods) methods.addView(rowOf(method))
        }
    }

    private fun rowOf(method: PaymentType): View {
        val row = activity.layoutInflater.inflate(R.layout.row_method, methods, false)!!
        val (icon, what) = when (method.provider) {
            Provider.STRIPE -> R.drawable.ic_card to R.string.method_card
            Provider.CASH -> R.drawable.ic_cash to R.string.method_cash
        }
        row.findViewById<ImageView>(R.id.icon)!!.setImageResource(icon)
        row.findViewById<TextView>(R.id.name)!!.text = method.name
        row.findViewById<TextView>(R.id.what)!!.setText(what)
        row.findViewById<View>(R.id.test)!!.showIf(method.mode == Mode.TEST)
        row.setOnClickListener { onEvent(MethodEvent.Choose(method.code)) }
        return row
    }
}
