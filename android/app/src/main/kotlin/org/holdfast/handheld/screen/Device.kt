package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.holdfast.handheld.R
import org.holdfast.handheld.Way
import org.holdfast.handheld.core.Answer
import org.holdfast.handheld.core.Enrolment
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.SealedCopies
import org.holdfast.handheld.core.Standing
import org.holdfast.handheld.platform.Sharing
import org.holdfast.handheld.ui.Presenter
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.Words
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.words

/** This handheld: whose it is, whether its keys and records are there, and the way on where they are not. */
data class DeviceUiState(
    val enrolment: Enrolment? = null,
    /** Which key is gone, and the way on; enrolling again is offered then. */
    val keysLost: Words? = null,
    val olderFile: Boolean = false,
    val faults: List<Words> = emptyList(),
    /** To be handed to another app, once. */
    val sharing: List<SealedCopies> = emptyList(),
    val trouble: Words? = null,
)

sealed interface DeviceEvent {
    data object EnrolAgain : DeviceEvent

    data object ShareCopies : DeviceEvent

    /** The files were handed over; false if no app takes them. */
    data class Shared(val taken: Boolean) : DeviceEvent
}

class DevicePresenter(private val holdfast: Holdfast, private val way: Way) : Presenter<DeviceUiState, DeviceEvent>(DeviceUiState()) {
    private data class Local(val sharing: List<SealedCopies> = emptyList(), val trouble: Words? = null)

    private val local = MutableStateFlow(Local())

    init {
        scope.launch {
            combine(holdfast.standing, local) { standing, local ->
                if (standing is Standing.Open) stateOf(standing.state, local) else DeviceUiState()
            }.collect { shown.value = it }
        }
    }

    override fun on(event: DeviceEvent) {
        when (event) {
            DeviceEvent.EnrolAgain -> way.toEnrol(again = isEnrolled())
            DeviceEvent.ShareCopies -> share()
            is DeviceEvent.Shared -> local.value = Local(trouble = if (event.taken) null else Words.Ours(R.string.copies_no_app))
        }
    }

    override fun back() = if (isEnrolled()) way.toRecent() else way.toEnrol(again = false)

    private fun isEnrolled() = shown.value.enrolment?.approved == true

    private fun share() {
        scope.launch {
            local.value = when (val answer = holdfast.exportCopies()) {
                is Answer.Done -> Local(sharing = answer.value)
                is Answer.Refused -> Local(trouble = answer.reason.words())
            }
        }
    }

    private fun stateOf(state: HandheldState, local: Local) = DeviceUiState(
        enrolment = state.enrolment,
        keysLost = state.keys.takeIf { it != KeyState.GOOD }?.words(),
        olderFile = state.olderFile,
        faults = state.unreadable.words(),
        sharing = local.sharing,
        trouble = local.trouble,
    )
}

class DeviceScreen(
    private val activity: Activity,
    private val share: (List<SealedCopies>) -> Boolean = { Sharing.share(activity, it) },
    private val onEvent: (DeviceEvent) -> Unit,
) : Screen<DeviceUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.device, FrameLayout(activity), false)!!
    private val keys = view.findViewById<TextView>(R.id.keys)!!
    private val keysLost = view.findViewById<TextView>(R.id.keys_lost)!!
    private val older = view.findViewById<View>(R.id.older_file)!!
    private val faults = view.findViewById<LinearLayout>(R.id.faults)!!
    private val facts = view.findViewById<LinearLayout>(R.id.facts)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private val enrolAgain = view.findViewById<Button>(R.id.enrol_again)!!
    private var shownFaults: List<Words> = emptyList()
    private var shownEnrolment: Enrolment? = null

    init {
        enrolAgain.setOnClickListener { onEvent(DeviceEvent.EnrolAgain) }
        view.findViewById<Button>(R.id.share_copies)!!.setOnClickListener { onEvent(DeviceEvent.ShareCopies) }
    }

    override fun title(state: DeviceUiState) = R.string.device_title

    override fun render(state: DeviceUiState) {
        keys.showIf(state.keysLost == null)
        keysLost.showTrouble(state.keysLost, view.resources)
        older.showIf(state.olderFile)
        showFaults(state.faults)
        showFacts(state.enrolment)
        enrolAgain.showIf(state.keysLost != null)
        trouble.showTrouble(state.trouble, view.resources)
        if (state.sharing.isNotEmpty()) onEvent(DeviceEvent.Shared(share(state.sharing)))
    }

    private fun showFaults(all: List<Words>) {
        if (all == shownFaults) return
        shownFaults = all
        faults.removeAllViews()
        for (fault in all) {
            val row = activity.layoutInflater.inflate(R.layout.row_fault, faults, false) as TextView
            row.text = fault.inFull(activity.resources)
            faults.addView(row)
        }
    }

    private fun showFacts(enrolment: Enrolment?) {
        if (enrolment == shownEnrolment) return
        shownEnrolment = enrolment
        facts.removeAllViews()
        if (enrolment == null) return
        addFact(R.string.device_organisation, enrolment.organisation)
        addFact(R.string.device_office, enrolment.gatewayHost)
        addFact(R.string.device_officer, enrolment.officer)
        addFact(R.string.device_id, enrolment.deviceId)
    }

    private fun addFact(label: Int, value: String) {
        val fact = activity.layoutInflater.inflate(R.layout.row_fact, facts, false)!!
        fact.findViewById<TextView>(R.id.label)!!.setText(label)
        fact.findViewById<TextView>(R.id.value)!!.text = value
        facts.addView(fact)
    }
}
