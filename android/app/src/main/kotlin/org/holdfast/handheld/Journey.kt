package org.holdfast.handheld

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.OfficerAction
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.core.isOpen
import org.holdfast.handheld.screen.CardPresenter
import org.holdfast.handheld.screen.CheckCodePresenter
import org.holdfast.handheld.screen.ConfirmPresenter
import org.holdfast.handheld.screen.DetailsPresenter
import org.holdfast.handheld.screen.DevicePresenter
import org.holdfast.handheld.screen.EnrolPresenter
import org.holdfast.handheld.screen.ItemsPresenter
import org.holdfast.handheld.screen.MethodPresenter
import org.holdfast.handheld.screen.ProcessPresenter
import org.holdfast.handheld.screen.RecentPresenter
import org.holdfast.handheld.screen.ResultPresenter
import org.holdfast.handheld.screen.StartingPresenter
import org.holdfast.handheld.screen.SummaryPresenter
import org.holdfast.handheld.ui.Bands
import org.holdfast.handheld.ui.Presenter

/**
 * The officer's way through the app: which screen is [current], and what leads where. The activity
 * keeps it over a configuration change; after a process death [restored] is all that is left, and
 * the payment's own state says where to go on.
 */
class Journey(private val holdfast: Holdfast, private val restored: PaymentId?) : Way {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private val items by lazy { ItemsPresenter(holdfast, this) }
    private val recent by lazy { RecentPresenter(holdfast, this) }
    private var isAmongRecent = false
    private var steps = 0
    private val stop = MutableStateFlow<Presenter<*, *>>(StartingPresenter(holdfast))

    val current: StateFlow<Presenter<*, *>> = stop.asStateFlow()

    val bands: Flow<Bands> = combine(holdfast.standing, stop) { standing, presenter ->
        when (standing) {
            is Standing.Open -> Bands.of(standing.state, presenter.payment?.let(holdfast::payment))
            Standing.Opening, is Standing.CannotOpen -> Bands()
        }
    }.distinctUntilChanged()

    init {
        scope.launch { begin(holdfast.standing.filterIsInstance<Standing.Open>().first().state) }
    }

    private fun begin(state: HandheldState) {
        val newest = state.payments.firstOrNull { it.state != PaymentState.DRAFT }
        when {
            state.enrolment?.approved != true -> go { EnrolPresenter(holdfast, this) }
            restored != null -> toPayment(restored)
            newest != null && newest.state.isOpen -> toPayment(newest.id)
            else -> toItems()
        }
    }

    override fun toItems() {
        isAmongRecent = false
        items.enter()
        go { items }
    }

    override fun toSummary(payment: PaymentId) = go { SummaryPresenter(holdfast, this, payment) }

    override fun toMethod(payment: PaymentId) = go { MethodPresenter(holdfast, this, payment) }

    override fun toProcess(payment: PaymentId) = go { ProcessPresenter(holdfast, this, payment) }

    override fun toPayment(payment: PaymentId) {
        val state = holdfast.payment(payment)?.state
        when {
            state == null -> toItems()
            state == PaymentState.DRAFT -> toSummary(payment)
            state.isOpen -> go { CardPresenter(holdfast, this, payment) }
            else -> go { ResultPresenter(holdfast, this, payment) }
        }
    }

    override fun toRecent() {
        if (!isAmongRecent) recent.enter()
        isAmongRecent = true
        go { recent }
    }

    override fun toDetails(payment: PaymentId) = go { DetailsPresenter(holdfast, this, payment) }

    override fun outOfDetails(payment: PaymentId) = if (isAmongRecent) toRecent() else toPayment(payment)

    override fun outOfPayment() = if (isAmongRecent) toRecent() else toItems()

    override fun toConfirm(payment: PaymentId, action: OfficerAction) = go { ConfirmPresenter(holdfast, this, payment, action) }

    override fun toCheckCode(payment: PaymentId) = go { CheckCodePresenter(holdfast, this, payment) }

    override fun toDevice() = go { DevicePresenter(holdfast, this) }

    override fun toEnrol(again: Boolean) = go { EnrolPresenter(holdfast, this, again) }

    override fun held(payment: PaymentId) {
        items.emptyCart()
        toPayment(payment)
    }

    fun close() {
        scope.cancel()
        stop.value.close()
        items.close()
        recent.close()
    }

    /** A presenter may find at once that its screen is out of place, and lead on before it is shown: then it never is. */
    private fun go(make: () -> Presenter<*, *>) {
        val step = ++steps
        val next = make()
        if (step == steps) arrive(next) else leave(next)
    }

    private fun arrive(next: Presenter<*, *>) {
        val left = stop.value
        if (left === next) return
        stop.value = next
        leave(left)
    }

    /** The items keep their cart while a summary over it is open; the list keeps its place. */
    private fun leave(presenter: Presenter<*, *>) {
        if (presenter !== items && presenter !== recent) presenter.close()
    }
}
