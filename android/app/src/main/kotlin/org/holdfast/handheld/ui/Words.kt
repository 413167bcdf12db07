package org.holdfast.handheld.ui

import android.content.res.Resources
import org.holdfast.handheld.core.Money

/** Something to say, before it is known in which language. */
sealed interface Words {
    fun inFull(resources: Resources): String

    /** A sentence of ours, with its parts. */
    data class Ours(val id: Int, val parts: List<String> = emptyList()) : Words {
        override fun inFull(resources: Resources): String = resources.getString(id, *parts.toTypedArray())
    }

    /** A sentence of ours about a number of things; the number is its only part. */
    data class Counted(val id: Int, val count: Int) : Words {
        override fun inFull(resources: Resources): String = resources.getQuantityString(id, count, count)
    }

    /** A sentence of ours with an amount in it. */
    data class WithAmount(val id: Int, val money: Money) : Words {
        override fun inFull(resources: Resources): String = resources.getString(id, MoneyText.full(money, resources))
    }

    /** A sentence of ours with another in it. */
    data class About(val id: Int, val what: Words) : Words {
        override fun inFull(resources: Resources): String = resources.getString(id, what.inFull(resources))
    }

    data class Joined(val sentences: List<Words>) : Words {
        override fun inFull(resources: Resources): String = sentences.joinToString(" ") { it.inFull(resources) }
    }

    /** A sentence of the gateway's, shown as it came. */
    data class OfGateway(val sentence: String) : Words {
        override fun inFull(resources: Resources): String = sentence
    }
}
