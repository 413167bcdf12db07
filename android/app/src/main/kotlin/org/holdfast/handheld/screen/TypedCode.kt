package org.holdfast.handheld.screen

import org.holdfast.handheld.R
import org.holdfast.handheld.ui.Words

/**
 * A confirm code, or a whole receipt, as it is typed or as a scanner types it. It only helps the typing;
 * whether it proves anything is for the core to say.
 */
internal data class TypedCode(val text: String) {
    private val symbols = text.filterNot { it == '-' || it.isWhitespace() }.uppercase()

    /** A receipt is an address, or its base32 alone: far longer than any code. */
    val isReceipt: Boolean get() = symbols.length >= RECEIPT_CHARS_MIN

    val isWhole: Boolean get() = isReceipt || (symbols.length == SYMBOLS && strange == null)

    private val strange: Char? get() = symbols.firstOrNull { it !in ALPHABET && it !in LOOK_ALIKES }

    /** What stands beside the field while typing. */
    fun hint(): Words {
        val strange = strange
        return when {
            symbols.isEmpty() -> Words.Ours(R.string.check_alike)
            isReceipt -> Words.Ours(R.string.check_receipt)
            strange == 'U' -> Words.Ours(R.string.check_no_u)
            strange != null -> Words.Ours(R.string.check_strange, listOf(strange.toString()))
            symbols.length > SYMBOLS -> Words.Ours(R.string.check_too_many)
            symbols.length < SYMBOLS -> Words.Counted(R.plurals.check_missing, SYMBOLS - symbols.length)
            else -> Words.Ours(R.string.check_ready)
        }
    }

    private companion object {
        const val SYMBOLS = 8

        /** Crockford's, as the core has it. */
        const val ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

        /** Taken for 0 and 1 by the core. */
        const val LOOK_ALIKES = "OIL"

        /** A signature alone is 64 bytes, 103 characters. */
        const val RECEIPT_CHARS_MIN = 100
    }
}
