package org.holdfast.handheld.screen

import org.holdfast.handheld.R
import org.holdfast.handheld.ui.Words
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class TypedCodeTest {
    @Test
    fun `eight symbols are whole, however they are typed`() {
        for (text in listOf("4T9W-H2CJ", "4t9wh2cj", " 4T9W H2CJ ", "OIL0-1234")) assertTrue(text, TypedCode(text).isWhole)
        for (text in listOf("", "4T9W", "4T9W-H2C", "4T9W-H2CJ5", "4T9W-H2CU", "4T9W-H2C!")) assertFalse(text, TypedCode(text).isWhole)
    }

    @Test
    fun `what is missing, too much or never in a code is said`() {
        assertEquals(Words.Ours(R.string.check_alike), TypedCode("").hint())
        assertEquals(Words.Counted(R.plurals.check_missing, 3), TypedCode("4T9W-H").hint())
        assertEquals(Words.Ours(R.string.check_ready), TypedCode("4T9W-H2CJ").hint())
        assertEquals(Words.Ours(R.string.check_too_many), TypedCode("4T9W-H2CJ5").hint())
        assertEquals(Words.Ours(R.string.check_no_u), TypedCode("4t9wu").hint())
        assertEquals(Words.Ours(R.string.check_strange, listOf("?")), TypedCode("4T?").hint())
    }

    @Test
    fun `a scanned receipt is told from a code`() {
        val receipt = "HTTPS://PAY.GREENFIELD.EXAMPLE/R/" + "A".repeat(250)
        assertTrue(TypedCode(receipt).isReceipt && TypedCode(receipt).isWhole)
        assertEquals(Words.Ours(R.string.check_receipt), TypedCode(receipt).hint())
        assertFalse(TypedCode("4T9W-H2CJ").isReceipt)
    }
}
