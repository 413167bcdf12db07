package org.holdfast.handheld.screen

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Answer
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Money
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.core.isOpen
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.StateWords
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.alarm
import org.holdfast.handheld.ui.words

/**
 * The catalogue with the cart in it. Above it stand the newest payments that were not finished when
 * the officer came here; they stay while the officer is here, even when they finish, since a row that
 * goes away would move the others under the finger.
 */
data class ItemsUiState(
    val rows: List<ItemRow> = emptyList(),
    val total: Money? = null,
    val canCheckout: Boolean = false,
    val earlier: List<OpenPaymentRow> = emptyList(),
    val recent: RecentSummary = RecentSummary(),
    /** What is wrong with the handheld itself. */
    val alarm: Words? = null,
    val trouble: Words? = null,
)

data class ItemRow(val id: Int, val name: String, val price: Money, val quantity: Int, val canAdd: Boolean)

/** What the way to the recent payments says: how many somebody must look at, how many wait to be sent. */
data class RecentSummary(val toLookAt: Int = 0, val unsent: Int = 0)

data class OpenPaymentRow(val id: PaymentId, val total: Money, val state: StateWords)

sealed interface ItemsEvent {
    data class Add(val item: Int) : ItemsEvent

    data class Remove(val item: Int) : ItemsEvent

    data object Checkout : ItemsEvent

    data class Open(val payment: PaymentId) : ItemsEvent

    data object Recent : ItemsEvent

    data object ThisHandheld : ItemsEvent
}

class ItemsPresenter(private val holdfast: Holdfast, private val way: Way) : Presenter<ItemsUiState, ItemsEvent>(ItemsUiState()) {
    private data class Local(
        val cart: Cart = Cart(),
        val earlier: List<PaymentId> = emptyList(),
        val checkingOut: Boolean = false,
        val trouble: Words? = null,
    )

    private val local = MutableStateFlow(Local())

    override val canGoBack = false

    init {
        scope.launch {
            combine(holdfast.standing, local) { standing, local ->
                if (standing is Standing.Open) stateOf(standing.state, local) else ItemsUiState()
            }.collect { shown.value = it }
        }
    }

    override fun on(event: ItemsEvent) {
        when (event) {
            is ItemsEvent.Add -> change { it.plus(event.item) }
            is ItemsEvent.Remove -> change { it.minus(event.item) }
            ItemsEvent.Checkout -> if (shown.value.canCheckout) checkOut()
            is ItemsEvent.Open -> way.toPayment(event.payment)
            ItemsEvent.Recent -> way.toRecent()
            ItemsEvent.ThisHandheld -> way.toDevice()
        }
    }

    /** The officer comes to this screen. */
    fun enter() {
        val state = (holdfast.standing.value as? Standing.Open)?.state ?: return
        val open = state.payments.filter { it.state.isOpen }.take(EARLIER_MAX).map { it.id }
        local.update { it.copy(earlier = open) }
    }

    fun emptyCart() = change { Cart() }

    private fun change(how: (Cart) -> Cart) = local.update { it.copy(cart = how(it.cart), trouble = null) }

    private fun checkOut() {
        local.update { it.copy(checkingOut = true, trouble = null) }
        scope.launch {
            val answer = holdfast.openSummary(local.value.cart.quantities)
            val trouble = (answer as? Answer.Refused)?.reason?.words()
            local.update { it.copy(checkingOut = false, trouble = trouble) }
            if (answer is Answer.Done) way.toSummary(answer.value.id)
        }
    }

    private fun stateOf(state: HandheldState, local: Local): ItemsUiState {
        val cart = local.cart.within(state.catalogue)
        return ItemsUiState(
            rows = state.catalogue.map { ItemRow(it.id, it.name, it.price, cart.quantityOf(it.id), cart.canAdd(it.id)) },
            total = cart.total(state.catalogue),
            canCheckout = !cart.isEmpty && !local.checkingOut,
            earlier = local.earlier.mapNotNull { id -> state.payments.find { it.id == id } }
                .map { OpenPaymentRow(it.id, it.total, it.words(state.link)) },
            recent = RecentSummary(state.payments.count { it.whoActs != null }, state.queued),
            alarm = state.alarm(),
            trouble = local.trouble,
        )
    }

    private companion object {
        /** The catalogue must stay in view; older ones are in the office's list. */
        const val EARLIER_MAX = 3
    }
}
