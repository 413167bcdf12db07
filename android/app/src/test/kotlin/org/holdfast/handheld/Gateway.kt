package org.holdfast.handheld

import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.TimeUnit

/**
 * The real gateway, as its own process with its own data folder. It can be stopped and started
 * again at the same address, as one whose network was gone.
 */
class Gateway(private val folder: File, stripe: String = UNREACHED) : AutoCloseable {
    private val program = Sandbox.program
    private val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    private val data = File(folder, "gateway")
    private val url = "http://127.0.0.1:$port"
    private var serving: Process? = null

    init {
        check(program.canExecute()) { "$program is not there; build it with `cargo build --workspace`, or name it with -Dholdfast.bin" }
        run("init", "--data", data.path, "--tenant", TENANT, "--name", "City of Greenfield", "--public-url", url)
        run("officer", "add", OFFICER, *at())
        val prices = File(folder, "prices.csv").apply { writeText(PRICES) }
        run("catalogue", "load", prices.path, *at())
        run("stripe", "set", *at(), "--code", "STRIPE", "--mode", "test", "--name", "Online Payment", "--api-base", stripe)
        start()
    }

    fun start() {
        val process = ProcessBuilder(program.path, "serve", "--data", data.path, "--listen", "127.0.0.1:$port")
            .redirectError(File(folder, "gateway.log")).start()
        serving = process
        val first = process.inputStream.bufferedReader().readLine()
        check(first?.startsWith("listening on ") == true) { "the gateway did not start: ${File(folder, "gateway.log").readText()}" }
    }

    /** Gone, as a network is gone: connections to it are refused. */
    fun stop() {
        val process = serving ?: return
        serving = null
        process.destroy()
        if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
    }

    /** A one-time link that enrols a handheld. */
    fun enrolmentLink(approved: Boolean = true): String {
        val out = run("handheld", "code", *at(), "--officer", OFFICER, *(if (approved) arrayOf("--approved") else emptyArray()))
        return checkNotNull(Regex("https?://\\S+/e/\\S+").find(out)?.value) { "no link in: $out" }
    }

    fun approve(deviceId: String) {
        run("handheld", "approve", deviceId, *at())
    }

    /** The handheld is said to be lost. */
    fun revoke(deviceId: String) {
        run("handheld", "revoke", deviceId, *at())
    }

    override fun close() = stop()

    private fun at() = arrayOf("--data", data.path, "--tenant", TENANT)

    private fun run(vararg arguments: String): String {
        val log = File(folder, "command.log")
        val process = ProcessBuilder(program.path, *arguments).redirectError(log)
            .apply { environment() += KEYS }.start()
        val out = process.inputStream.bufferedReader().readText()
        check(process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) { "`${arguments.joinToString(" ")}` does not end" }
        check(process.exitValue() == 0) { "`${arguments.joinToString(" ")}` failed: ${log.readText()}" }
        return out
    }

    private companion object {
        const val TENANT = "demo"
        const val OFFICER = "Dana Okafor"
        const val DEADLINE_S = 30L

        /** Where no payer presses Pay, nothing is asked of Stripe. */
        const val UNREACHED = "http://127.0.0.1:9"
        val KEYS = mapOf("STRIPE_SECRET_KEY" to "sk_test_handheldtests", "STRIPE_WEBHOOK_SECRET" to "whsec_handheldtests")
        const val PRICES = "id,name,price\n1,Overstayed meter,45.00\n2,No parking zone,80.00\n9,Evening permit (one day),6.50\n10,Paper copy,0.10\n"
    }
}
