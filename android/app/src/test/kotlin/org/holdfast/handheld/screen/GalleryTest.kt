package org.holdfast.handheld.screen

import org.holdfast.handheld.R
import org.holdfast.handheld.core.DeclineReason
import org.holdfast.handheld.core.EnrolRefusal
import org.holdfast.handheld.core.HoldRefusal
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.OpenRefusal
import org.holdfast.handheld.core.PaymentState
import org.holdfast.handheld.ui.Bands
import org.holdfast.handheld.ui.words
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Draws every screen in the states that matter, for people to look at. */
@RunWith(RobolectricTestRunner::class)
class GalleryTest {
    @Test
    fun light() = drawAll("light")

    @Test
    @Config(qualifiers = "+night")
    fun dark() = drawAll("dark")

    @Test
    fun sunlight() = drawAll("sunlight", R.style.Theme_Holdfast_Sunlight)

    @Test
    fun `large text`() {
        RuntimeEnvironment.setFontScale(1.3f)
        drawAll("text130")
    }

    @Test
    fun `largest text`() {
        RuntimeEnvironment.setFontScale(2f)
        drawAll("text200")
    }

    @Test
    @Config(qualifiers = "w320dp-h569dp-port-xhdpi")
    fun `small screen`() = drawAll("small")

    @Test
    @Config(qualifiers = "w891dp-h411dp-land-xxhdpi")
    fun landscape() = drawAll("landscape")

    private fun drawAll(look: String, theme: Int = R.style.Theme_Holdfast) {
        // Sharp enough to judge by; at the phone's own density drawing takes four times as long.
        RuntimeEnvironment.setQualifiers("+hdpi")
        val stage = Stage(theme)
        val activity = stage.activity
        val test = Bands(testMode = true)
        val offline = Bands(testMode = true, offline = true, queued = 1)

        fun name(screen: String) = "$screen-$look"
        stage.shoot(name("starting"), StartingScreen(activity) {}, StartingUiState(OpenRefusal.StorageFull.words()), canGoBack = false)
        stage.shoot(name("enrol"), EnrolScreen(activity) {}, EnrolUiState(), canGoBack = false)
        stage.shoot(
            name("enrol-trouble"), EnrolScreen(activity) {},
            EnrolUiState("https://pay.greenfield.example/e/greenfield/7K3M-2QXD", trouble = EnrolRefusal.Offline.words()), canGoBack = false,
        )
        stage.shoot(name("enrol-waiting"), EnrolScreen(activity) {}, EnrolUiState(waiting = Samples.enrolment), canGoBack = false)
        stage.shoot(name("items"), ItemsScreen(activity) {}, items(), test, canGoBack = false)
        stage.shoot(
            name("items-earlier"), ItemsScreen(activity) {},
            items(PaymentState.QUEUED), offline, canGoBack = false,
        )
        stage.shoot(name("summary"), SummaryScreen(activity) {}, SummaryUiState(Samples.usd(155_800), Samples.lines), test)
        stage.shoot(name("method"), MethodScreen(activity) {}, MethodUiState(Samples.usd(155_800), listOf(Samples.card)), test)
        stage.shoot(name("process"), ProcessScreen(activity) {}, ProcessUiState(Samples.usd(155_800), "Online Payment"), test)
        stage.shoot(
            name("process-trouble"), ProcessScreen(activity) {},
            ProcessUiState(Samples.usd(155_800), "Online Payment", attempt = 1, trouble = HoldRefusal.StorageFull.words()), offline,
        )
        stage.shoot(name("process-saving"), ProcessScreen(activity) {}, ProcessUiState(Samples.usd(155_800), "Online Payment", saving = true), test)
        stage.shoot(name("card-queued"), CardScreen(activity) {}, card(PaymentState.QUEUED, Link.OFFLINE), offline)
        stage.shoot(name("card-waiting"), CardScreen(activity) {}, card(PaymentState.WAITING_FOR_CARD), test)
        stage.shoot(name("card-declined"), CardScreen(activity) {}, card(PaymentState.DECLINED, decline = DeclineReason.NOT_ENOUGH_FUNDS), test)
        stage.shoot(name("result-paid"), ResultScreen(activity) {}, result(PaymentState.PAID), test)
        stage.shoot(name("result-attention"), ResultScreen(activity) {}, result(PaymentState.NEEDS_ATTENTION), test)
        stage.shoot(name("result-expired"), ResultScreen(activity) {}, result(PaymentState.EXPIRED), test)
        drawAfterTheHold(stage, test, offline) { name(it) }
    }

    private fun drawAfterTheHold(stage: Stage, test: Bands, offline: Bands, name: (String) -> String) {
        val activity = stage.activity
        val sent = Outbox(link = Link.ONLINE)
        stage.shoot(name("recent"), RecentScreen(activity) {}, RecentUiState(sent, rows = AfterTheHold.rows), test)
        stage.shoot(name("recent-offline"), RecentScreen(activity) {}, AfterTheHold.recentOffline, offline)
        stage.shoot(name("recent-empty"), RecentScreen(activity) {}, RecentUiState(sent), test)
        stage.shoot(name("details-waiting"), DetailsScreen(activity) {}, AfterTheHold.waiting, test)
        stage.shoot(name("details-parked"), DetailsScreen(activity) {}, AfterTheHold.parked, test)
        stage.shoot(name("details-verified"), DetailsScreen(activity) {}, AfterTheHold.verified, offline)
        stage.shoot(name("confirm-cancel"), ConfirmScreen(activity) {}, AfterTheHold.cancel, test)
        stage.shoot(name("confirm-withdraw"), ConfirmScreen(activity) {}, AfterTheHold.withdraw, offline)
        stage.shoot(name("confirm-retry"), ConfirmScreen(activity) {}, ConfirmUiState(Question.Retry, Samples.usd(155_800)), test)
        stage.shoot(name("check"), CheckCodeScreen(activity) {}, CheckCodeUiState(Samples.usd(155_800)), offline)
        stage.shoot(name("check-wrong"), CheckCodeScreen(activity) {}, AfterTheHold.wrongCode, offline)
        stage.shoot(name("device"), DeviceScreen(activity) {}, DeviceUiState(Samples.enrolment), test)
        stage.shoot(name("device-lost"), DeviceScreen(activity) {}, AfterTheHold.lost, test)
        stage.shoot(name("enrol-lost"), EnrolScreen(activity) {}, EnrolUiState(alarm = KeyState.VAULT_KEY_LOST.words()), canGoBack = false)
        stage.shoot(name("result-verified"), ResultScreen(activity) {}, AfterTheHold.resultVerified, offline)
        stage.shoot(name("items-lost"), ItemsScreen(activity) {}, items().copy(alarm = KeyState.DEVICE_KEY_LOST.words()), test, canGoBack = false)
    }

    private fun items(vararg open: PaymentState): ItemsUiState {
        val cart = Cart(mapOf(1 to 1, 9 to 2))
        return ItemsUiState(
            rows = Samples.catalogue.map { ItemRow(it.id, it.name, it.price, cart.quantityOf(it.id), cart.canAdd(it.id)) },
            total = cart.total(Samples.catalogue),
            canCheckout = true,
            earlier = open.map { Samples.payment(it) }.map { OpenPaymentRow(it.id, it.total, it.words(Link.ONLINE)) },
            recent = RecentSummary(unsent = open.size),
        )
    }

    private fun card(state: PaymentState, link: Link = Link.ONLINE, decline: DeclineReason? = null): CardUiState {
        val payment = Samples.payment(state, decline)
        return CardUiState(payment.total, payment.words(link), Samples.code, payment.payHost, canCheckCode = true)
    }

    private fun result(state: PaymentState): ResultUiState {
        val payment = Samples.payment(state)
        return ResultUiState(payment.total, payment.words(Link.ONLINE), payment.receiptOrderId, confirmCode = payment.confirmCode)
    }
}
