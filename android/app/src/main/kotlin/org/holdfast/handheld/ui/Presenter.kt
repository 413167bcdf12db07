package org.holdfast.handheld.ui

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import org.holdfast.handheld.core.PaymentId

/**
 * One screen without its views: an immutable [State] comes out, [Event]s go in. It outlives a
 * configuration change; of a process death only [payment] survives.
 */
abstract class Presenter<State : Any, Event : Any>(initial: State) {
    protected val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    protected val shown = MutableStateFlow(initial)

    val state: StateFlow<State> = shown.asStateFlow()

    /** The payment this screen is about. */
    open val payment: PaymentId? = null

    /** True if there is a way back within the app. */
    open val canGoBack: Boolean = true

    abstract fun on(event: Event)

    /** Goes back; only asked where [canGoBack]. */
    open fun back() = Unit

    open fun close() = scope.cancel()
}
