package org.holdfast.handheld.screen

import org.holdfast.handheld.core.CatalogueItem
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class CartTest {
    private val empty = Cart()

    @Test
    fun `adding and removing are each other's undoing`() {
        assertEquals(Cart(mapOf(1 to 2)), empty.plus(1).plus(1))
        assertEquals(empty, empty.plus(1).minus(1))
        assertEquals(empty, empty.minus(1))
    }

    @Test
    fun `the total is exact`() = assertEquals(Samples.usd(5_800), Cart(mapOf(1 to 1, 9 to 2)).total(Samples.catalogue))

    @Test
    fun `without a catalogue there is no total`() = assertNull(empty.total(emptyList()))

    @Test
    fun `a thirteenth line does not fit, another of the twelve does`() {
        val full = Cart((1..12).associateWith { 1 })
        assertFalse(full.canAdd(13))
        assertEquals(full, full.plus(13))
        assertTrue(full.canAdd(12))
    }

    @Test
    fun `ninety-nine of one are enough`() {
        val many = Cart(mapOf(1 to 99))
        assertFalse(many.canAdd(1))
        assertEquals(many, many.plus(1))
    }

    @Test
    fun `what is no longer sold leaves the cart`() {
        val left = listOf(CatalogueItem(1, "Overstayed meter", Samples.usd(4_500)))
        assertEquals(Cart(mapOf(1 to 1)), Cart(mapOf(1 to 1, 2 to 5)).within(left))
    }
}
