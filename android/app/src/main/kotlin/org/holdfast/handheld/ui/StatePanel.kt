package org.holdfast.handheld.ui

import android.content.res.ColorStateList
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.holdfast.handheld.R
import org.holdfast.handheld.core.Money

/** The amount and the state, read first; below them who acts, where somebody must, and what it means for the money. */
internal class StatePanel(view: View) {
    private val context = view.context!!
    private val panel = view.findViewById<View>(R.id.state_panel)!!
    private val icon = view.findViewById<ImageView>(R.id.state_icon)!!
    private val state = view.findViewById<TextView>(R.id.state)!!
    private val amount = view.findViewById<TextView>(R.id.amount)!!
    private val who = view.findViewById<TextView>(R.id.who)!!
    private val means = view.findViewById<TextView>(R.id.means)!!

    fun show(total: Money?, words: StateWords?) {
        amount.text = total?.let { MoneyText.large(it, context.resources) }
        panel.showIf(words != null)
        words?.let(::show)
    }

    private fun show(words: StateWords) {
        val (ground, text) = words.tone.panelRoles()
        panel.setBackgroundResource(R.drawable.state_panel)
        panel.backgroundTintList = ColorStateList.valueOf(context.colour(ground))
        icon.setImageResource(words.icon)
        icon.imageTintList = ColorStateList.valueOf(context.colour(text))
        state.setTextColor(context.colour(text))
        state.setTextIfNew(context.getString(words.word))
        who.showIf(words.who != null)
        words.who?.let { who.setTextIfNew(context.getString(it)) }
        means.setTextIfNew(words.means.inFull(context.resources))
    }
}

private fun Tone.panelRoles(): Pair<Int, Int> = when (this) {
    Tone.Calm -> R.attr.text to R.attr.ground
    Tone.Good -> R.attr.paid to R.attr.onPaid
    Tone.Bad -> R.attr.declined to R.attr.onDeclined
}

/** The colour of a state's word where it has no panel of its own. */
internal fun Tone.textRole(): Int = when (this) {
    Tone.Calm -> R.attr.text
    Tone.Good -> R.attr.paid
    Tone.Bad -> R.attr.declined
}

/** A live region speaks whenever its text is set, so it is set only when it changes. */
internal fun TextView.setTextIfNew(said: String) {
    if (text.toString() != said) text = said
}
