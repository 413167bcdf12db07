package org.holdfast.handheld.ui

import android.app.Activity
import android.view.View
import android.widget.FrameLayout
import android.widget.TextView
import org.holdfast.handheld.R
import org.holdfast.handheld.platform.Accessibility
import org.holdfast.handheld.platform.Insets

/** What surrounds every screen: bands, title, the way back, and room for the system's bars. */
class Frame(private val activity: Activity, onBack: () -> Unit) {
    private val root = activity.layoutInflater.inflate(R.layout.frame, FrameLayout(activity), false) as FrameView
    private val statusBar = root.findViewById<View>(R.id.status_bar_ground)!!
    private val testBand = root.findViewById<TextView>(R.id.test_band)!!
    private val offlineBand = root.findViewById<TextView>(R.id.offline_band)!!
    private val title = root.findViewById<TextView>(R.id.title)!!
    private val back = root.findViewById<View>(R.id.back)!!
    private val noBack = root.findViewById<View>(R.id.no_back)!!
    private val place = root.findViewById<FrameLayout>(R.id.screen)!!

    init {
        back.setOnClickListener { onBack() }
        Accessibility.heading(title)
        Insets.onChange(root) { covered ->
            statusBar.layoutParams = statusBar.layoutParams.apply { height = covered.top }
            root.setPadding(covered.left, 0, covered.right, covered.bottom)
        }
        activity.setContentView(root)
    }

    fun put(screen: View, canGoBack: Boolean) {
        place.removeAllViews()
        place.addView(screen)
        back.showIf(canGoBack)
        noBack.showIf(!canGoBack)
    }

    fun title(id: Int) {
        val said = activity.getString(id)
        if (title.text.toString() == said) return
        title.text = said
        // The window's title is what a screen reader says when the screen changes.
        activity.title = said
    }

    /** A band that comes or goes moves everything below it, so it waits until no finger is down. */
    fun show(bands: Bands) = root.whenUntouched { showNow(bands) }

    private fun showNow(bands: Bands) {
        testBand.showIf(bands.testMode)
        val network = words(bands)
        offlineBand.showIf(network != null)
        if (network != null && offlineBand.text.toString() != network) offlineBand.text = network
        statusBar.setBackgroundColor(
            when {
                bands.testMode -> activity.getColor(R.color.test_band)
                network != null -> activity.getColor(R.color.offline_band)
                else -> activity.colour(R.attr.ground)
            },
        )
    }

    private fun words(bands: Bands): String? {
        val resources = activity.resources
        return when {
            bands.offline && bands.queued > 0 -> resources.getQuantityString(R.plurals.offline_queued_band, bands.queued, bands.queued)
            bands.offline -> resources.getString(R.string.offline_band)
            bands.queued > 0 -> resources.getQuantityString(R.plurals.queued_band, bands.queued, bands.queued)
            else -> null
        }
    }
}
