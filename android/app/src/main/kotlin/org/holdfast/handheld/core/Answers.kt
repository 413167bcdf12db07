package org.holdfast.handheld.core

/** What the core says to a request: done, or refused for a reason that the screen puts into words. */
sealed interface Answer<out T, out R> {
    data class Done<T>(val value: T) : Answer<T, Nothing>

    data class Refused<R>(val reason: R) : Answer<Nothing, R>
}
