package org.holdfast.handheld.live

import android.graphics.Bitmap
import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.ByteArrayOutputStream
import java.net.BindException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors

/** What stands beside the screen. */
internal data class Seen(val title: String, val link: String, val payAddress: String?, val payHost: String?)

/**
 * The page around the screen, on loopback only: `GET /` the page, `GET /news?after=N` waits for a
 * change and says what changed, `GET /frame.png` the last frame, `POST /input` what the mouse did.
 */
internal class LivePage(port: Int) {
    private val server = try {
        HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0)
    } catch (e: BindException) {
        throw Trouble("port $port is in use; choose another one (${e.message})")
    }
    private val input = ConcurrentLinkedQueue<Input>()
    private val news = News()
    private val fingers = HashSet<Int>()
    private var last = IntArray(0)

    @Volatile private var heardAt = System.nanoTime()

    val address = "http://127.0.0.1:${server.address.port}"

    init {
        server.executor = Executors.newCachedThreadPool { Thread(it, "live page").apply { isDaemon = true } }
        route("/", "GET") { it.answer("text/html; charset=utf-8", resource("live.html")) }
        route("/live.js", "GET") { it.answer("text/javascript; charset=utf-8", resource("live.js")) }
        route("/live.css", "GET") { it.answer("text/css; charset=utf-8", resource("live.css")) }
        route("/news", "GET") { it.answer("application/json", news.after(it.number("after")).toByteArray()) }
        route("/frame.png", "GET") { it.answer("image/png", news.frame) }
        route("/input", "POST") { exchange -> take(exchange) }
        server.start()
    }

    /** True once a page that has a finger on the screen has not been heard of for a while. */
    val isForsaken: Boolean get() = fingers.isNotEmpty() && System.nanoTime() - heardAt > FORSAKEN_NANOS

    /** Hands over what came in since, in order; says whether there was any. */
    fun takeInput(use: (Input) -> Unit): Boolean {
        var any = false
        while (true) {
            val next = input.poll() ?: return any
            note(next)
            use(next)
            any = true
        }
    }

    /** Takes its fingers off the glass. */
    fun forget() {
        input.clear()
        input += Input.Cancel
    }

    private fun note(input: Input) {
        when (input) {
            is Input.Down -> fingers += input.finger
            is Input.Up -> fingers -= input.finger
            Input.Cancel -> fingers.clear()
            is Input.Key, is Input.Move, Input.Still, is Input.Text -> Unit
        }
    }

    fun say(seen: Seen) = news.say(seen)

    /** Publishes the frame if it differs from the last one. */
    fun show(frame: Bitmap): Boolean {
        val pixels = IntArray(frame.width * frame.height)
        frame.getPixels(pixels, 0, frame.width, 0, 0, frame.width, frame.height)
        if (pixels.contentEquals(last)) return false
        last = pixels
        val png = ByteArrayOutputStream(PNG_BYTES)
        frame.compress(Bitmap.CompressFormat.PNG, 100, png)
        news.show(png.toByteArray(), frame.width, frame.height)
        return true
    }

    private fun take(exchange: HttpExchange) {
        heardAt = System.nanoTime()
        val lines = exchange.requestBody.readNBytes(INPUT_BYTES_MAX).decodeToString().lines()
        lines.filter { it.isNotBlank() }.mapNotNullTo(input, Input::parse)
        exchange.sendResponseHeaders(204, -1)
    }

    private fun route(path: String, method: String, answer: (HttpExchange) -> Unit) {
        server.createContext(path) { exchange ->
            exchange.use {
                when {
                    it.requestURI.path != path -> it.sendResponseHeaders(404, -1)
                    !it.isOurs() -> it.sendResponseHeaders(403, -1)
                    it.requestMethod != method -> it.sendResponseHeaders(405, -1)
                    else -> answer(it)
                }
            }
        }
    }

    /** Another site in the same browser could reach this port too; it cannot name our host and origin. */
    private fun HttpExchange.isOurs(): Boolean {
        val own = setOf("127.0.0.1:${server.address.port}", "localhost:${server.address.port}")
        val origin = requestHeaders.getFirst("Origin")
        return requestHeaders.getFirst("Host") in own && (origin == null || origin.removePrefix("http://") in own)
    }

    private fun HttpExchange.number(name: String): Long =
        requestURI.query.orEmpty().split('&').firstOrNull { it.startsWith("$name=") }?.substringAfter('=')?.toLongOrNull() ?: 0

    private fun HttpExchange.answer(type: String, body: ByteArray) {
        responseHeaders["Content-Type"] = type
        responseHeaders["Cache-Control"] = "no-store"
        responseHeaders["Content-Security-Policy"] = "default-src 'none'; img-src 'self' blob:; script-src 'self'; style-src 'self'; connect-src 'self'"
        sendResponseHeaders(200, if (body.isEmpty()) -1L else body.size.toLong())
        responseBody.write(body)
    }

    private fun resource(name: String): ByteArray = checkNotNull(LivePage::class.java.getResourceAsStream("/$name")) { "no $name" }.readBytes()

    private companion object {
        /** A finger whose page is gone must not go on holding; the page reports four times a second. */
        const val FORSAKEN_NANOS = 1_500_000_000L

        /** Some hundred moves; more at once is not a hand. */
        const val INPUT_BYTES_MAX = 64 * 1024

        /** About the size of a frame, so that the buffer seldom grows. */
        const val PNG_BYTES = 64 * 1024
    }
}
