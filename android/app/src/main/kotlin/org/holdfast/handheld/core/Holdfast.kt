package org.holdfast.handheld.core

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.holdfast.bindings.CartLine
import org.holdfast.bindings.CodeException
import org.holdfast.bindings.Core
import org.holdfast.bindings.CoreConfig
import org.holdfast.bindings.CoreListener
import org.holdfast.bindings.EnrolException
import org.holdfast.bindings.ExportException
import org.holdfast.bindings.HoldException
import org.holdfast.bindings.MethodException
import org.holdfast.bindings.OpenException
import org.holdfast.bindings.QrException
import org.holdfast.bindings.ReceiptException
import org.holdfast.bindings.RefreshException
import org.holdfast.bindings.RequestException
import org.holdfast.bindings.RetryException
import org.holdfast.bindings.SummaryException
import org.holdfast.bindings.qrCode
import java.io.File

/** What the core is opened with. */
data class HoldfastConfig(val dataDir: File, val locale: String, val appVersion: String)

/** Whether the core is there, and what it knows. */
sealed interface Standing {
    data object Opening : Standing

    data class CannotOpen(val reason: OpenRefusal) : Standing

    data class Open(val state: HandheldState) : Standing
}

/**
 * The one way to the Rust core: opens it off the main thread, publishes what it knows as immutable
 * [standing], and passes requests on. It decides nothing about payments.
 *
 * A request that the core has begun is finished there even if the calling coroutine is cancelled.
 */
class Holdfast(
    private val config: HoldfastConfig,
    private val loader: NativeLoader,
    private val background: CoroutineDispatcher = Dispatchers.IO,
) {
    private val scope = CoroutineScope(SupervisorJob() + background)
    private val changes = Channel<Unit>(Channel.CONFLATED)
    private val published = MutableStateFlow<Standing>(Standing.Opening)

    @Volatile private var core: Core? = null

    val standing: StateFlow<Standing> = published.asStateFlow()

    /** Opens the core, or tries again after [Standing.CannotOpen]. */
    fun open() {
        if (core != null) return
        published.value = Standing.Opening
        scope.launch { openNow() }
    }

    private fun openNow() {
        try {
            config.dataDir.mkdirs()
            loader.load()
            val settings = CoreConfig(config.dataDir.path, config.locale, config.appVersion)
            val opened = Core.open(settings, KeystoreDeviceKey(), KeystoreVault(), Listener())
            core = opened
            scope.launch { for (change in changes) publish(opened) }
            publish(opened)
        } catch (e: OpenException) {
            published.value = Standing.CannotOpen(e.toRefusal())
        }
    }

    /** The payment as the core knows it now; null if it knows none, or is not open. */
    fun payment(id: PaymentId): Payment? = core?.payment(id.text)?.toPayment()

    suspend fun enrol(link: String): Answer<Enrolment, EnrolRefusal> = try {
        done(opened().enrol(link).toEnrolment())
    } catch (e: EnrolException) {
        Answer.Refused(e.toRefusal())
    }

    /** Asks the gateway now instead of at the core's own next time. */
    suspend fun refresh(): Answer<Unit, RefreshRefusal> = try {
        done(opened().refresh())
    } catch (e: RefreshException) {
        Answer.Refused(e.toRefusal())
    }

    /** Refreshes without waiting; a failure shows as [HandheldState.link]. */
    fun refreshSoon() {
        if (core != null) scope.launch { refresh() }
    }

    /** Opens a summary over so many of each catalogue item; its payment ID and lines are durable on return. */
    suspend fun openSummary(cart: Map<Int, Int>): Answer<Payment, SummaryRefusal> = try {
        done(opened().openSummary(cart.map { (item, quantity) -> CartLine(item.toUInt(), quantity.toUInt()) }).toPayment())
    } catch (e: SummaryException) {
        Answer.Refused(e.toRefusal())
    }

    suspend fun chooseMethod(id: PaymentId, code: String): Answer<Payment, MethodRefusal> = try {
        done(opened().chooseMethod(id.text, code).toPayment())
    } catch (e: MethodException) {
        Answer.Refused(e.toRefusal())
    }

    /** Holds: on return the signed order is on disk. Again for the same payment changes nothing. */
    suspend fun hold(id: PaymentId): Answer<Payment, HoldRefusal> = try {
        done(opened().hold(id.text).toPayment())
    } catch (e: HoldException) {
        Answer.Refused(e.toRefusal())
    }

    /** Asks the gateway to cancel; the signed request is on disk on return. Paid wins. */
    suspend fun cancel(id: PaymentId): Answer<Payment, RequestRefusal> = try {
        done(opened().cancel(id.text).toPayment())
    } catch (e: RequestException) {
        Answer.Refused(e.toRefusal())
    }

    /** Gives a payment up; the signed request with its [reason] is on disk on return. Paid wins. */
    suspend fun withdraw(id: PaymentId, reason: String): Answer<Payment, RequestRefusal> = try {
        done(opened().withdraw(id.text, reason).toPayment())
    } catch (e: RequestException) {
        Answer.Refused(e.toRefusal())
    }

    /** Queues a payment again that the gateway refused, as it was signed. */
    suspend fun retry(id: PaymentId): Answer<Payment, RetryRefusal> = try {
        done(opened().retry(id.text).toPayment())
    } catch (e: RetryException) {
        Answer.Refused(e.toRefusal())
    }

    /** Checks the code on the payer's page, without a network. */
    suspend fun verifyCode(id: PaymentId, typed: String): Answer<Payment, CodeRefusal> = try {
        done(opened().verifyCode(id.text, typed).toPayment())
    } catch (e: CodeException) {
        Answer.Refused(e.toRefusal())
    }

    /** Checks the receipt on the payer's page, without a network; answers with the payment that it proves. */
    suspend fun verifyReceipt(text: String): Answer<Payment, ReceiptRefusal> = try {
        done(opened().verifyReceipt(text).toPayment())
    } catch (e: ReceiptException) {
        Answer.Refused(e.toRefusal())
    }

    /** Copies of the orders that wait here, which only the gateway can read. */
    suspend fun exportCopies(): Answer<List<SealedCopies>, ExportRefusal> = try {
        Answer.Done(opened().exportCopies().map { it.toCopies() })
    } catch (e: ExportException) {
        Answer.Refused(e.toRefusal())
    }

    /** Gives up a draft which was not held; one that was held stays. */
    fun discardDraft(id: PaymentId) {
        scope.launch {
            try {
                core?.discardDraft(id.text)
            } catch (_: SummaryException) {
                // It was held meanwhile, or is gone already; either way there is no draft to discard.
            }
        }
    }

    /** The code of [text], or null if it is too long for one. */
    fun code(text: String): QrCode? = try {
        qrCode(text).toCode()
    } catch (_: QrException) {
        null
    }

    /** Stops the core and releases its files. A device never calls this; a test's process does. */
    fun close() {
        scope.cancel()
        core?.let {
            core = null
            it.shutDown()
            it.close()
        }
    }

    private fun opened(): Core = checkNotNull(core) { "a screen asked before the core was open" }

    /** What a request changed is published before its answer is given. */
    private fun <T> done(value: T): Answer<T, Nothing> {
        core?.let { publish(it) }
        return Answer.Done(value)
    }

    private fun publish(core: Core) {
        val now = core.snapshot().toState()
        published.update { before -> if (before is Standing.Open && before.state.revision > now.revision) before else Standing.Open(now) }
    }

    private inner class Listener : CoreListener {
        /** Called on one of the core's threads, so it only rings the bell. */
        override fun onChange(revision: ULong) {
            changes.trySend(Unit)
        }
    }
}
