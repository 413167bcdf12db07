package org.holdfast.handheld.screen

import org.holdfast.handheld.core.CatalogueItem
import org.holdfast.handheld.core.Money

/**
 * What the officer has picked so far: quantities by item ID, in the order picked. The total here is
 * only the running one; the core prices the lines anew, and so does the gateway.
 */
data class Cart(val quantities: Map<Int, Int> = emptyMap()) {
    val isEmpty: Boolean get() = quantities.isEmpty()

    fun quantityOf(item: Int): Int = quantities[item] ?: 0

    fun canAdd(item: Int): Boolean {
        val now = quantityOf(item)
        return now < QUANTITY_MAX && (now > 0 || quantities.size < LINES_MAX)
    }

    fun plus(item: Int): Cart = if (canAdd(item)) Cart(quantities + (item to quantityOf(item) + 1)) else this

    fun minus(item: Int): Cart = when (val now = quantityOf(item)) {
        0 -> this
        1 -> Cart(quantities - item)
        else -> Cart(quantities + (item to now - 1))
    }

    /** Without what the catalogue no longer has. */
    fun within(catalogue: List<CatalogueItem>): Cart {
        val sold = catalogue.mapTo(HashSet()) { it.id }
        return if (sold.containsAll(quantities.keys)) this else Cart(quantities.filterKeys(sold::contains))
    }

    /** The sum in the catalogue's currency; null while there is no catalogue. */
    fun total(catalogue: List<CatalogueItem>): Money? {
        val first = catalogue.firstOrNull() ?: return null
        val minor = catalogue.fold(0L) { sum, item ->
            Math.addExact(sum, Math.multiplyExact(item.price.minor, quantityOf(item.id).toLong()))
        }
        return first.price.copy(minor = minor)
    }

    private companion object {
        /** As the core has it: more lines do not fit into a QR code that a phone can read. */
        const val LINES_MAX = 12

        /** As the core has it: more is a slip of the finger. */
        const val QUANTITY_MAX = 99
    }
}
