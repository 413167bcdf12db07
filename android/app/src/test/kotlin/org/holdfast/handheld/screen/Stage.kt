package org.holdfast.handheld.screen

import android.app.Activity
import org.holdfast.handheld.Clockwork
import org.holdfast.handheld.R
import org.holdfast.handheld.Shots
import org.holdfast.handheld.ui.Bands
import org.holdfast.handheld.ui.Frame
import org.holdfast.handheld.ui.Screen
import org.robolectric.Robolectric

/** An activity with nothing in it but a frame: screens are put on it and given a state to show. */
class Stage(theme: Int = R.style.Theme_Holdfast) {
    private val controller = Robolectric.buildActivity(Activity::class.java)
    private val frame: Frame

    val activity: Activity = controller.get()

    init {
        activity.setTheme(theme)
        frame = Frame(activity) {}
        Clockwork.stop()
        controller.setup()
        Clockwork.passFrames()
        controller.windowFocusChanged(true)
    }

    /** As when a dialog or a call comes to the front: Robolectric tells windows only when asked to. */
    fun loseWindowFocus() {
        controller.windowFocusChanged(false)
    }

    fun show(bands: Bands) {
        frame.show(bands)
        Clockwork.passFrames()
    }

    fun <State : Any> show(screen: Screen<State>, state: State, bands: Bands = Bands(), canGoBack: Boolean = true) {
        frame.show(bands)
        frame.put(screen.view, canGoBack)
        frame.title(screen.title(state))
        screen.render(state)
        Clockwork.passFrames(4)
    }

    fun <State : Any> shoot(name: String, screen: Screen<State>, state: State, bands: Bands = Bands(), canGoBack: Boolean = true) {
        show(screen, state, bands, canGoBack)
        Shots.take(name)
    }
}
