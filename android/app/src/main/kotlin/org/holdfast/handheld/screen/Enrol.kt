package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.view.inputmethod.EditorInfo
import android.widget.Button
import android.widget.EditText
import android.widget.FrameLayout
import android.widget.TextView
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Answer
import org.holdfast.handheld.core.Enrolment
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.alarm
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.words

/**
 * The handheld joins an organisation. [waiting] is there once the gateway knows the handheld and an
 * administrator has still to approve it; both then see the same six digits.
 */
data class EnrolUiState(
    val link: String = "",
    val enrolling: Boolean = false,
    val waiting: Enrolment? = null,
    val trouble: Words? = null,
    /** True if it was enrolled before, and has a way back. */
    val again: Boolean = false,
    /** What is wrong with the handheld itself, which is why it must enrol. */
    val alarm: Words? = null,
) {
    val canEnrol: Boolean get() = link.isNotBlank() && !enrolling
}

sealed interface EnrolEvent {
    data class LinkTyped(val link: String) : EnrolEvent

    data object Enrol : EnrolEvent

    data object ThisHandheld : EnrolEvent
}

class EnrolPresenter(
    private val holdfast: Holdfast,
    private val way: Way,
    private val again: Boolean = false,
) : Presenter<EnrolUiState, EnrolEvent>(EnrolUiState(again = again)) {
    /** With [again], the enrolment that is already there is not the one that is waited for. */
    private var isAsked = !again

    override val canGoBack = again

    init {
        scope.launch {
            holdfast.standing.collect { if (it is Standing.Open) follow(it.state) }
        }
        scope.launch { askWhileWaiting() }
    }

    override fun on(event: EnrolEvent) {
        when (event) {
            is EnrolEvent.LinkTyped -> if (event.link != shown.value.link) shown.update { it.copy(link = event.link, trouble = null) }
            EnrolEvent.Enrol -> if (shown.value.canEnrol) enrol(shown.value.link.trim())
            EnrolEvent.ThisHandheld -> way.toDevice()
        }
    }

    override fun back() = way.toDevice()

    private fun follow(state: HandheldState) {
        val enrolment = state.enrolment.takeIf { isAsked }
        if (enrolment?.approved == true) return way.toItems()
        shown.update { it.copy(waiting = enrolment, alarm = state.alarm()) }
    }

    private fun enrol(link: String) {
        shown.update { it.copy(enrolling = true, trouble = null) }
        scope.launch {
            val answer = holdfast.enrol(link)
            val trouble = (answer as? Answer.Refused)?.reason?.words()
            shown.update { it.copy(enrolling = false, trouble = trouble) }
            if (answer is Answer.Done) {
                isAsked = true
                (holdfast.standing.value as? Standing.Open)?.let { follow(it.state) }
            }
        }
    }

    /** The administrator stands beside the officer: the handheld should go on at once when approved. */
    private suspend fun askWhileWaiting() {
        while (true) {
            delay(ASK_AGAIN_MS)
            if (shown.value.waiting != null) holdfast.refresh()
        }
    }

    private companion object {
        /** Quick enough to feel immediate, slow enough for any gateway. */
        const val ASK_AGAIN_MS = 3_000L
    }
}

class EnrolScreen(activity: Activity, private val onEvent: (EnrolEvent) -> Unit) : Screen<EnrolUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.enrol, FrameLayout(activity), false)!!
    private val how = view.findViewById<TextView>(R.id.how)!!
    private val linkPart = view.findViewById<View>(R.id.link_part)!!
    private val link = view.findViewById<EditText>(R.id.link)!!
    private val digitsPart = view.findViewById<View>(R.id.digits_part)!!
    private val digits = view.findViewById<TextView>(R.id.digits)!!
    private val enrolledWith = view.findViewById<TextView>(R.id.enrolled_with)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private val enrol = view.findViewById<Button>(R.id.enrol)!!
    private val alarm = view.findViewById<TextView>(R.id.alarm)!!
    private val thisHandheld = view.findViewById<Button>(R.id.this_handheld)!!

    init {
        // The link is a credential: the presenter keeps it, no saved state does.
        link.isSaveEnabled = false
        // One line of text, but all of it is seen: a wrong letter in the middle can be found.
        link.setHorizontallyScrolling(false)
        link.maxLines = LINK_LINES_MAX
        link.addTextChangedListener(AfterTyping { onEvent(EnrolEvent.LinkTyped(it)) })
        link.setOnEditorActionListener { _, action, _ ->
            if (action == EditorInfo.IME_ACTION_GO) onEvent(EnrolEvent.Enrol)
            action == EditorInfo.IME_ACTION_GO
        }
        enrol.setOnClickListener { onEvent(EnrolEvent.Enrol) }
        thisHandheld.setOnClickListener { onEvent(EnrolEvent.ThisHandheld) }
    }

    override fun title(state: EnrolUiState) = when {
        state.waiting != null -> R.string.six_digits_title
        state.again -> R.string.enrol_again_title
        else -> R.string.enrol_title
    }

    override fun render(state: EnrolUiState) {
        val waiting = state.waiting
        how.setText(if (waiting != null) R.string.six_digits_how else if (state.again) R.string.enrol_again_how else R.string.enrol_how)
        val alarmed = state.alarm.takeIf { !state.again && waiting == null }
        alarm.showTrouble(alarmed, view.resources)
        thisHandheld.showIf(alarmed != null)
        linkPart.showIf(waiting == null)
        digitsPart.showIf(waiting != null)
        enrol.showIf(waiting == null)
        if (link.text.toString() != state.link) link.setText(state.link)
        link.isEnabled = !state.enrolling
        enrol.isEnabled = state.canEnrol
        enrol.setText(if (state.enrolling) R.string.enrolling else R.string.enrol)
        trouble.showTrouble(state.trouble, view.resources)
        if (waiting != null) show(waiting)
    }

    private fun show(waiting: Enrolment) {
        // Two groups of three are compared more surely than six in a row, and read out digit by digit.
        val six = waiting.sixDigits.filter(Char::isDigit)
        digits.text = six.chunked(3).joinToString(" ")
        digits.contentDescription = six.toList().joinToString(" ")
        enrolledWith.text = view.resources.getString(R.string.enrolled_with, waiting.organisation, waiting.gatewayHost)
    }

    private companion object {
        const val LINK_LINES_MAX = 6
    }
}
