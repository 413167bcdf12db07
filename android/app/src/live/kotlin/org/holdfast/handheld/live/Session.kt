package org.holdfast.handheld.live

import org.holdfast.handheld.NotSeen
import org.junit.runner.JUnitCore
import org.junit.runner.notification.Failure
import kotlin.system.exitProcess

/** What is wrong, in one sentence that says what to do. */
class Trouble(sentence: String) : Exception(sentence)

/** A setting from the command line, `-Dholdfast.NAME=VALUE`. */
internal object Settings {
    val port: Int get() = optional("port")?.let { it.toIntOrNull() ?: throw Trouble("-Dholdfast.port is not a number: $it") } ?: 0
    val enrolmentLink: String? get() = optional("enrol")
    val qualifiers: String get() = optional("qualifiers") ?: PHONE

    fun needed(name: String): String = optional(name) ?: throw Trouble("-Dholdfast.$name is missing")

    fun optional(name: String): String? = System.getProperty("holdfast.$name")?.takeIf { it.isNotBlank() }

    /** A mid-size phone at one pixel a dp: a frame takes a third of what it takes at a real density. */
    private const val PHONE = "w411dp-h891dp-port-notnight-mdpi"
}

/**
 * Runs [session] inside Robolectric, which brings an Android of its own and therefore has to load
 * the app's classes itself; ends the process with 0, or with 1 and a sentence.
 */
internal fun runInsideRobolectric(session: Class<*>, arguments: Array<String>): Nothing {
    if (arguments.isNotEmpty()) {
        System.err.println("there are no arguments; settings are given as -Dholdfast.NAME=VALUE")
        exitProcess(2)
    }
    val failures = JUnitCore.runClasses(session).failures
    failures.forEach(::report)
    exitProcess(if (failures.isEmpty()) 0 else 1)
}

/** By name, since the session's classes were loaded a second time. */
private fun report(failure: Failure) {
    val known = setOf(Trouble::class.java.name, NotSeen::class.java.name)
    val cause = failure.exception
    System.err.println(if (cause.javaClass.name in known) cause.message else failure.trace)
}
