package org.holdfast.handheld

import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.TimeUnit

/** The local Stripe, as a process of its own. */
class Sandbox : AutoCloseable {
    private val process = ProcessBuilder(program.path, "sandbox", "--listen", "127.0.0.1:0").redirectError(ProcessBuilder.Redirect.DISCARD).start()

    val url: String = process.inputStream.bufferedReader().readLine().removePrefix("listening on ").trim()

    override fun close() {
        process.destroy()
        if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    companion object {
        private const val DEADLINE_S = 30L
        val program = File(System.getProperty("holdfast.bin", "../target/debug/holdfast"))
    }
}

/** A payer with a browser of few words: the same links, the same buttons. */
class Payer {
    private val http = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build()

    /** From the code to the paid page, with a good card; the page. */
    fun pay(payAddress: String): String {
        val cardPage = post(URI("$payAddress/pay"), "")
        val back = post(cardPage, "cardNumber=4242424242424242&cardExpiry=12%20%2F%2034&cardCvc=123&billingName=Pat%20Payer&email=")
        val page = location(back, send(HttpRequest.newBuilder(back).build()))
        return send(HttpRequest.newBuilder(page).build()).body()
    }

    private fun post(address: URI, form: String): URI {
        val request = HttpRequest.newBuilder(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "http://${address.authority}")
            .POST(HttpRequest.BodyPublishers.ofString(form)).build()
        return location(address, send(request))
    }

    private fun send(request: HttpRequest): HttpResponse<String> = http.send(request, HttpResponse.BodyHandlers.ofString())

    private fun location(from: URI, answer: HttpResponse<String>): URI {
        check(answer.statusCode() == SEE_OTHER) { "$from answers ${answer.statusCode()}: ${answer.body()}" }
        return from.resolve(answer.headers().firstValue("location").orElseThrow())
    }

    companion object {
        private const val SEE_OTHER = 303

        /** What stands in the element with this ID. */
        fun read(page: String, id: String): String = page.substringAfter("id=\"$id\">").substringBefore('<').trim()

        fun receiptOn(page: String): String = page.substringAfter("id=\"receipt-link\" href=\"").substringBefore('"')
    }
}
