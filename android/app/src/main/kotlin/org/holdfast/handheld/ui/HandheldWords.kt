package org.holdfast.handheld.ui

import org.holdfast.handheld.R
import org.holdfast.handheld.core.HandheldState
import org.holdfast.handheld.core.KeyState
import org.holdfast.handheld.core.RecordFault
import org.holdfast.handheld.core.Unreadable

fun KeyState.words(): Words = Words.Ours(
    when (this) {
        KeyState.GOOD -> R.string.keys_good
        KeyState.DEVICE_KEY_LOST -> R.string.keys_device_lost
        KeyState.VAULT_KEY_LOST -> R.string.keys_vault_lost
    },
)

/** What an officer must know before anything else; null while all is well. */
fun HandheldState.alarm(): Words? = when {
    keys != KeyState.GOOD -> keys.words()
    unreadable.any { it.fault != RecordFault.UNVOUCHED } -> Words.Ours(R.string.unreadable)
    else -> null
}

/** True if the page about this handheld has something to say. */
val HandheldState.isUnwell: Boolean get() = keys != KeyState.GOOD || olderFile || unreadable.isNotEmpty()

/** What each fault means, payments apart from the rest. */
fun List<Unreadable>.words(): List<Words> =
    groupBy { it.fault to (it.table == PAYMENTS) }.map { (kind, records) -> words(kind.first, kind.second, records) }

private fun words(fault: RecordFault, ofPayments: Boolean, records: List<Unreadable>): Words {
    val what = Words.Counted(fault.sentence(), records.size)
    val told = if (records.all { it.reported }) R.string.fault_reported else R.string.fault_not_reported
    return when {
        // Used all the same, and the key's own sentence says the rest.
        fault == RecordFault.UNVOUCHED || fault == RecordFault.KEY_LOST -> what
        ofPayments -> Words.Joined(listOf(Words.About(R.string.fault_of_payments, what), Words.Ours(told)))
        else -> Words.About(R.string.fault_of_others, what)
    }
}

private fun RecordFault.sentence(): Int = when (this) {
    RecordFault.DAMAGED -> R.plurals.fault_damaged
    RecordFault.MISSING -> R.plurals.fault_missing
    RecordFault.ROLLED_BACK -> R.plurals.fault_rolled_back
    RecordFault.STRAY -> R.plurals.fault_stray
    RecordFault.UNVOUCHED -> R.plurals.fault_unvouched
    RecordFault.KEY_LOST -> R.plurals.fault_key_lost
}

private const val PAYMENTS = "payment"
