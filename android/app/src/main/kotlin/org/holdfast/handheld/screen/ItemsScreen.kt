package org.holdfast.handheld.screen

import android.app.Activity
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.FrameLayout
import android.widget.ImageButton
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.ListView
import android.widget.TextView
import org.holdfast.handheld.R
import org.holdfast.handheld.ui.MoneyText
import org.holdfast.handheld.ui.Screen
import org.holdfast.handheld.ui.colour
import org.holdfast.handheld.ui.showIf
import org.holdfast.handheld.ui.showTrouble

class ItemsScreen(private val activity: Activity, private val onEvent: (ItemsEvent) -> Unit) : Screen<ItemsUiState> {
    override val view = activity.layoutInflater.inflate(R.layout.items, FrameLayout(activity), false)!!
    private val list = view.findViewById<ListView>(R.id.items)!!
    private val empty = view.findViewById<TextView>(R.id.empty)!!
    private val total = view.findViewById<TextView>(R.id.total)!!
    private val trouble = view.findViewById<TextView>(R.id.trouble)!!
    private val checkout = view.findViewById<Button>(R.id.checkout)!!
    private val openPayments = activity.layoutInflater.inflate(R.layout.open_payments, list, false)!!
    private val openRows = openPayments.findViewById<LinearLayout>(R.id.open_payments)!!
    private val alarm = openPayments.findViewById<TextView>(R.id.alarm)!!
    private val thisHandheld = openPayments.findViewById<Button>(R.id.this_handheld)!!
    private val recent = openPayments.findViewById<View>(R.id.recent)!!
    private val recentWord = openPayments.findViewById<TextView>(R.id.recent_word)!!
    private val rows = ItemRows(activity, onEvent)
    private var shownOpen: List<OpenPaymentRow> = emptyList()

    init {
        list.addHeaderView(openPayments, null, false)
        list.adapter = rows
        list.itemsCanFocus = true
        openRows.showIf(false)
        checkout.setOnClickListener { onEvent(ItemsEvent.Checkout) }
        recent.setOnClickListener { onEvent(ItemsEvent.Recent) }
        thisHandheld.setOnClickListener { onEvent(ItemsEvent.ThisHandheld) }
    }

    override fun title(state: ItemsUiState) = R.string.items_title

    override fun render(state: ItemsUiState) {
        rows.show(state.rows)
        empty.showIf(state.rows.isEmpty())
        showOpen(state.earlier)
        alarm.showTrouble(state.alarm, view.resources)
        thisHandheld.showIf(state.alarm != null)
        recentWord.text = state.recent.inWords()
        total.text = state.total?.let { MoneyText.large(it, view.resources) }
        checkout.isEnabled = state.canCheckout
        trouble.showTrouble(state.trouble, view.resources)
    }

    private fun RecentSummary.inWords(): String = when {
        toLookAt > 0 -> view.resources.getQuantityString(R.plurals.recent_wrong, toLookAt, toLookAt)
        unsent > 0 -> view.resources.getQuantityString(R.plurals.outbox_payments, unsent, unsent)
        else -> activity.getString(R.string.recent_fine)
    }

    private fun showOpen(open: List<OpenPaymentRow>) {
        if (open == shownOpen) return
        shownOpen = open
        openRows.showIf(open.isNotEmpty())
        // The first child is the heading.
        openRows.removeViews(1, openRows.childCount - 1)
        for (payment in open) openRows.addView(rowOf(payment))
    }

    private fun rowOf(payment: OpenPaymentRow): View {
        val row = activity.layoutInflater.inflate(R.layout.row_open_payment, openRows, false)!!
        val amount = MoneyText.full(payment.total, view.resources)
        val state = activity.getString(payment.state.word)
        row.findViewById<ImageView>(R.id.icon)!!.setImageResource(payment.state.icon)
        row.findViewById<TextView>(R.id.amount)!!.text = amount
        row.findViewById<TextView>(R.id.state)!!.text = state
        row.contentDescription = activity.getString(R.string.open_payment, amount, state)
        row.setOnClickListener { onEvent(ItemsEvent.Open(payment.id)) }
        return row
    }
}

private class ItemRows(private val activity: Activity, private val onEvent: (ItemsEvent) -> Unit) : BaseAdapter() {
    private var rows: List<ItemRow> = emptyList()

    fun show(rows: List<ItemRow>) {
        if (rows == this.rows) return
        this.rows = rows
        notifyDataSetChanged()
    }

    override fun getCount(): Int = rows.size

    override fun getItem(position: Int): ItemRow = rows[position]

    override fun getItemId(position: Int): Long = rows[position].id.toLong()

    override fun hasStableIds(): Boolean = true

    override fun isEnabled(position: Int): Boolean = false

    override fun areAllItemsEnabled(): Boolean = false

    override fun getView(position: Int, recycled: View?, parent: ViewGroup): View {
        val view = recycled ?: activity.layoutInflater.inflate(R.layout.row_item, parent, false)!!
        bind(view, rows[position])
        return view
    }

    private fun bind(view: View, row: ItemRow) {
        val resources = activity.resources
        view.findViewById<TextView>(R.id.name)!!.text = row.name
        view.findViewById<TextView>(R.id.price)!!.text = MoneyText.full(row.price, resources)
        val quantity = view.findViewById<TextView>(R.id.quantity)!!
        quantity.text = row.quantity.toString()
        quantity.setTextColor(activity.colour(if (row.quantity == 0) R.attr.textQuiet else R.attr.text))
        quantity.contentDescription = resources.getString(R.string.quantity_of, row.quantity, row.name)
        val add = view.findViewById<ImageButton>(R.id.add)!!
        add.isEnabled = row.canAdd
        add.contentDescription = resources.getString(R.string.add_one, row.name)
        add.setOnClickListener { onEvent(ItemsEvent.Add(row.id)) }
        val remove = view.findViewById<ImageButton>(R.id.remove)!!
        remove.isEnabled = row.quantity > 0
        remove.contentDescription = resources.getString(R.string.remove_one, row.name)
        remove.setOnClickListener { onEvent(ItemsEvent.Remove(row.id)) }
    }
}
