package org.holdfast.handheld

import org.holdfast.handheld.core.PaymentState
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.JUnitCore
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.system.exitProcess

/**
 * A hold survives the death of the process. Each handheld here is a process of its own, since only a
 * process can be killed so that nothing of it runs any more: no shutdown, no flush, no close.
 */
class KillTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `held and canceled without a network, killed each time, both are still there, and are sent when there is a network`() {
        Gateway(folder.root).use { gateway ->
            start("enrol", gateway.enrolmentLink()).apply { awaits("enrolled") }.kill()
            gateway.stop()
            val held = start("hold").apply { awaits("held") }
            held.kill()
            start("look").run {
                assertEquals("state QUEUED", awaits("state"))
                assertTrue(awaits("screen").contains("Saved, not yet sent"))
                assertEquals("state CANCEL_REQUESTED", awaits("state"))
                kill()
            }
            gateway.start()
            start("send").run {
                // Canceled is what the gateway says of an order that it has.
                assertEquals("state CANCELED", awaits("state"))
                kill()
            }
        }
    }

    private fun start(step: String, link: String = "") = Child(
        ProcessBuilder(
            File(System.getProperty("java.home"), "bin/java").path, "-cp", System.getProperty("java.class.path"), "-Xmx512m",
            "-Djna.library.path=${System.getProperty("jna.library.path")}",
            "-Drobolectric.windowManager.useRequestedSize=true",
            // What Robolectric unpacks, 200 MB, nobody who is killed cleans up: it goes with the test's folder.
            "-Djava.io.tmpdir=${File(folder.root, "temporary").apply { mkdirs() }}",
            "-D${JvmApplication.DATA}=${File(folder.root, "handheld")}", "-Dkill.step=$step", "-Dkill.link=$link",
            KilledHandheld::class.java.name,
        ).redirectError(File(folder.root, "$step.log")).start(),
        File(folder.root, "$step.log"),
    )

    private class Child(private val process: Process, private val log: File) {
        private val lines = process.inputStream.bufferedReader()

        /** The next line that begins with [word]. */
        fun awaits(word: String): String =
            generateSequence { lines.readLine() }.firstOrNull { it.startsWith(word) }
                ?: error("it ended without saying \"$word\": ${log.readText()}")

        /** SIGKILL. */
        fun kill() {
            process.destroyForcibly()
            check(process.waitFor(10, TimeUnit.SECONDS)) { "it does not die" }
        }
    }
}

/** The process that is killed. Says how far it is, then waits for its end. */
object KilledHandheld {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val failures = JUnitCore.runClasses(KilledSession::class.java).failures
        failures.forEach { System.err.println(it.trace) }
        exitProcess(1)
    }
}

/** Not a test: Robolectric runs it as one. */
@RunWith(RobolectricTestRunner::class)
class KilledSession {
    @Test
    fun run() {
        val handheld = Handheld()
        val officer = Officer(handheld)
        when (val step = System.getProperty("kill.step")) {
            "enrol" -> enrol(officer)
            "hold" -> hold(officer)
            "look" -> look(handheld, officer)
            "send" -> send(handheld)
            else -> error("no step $step")
        }
        while (true) Clockwork.live(1_000)
    }

    private fun enrol(officer: Officer) {
        officer.awaits("Enrol this handheld")
        officer.tapField()
        officer.type(System.getProperty("kill.link"))
        officer.tap("Enrol")
        officer.awaits("Overstayed meter")
        say("enrolled")
    }

    private fun hold(officer: Officer) {
        officer.awaits("Overstayed meter")
        officer.opensSummary()
        officer.choosesCard()
        officer.holds()
        say("held")
    }

    private fun look(handheld: Handheld, officer: Officer) {
        officer.awaits("Present card")
        say("state ${handheld.newest!!.state}")
        officer.awaits("Saved, not yet sent")
        say("screen ${officer.reads().joinToString(" / ")}")
        officer.asksTo("Cancel payment")
        officer.awaits("Cancel this payment?")
        officer.tap("Cancel payment")
        officer.awaits("Cancel requested")
        say("state ${handheld.newest!!.state}")
    }

    private fun send(handheld: Handheld) {
        handheld.awaits(PaymentState.CANCELED, deadlineMs = 60_000)
        say("state ${handheld.newest!!.state}")
    }

    private fun say(line: String) {
        println(line)
        System.out.flush()
    }
}
