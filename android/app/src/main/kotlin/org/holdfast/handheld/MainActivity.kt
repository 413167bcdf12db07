package org.holdfast.handheld

import android.app.Activity
import android.os.Bundle
import android.view.WindowManager
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.screen.CardPresenter
import org.holdfast.handheld.screen.CardScreen
import org.holdfast.handheld.screen.CheckCodePresenter
import org.holdfast.handheld.screen.CheckCodeScreen
import org.holdfast.handheld.screen.ConfirmPresenter
import org.holdfast.handheld.screen.ConfirmScreen
import org.holdfast.handheld.screen.DetailsPresenter
import org.holdfast.handheld.screen.DetailsScreen
import org.holdfast.handheld.screen.DevicePresenter
import org.holdfast.handheld.screen.DeviceScreen
import org.holdfast.handheld.screen.EnrolPresenter
import org.holdfast.handheld.screen.EnrolScreen
import org.holdfast.handheld.screen.ItemsPresenter
import org.holdfast.handheld.screen.ItemsScreen
import org.holdfast.handheld.screen.MethodPresenter
import org.holdfast.handheld.screen.MethodScreen
import org.holdfast.handheld.screen.ProcessPresenter
import org.holdfast.handheld.screen.ProcessScreen
import org.holdfast.handheld.screen.RecentPresenter
import org.holdfast.handheld.screen.RecentScreen
import org.holdfast.handheld.screen.ResultPresenter
import org.holdfast.handheld.screen.ResultScreen
import org.holdfast.handheld.screen.StartingPresenter
import org.holdfast.handheld.screen.StartingScreen
import org.holdfast.handheld.screen.SummaryPresenter
import org.holdfast.handheld.screen.SummaryScreen
import org.holdfast.handheld.ui.Frame
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen

/** Puts the views of the journey's current screen into the frame. Everything else is elsewhere. */
class MainActivity : Activity() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private lateinit var journey: Journey
    private lateinit var frame: Frame
    private var screen: Screen<*>? = null
    private var rendering: Job? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val app = application as HandheldApplication
        journey = lastNonConfigurationInstance as Journey?
            ?: Journey(app.holdfast, savedInstanceState?.getString(PAYMENT)?.let(::PaymentId))
        frame = Frame(this, ::goBack)
        scope.launch { journey.bands.collect(frame::show) }
        scope.launch { journey.current.collect(::show) }
    }

    override fun onStart() {
        super.onStart()
        (application as HandheldApplication).holdfast.refreshSoon()
    }

    override fun onPause() {
        screen?.pause()
        super.onPause()
    }

    override fun onRetainNonConfigurationInstance(): Any = journey

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        journey.current.value.payment?.let { outState.putString(PAYMENT, it.text) }
    }

    override fun onDestroy() {
        scope.cancel()
        if (!isChangingConfigurations) journey.close()
        super.onDestroy()
    }

    @Deprecated("The one way that works from API 26 on; the predictive gesture of API 33 is not asked for in the manifest.")
    override fun onBackPressed() = goBack()

    private fun goBack() {
        val presenter = journey.current.value
        if (presenter.canGoBack) presenter.back() else moveTaskToBack(true)
    }

    private fun show(presenter: Presenter<*, *>) {
        rendering?.cancel()
        when (presenter) {
            is StartingPresenter -> show(presenter, StartingScreen(this, presenter::on))
            is EnrolPresenter -> show(presenter, EnrolScreen(this, presenter::on))
            is ItemsPresenter -> show(presenter, ItemsScreen(this, presenter::on))
            is SummaryPresenter -> show(presenter, SummaryScreen(this, presenter::on))
            is MethodPresenter -> show(presenter, MethodScreen(this, presenter::on))
            is ProcessPresenter -> show(presenter, ProcessScreen(this, presenter::on))
            is CardPresenter -> show(presenter, CardScreen(this, presenter::on))
            is ResultPresenter -> show(presenter, ResultScreen(this, presenter::on))
            is RecentPresenter -> show(presenter, RecentScreen(this, presenter::on))
            is DetailsPresenter -> show(presenter, DetailsScreen(this, presenter::on))
            is ConfirmPresenter -> show(presenter, ConfirmScreen(this, presenter::on))
            is CheckCodePresenter -> show(presenter, CheckCodeScreen(this, presenter::on))
            is DevicePresenter -> show(presenter, DeviceScreen(this, onEvent = presenter::on))
            else -> error("no screen for ${presenter.javaClass.name}")
        }
    }

    private fun <State : Any> show(presenter: Presenter<State, *>, next: Screen<State>) {
        screen?.pause()
        screen = next
        lightFor(next.isForCameras)
        frame.put(next.view, presenter.canGoBack)
        rendering = scope.launch {
            presenter.state.collect { state ->
                frame.title(next.title(state))
                next.render(state)
            }
        }
    }

    private fun lightFor(camera: Boolean) {
        window.attributes = window.attributes.apply {
            screenBrightness = if (camera) 1f else WindowManager.LayoutParams.BRIGHTNESS_OVERRIDE_NONE
        }
        if (camera) {
            window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        } else {
            window.clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        }
    }

    private companion object {
        const val PAYMENT = "payment"
    }
}
