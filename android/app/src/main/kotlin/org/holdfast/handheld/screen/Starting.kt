package org.holdfast.handheld.screen

import android.app.Activity
import android.widget.Button
import android.widget.FrameLayout
import android.widget.TextView
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.words

/** Until the core is open; [trouble] says why it is not. */
data class StartingUiState(val trouble: Words? = null)

sealed interface StartingEvent {
    data object TryAgain : StartingEvent
}

class StartingPresenter(private val holdfast: Holdfast) : Presenter<StartingUiState, StartingEvent>(StartingUiState()) {
    override val canGoBack = false

    init {
        scope.launch {
            holdfast.standing.collect { shown.value = StartingUiState((it as? Standing.CannotOpen)?.reason?.words()) }
        }
    }

    override fun on(event: StartingEvent) = when (event) {
        StartingEvent.TryAgain -> holdfast.open()
    }
}

class StartingScreen(activity: Activity, onEvent: (StartingEvent) -> Unit) : Screen<StartingUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.starting, FrameLayout(activity), false)!!
    private val state = view.findViewById<TextView>(R.id.state)!!
    private val means = view.findViewById<TextView>(R.id.means)!!
    private val tryAgain = view.findViewById<Button>(R.id.try_again)!!

    init {
        tryAgain.setOnClickListener { onEvent(StartingEvent.TryAgain) }
    }

    override fun title(state: StartingUiState) = R.string.app_name

    override fun render(state: StartingUiState) {
        this.state.setText(if (state.trouble == null) R.string.starting else R.string.cannot_open_title)
        means.text = state.trouble?.inFull(view.resources)
        tryAgain.showIf(state.trouble != null)
    }
}
