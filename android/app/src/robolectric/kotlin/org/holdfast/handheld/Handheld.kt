package org.holdfast.handheld

import android.os.Bundle
import android.view.View
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Payment
import org.holdfast.handheld.core.Standing
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowChoreographer

/** The running app: the real activity over the real core. */
class Handheld(savedState: Bundle? = null) {
    private var controller: ActivityController<MainActivity> = Robolectric.buildActivity(MainActivity::class.java)

    val glass = Glass()
    val activity: MainActivity get() = controller.get()
    val root: View get() = activity.window.decorView
    val application = RuntimeEnvironment.getApplication() as HandheldApplication

    /** What the core says now; null until it is open. */
    val state: HandheldState? get() = (application.holdfast.standing.value as? Standing.Open)?.state

    /** The payment that the officer held last. */
    val newest: Payment? get() = state?.payments?.firstOrNull { it.heldAtMs != null }

    init {
        Clockwork.stop()
        if (savedState == null) controller.setup() else controller.setup(savedState)
        comeToTheFront()
    }

    /** Another configuration: the activity is made anew, the process stays. */
    fun rotate() {
        // Robolectric gives the new window the focus at once, so its first frame must come by itself.
        ShadowChoreographer.setPaused(false)
        controller = controller.recreate()
        Clockwork.stop()
    }

    /** The window is there once a frame was drawn. */
    private fun comeToTheFront() {
        Clockwork.passFrames()
        controller.windowFocusChanged(true)
    }

    /** What a system that ends the process would keep of it. */
    fun savedState(): Bundle = Bundle().also { controller.pause().stop().saveInstanceState(it) }

    fun leave() {
        controller.pause().stop().destroy()
    }
}
