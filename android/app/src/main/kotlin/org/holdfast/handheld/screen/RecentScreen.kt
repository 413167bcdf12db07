package org.holdfast.handheld.screen

import android.app.Activity
import android.content.res.ColorStateList
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.FrameLayout
import android.widget.ImageView
import android.widget.ListView
import android.widget.TextView
import org.holdfast.handheld.R
import org.holdfast.handheld.core.Link
import org.holdfast.handheld.core.PaymentId
import org.holdfast.handheld.ui.FrameView
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.TimeText
import org.holdfast.handheld.ui.colour
import org.holdfast.handheld.ui.setTextIfNew
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.showTrouble
import org.holdfast.handheld.ui.textRole

/** What changes while a finger is on it is shown once the finger is up. */
class RecentScreen(private val activity: Activity, private val onEvent: (RecentEvent) -> Unit) : Screen<RecentUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.recent, FrameLayout(activity), false) as FrameView
    private val list = view.findViewById<ListView>(R.id.payments)!!
    private val head = activity.layoutInflater.inflate(R.layout.recent_head, list, false)!!
    private val what = head.findViewById<TextView>(R.id.outbox)!!
    private val since = head.findViewById<TextView>(R.id.outbox_since)!!
    private val trouble = head.findViewById<TextView>(R.id.trouble)!!
    private val sendNow = head.findViewById<Button>(R.id.send_now)!!
    private val handheldWord = head.findViewById<TextView>(R.id.this_handheld_word)!!
    private val empty = head.findViewById<View>(R.id.empty)!!
    private val rows = RecentRows(activity, onEvent)
    private var isPlaced = false

    init {
        list.addHeaderView(head, null, false)
        list.adapter = rows
        list.itemsCanFocus = true
        sendNow.setOnClickListener { onEvent(RecentEvent.SendNow) }
        head.findViewById<View>(R.id.this_handheld)!!.setOnClickListener { onEvent(RecentEvent.ThisHandheld) }
    }

    override fun title(state: RecentUiState) = R.string.recent_title

    override fun render(state: RecentUiState) = view.whenUntouched { renderNow(state) }

    override fun pause() {
        val first = list.getChildAt(0) ?: return
        onEvent(RecentEvent.Left(ListPlace(list.firstVisiblePosition, first.top)))
    }

    private fun renderNow(state: RecentUiState) {
        show(state.outbox)
        handheldWord.setTextIfNew(activity.getString(if (state.isUnwell) R.string.this_handheld_wrong else R.string.this_handheld_fine))
        handheldWord.setTextColor(activity.colour(if (state.isUnwell) R.attr.declined else R.attr.textQuiet))
        empty.showIf(state.rows.isEmpty())
        show(state.rows)
        if (!isPlaced && state.rows.isNotEmpty()) {
            isPlaced = true
            list.setSelectionFromTop(state.place.row, state.place.top)
        }
    }

    /** The list counts rows, not payments: one that comes in above would move those in sight, unless all is in sight. */
    private fun show(next: List<RecentRow>) {
        val heads = list.headerViewsCount
        val at = (heads - list.firstVisiblePosition).coerceAtLeast(0)
        val top = list.getChildAt(at)?.top
        val inSight = rows.idAt(list.firstVisiblePosition + at - heads)
        val isScrolled = list.firstVisiblePosition > 0 || (list.getChildAt(0)?.top ?: 0) < 0
        rows.show(next, list)
        val now = next.indexOfFirst { it.id == inSight }
        if (isScrolled && top != null && now >= 0) list.setSelectionFromTop(now + heads, top)
    }

    private fun show(outbox: Outbox) {
        what.setTextIfNew(outbox.inWords())
        since.setTextIfNew(outbox.more())
        sendNow.isEnabled = !outbox.sending
        sendNow.setText(if (outbox.sending) R.string.sending else R.string.send_now)
        trouble.showTrouble(outbox.trouble, activity.resources)
    }

    private fun Outbox.inWords(): String {
        val resources = activity.resources
        val parts = listOfNotNull(
            resources.getQuantityString(R.plurals.outbox_payments, payments, payments).takeIf { payments > 0 },
            resources.getQuantityString(R.plurals.outbox_requests, requests, requests).takeIf { requests > 0 },
        )
        return if (parts.isEmpty()) resources.getString(R.string.outbox_clear) else parts.joinToString(" · ")
    }

    private fun Outbox.more(): String {
        val sinceMs = sinceMs
        return when {
            payments > 0 && sinceMs != null -> activity.getString(R.string.outbox_since, TimeText.full(sinceMs, true, activity.resources))
            payments + requests > 0 -> activity.getString(R.string.outbox_by_itself)
            link == Link.OFFLINE -> activity.getString(R.string.outbox_offline)
            else -> activity.getString(R.string.outbox_online)
        }
    }
}

private class RecentRows(private val activity: Activity, private val onEvent: (RecentEvent) -> Unit) : BaseAdapter() {
    private var rows: List<RecentRow> = emptyList()
    private val ids = HashMap<PaymentId, Long>()

    fun idAt(row: Int): PaymentId? = rows.getOrNull(row)?.id

    /** What only reads differently is changed where it stands: a list laid out anew may take the view under a finger for another row. */
    fun show(next: List<RecentRow>, list: ListView) {
        if (next == rows) return
        val isInPlace = next.map { it.id } == rows.map { it.id }
        rows = next
        if (!isInPlace) return notifyDataSetChanged()
        val first = list.firstVisiblePosition - list.headerViewsCount
        for (at in 0 until list.childCount) next.getOrNull(first + at)?.let { bind(list.getChildAt(at)!!, it) }
    }

    override fun getCount(): Int = rows.size

    override fun getItem(position: Int): RecentRow = rows[position]

    override fun getItemId(position: Int): Long = ids.getOrPut(rows[position].id) { ids.size.toLong() }

    override fun hasStableIds(): Boolean = true

    override fun isEnabled(position: Int): Boolean = false

    override fun areAllItemsEnabled(): Boolean = false

    override fun getView(position: Int, recycled: View?, parent: ViewGroup): View {
        val view = recycled ?: activity.layoutInflater.inflate(R.layout.row_recent, parent, false)!!
        bind(view, rows[position])
        return view
    }

    private fun bind(view: View, row: RecentRow) {
        val resources = activity.resources
        val words = row.state
        val amount = MoneyText.full(row.total, resources)
        val time = row.heldAtMs?.let { TimeText.full(it, row.heldAtIsSure, resources) }.orEmpty()
        val colour = activity.colour(words.tone.textRole())
        view.findViewById<ImageView>(R.id.icon)!!.run {
            setImageResource(words.icon)
            imageTintList = ColorStateList.valueOf(colour)
        }
        view.findViewById<TextView>(R.id.amount)!!.text = amount
        view.findViewById<View>(R.id.test)!!.showIf(row.isTest)
        view.findViewById<TextView>(R.id.state)!!.run {
            setText(words.word)
            setTextColor(colour)
        }
        view.findViewById<TextView>(R.id.time)!!.text = time
        val who = words.who
        view.findViewById<TextView>(R.id.who)!!.run {
            showIf(who != null)
            if (who != null) setText(who)
        }
        view.findViewById<TextView>(R.id.means)!!.run {
            showIf(who != null)
            text = words.means.inFull(resources)
        }
        val card = view.findViewById<View>(R.id.card)!!
        card.contentDescription = activity.getString(R.string.recent_row, amount, activity.getString(words.word), time)
        card.setOnClickListener { onEvent(RecentEvent.Open(row.id)) }
    }
}
