package org.holdfast.handheld.ui

import android.content.res.Resources

/** Something to say, before it is known in which language. */
sealed interface Words {
    fun inFull(resources: Resources): String

    /** A sentence of ours, with its parts. */
    data class Ours(val id: Int, val parts: List<String> = emptyList()) : Words {
        override fun inFull(resources: Resources): String = resources.getString(id, *parts.toTypedArray())
    }

    /** A sentence of the gateway's, shown as it came. */
    data class OfGateway(val sentence: String) : Words {
        override fun inFull(resources: Resources): String = sentence
    }
}
