package org.holdfast.handheld.ui

import org.holdfast.handheld.core.Money
import org.junit.Assert.assertEquals
import org.junit.Test
import java.util.Locale

class MoneyTextTest {
    @Test
    fun `money has as many decimals as its currency`() {
        assertEquals("1,558.00", MoneyText.number(Money(155_800, "USD", 2), Locale.ENGLISH))
        assertEquals("1,558", MoneyText.number(Money(1_558, "JPY", 0), Locale.ENGLISH))
        assertEquals("1.558", MoneyText.number(Money(1_558, "KWD", 3), Locale.ENGLISH))
    }

    @Test
    fun `it is written as the officer's language writes numbers`() =
        assertEquals("1.558,05", MoneyText.number(Money(155_805, "EUR", 2), Locale.GERMAN))

    @Test
    fun `small, none and the largest are exact`() {
        assertEquals("0.05", MoneyText.number(Money(5, "USD", 2), Locale.ENGLISH))
        assertEquals("0.00", MoneyText.number(Money(0, "USD", 2), Locale.ENGLISH))
        assertEquals("92,233,720,368,547,758.07", MoneyText.number(Money(Long.MAX_VALUE, "USD", 2), Locale.ENGLISH))
    }
}
