package androidx.test.platform.app

import android.app.Instrumentation
import android.os.Bundle

/**
 * Robolectric's framework hands its instrumentation to androidx.test, whose archives are only in
 * Google's repository. These files hold the few types that it really calls, so that a build needs
 * no repository but Maven's own.
 */
object InstrumentationRegistry {
    @Volatile private var registered: Pair<Instrumentation, Bundle>? = null

    /** Both are null between two tests. */
    @JvmStatic
    fun registerInstance(instrumentation: Instrumentation?, arguments: Bundle?) {
        registered = instrumentation?.let { it to (arguments ?: Bundle()) }
    }

    @JvmStatic
    fun getInstrumentation(): Instrumentation = current().first

    @JvmStatic
    fun getArguments(): Bundle = Bundle(current().second)

    private fun current() = checkNotNull(registered) { "Robolectric has not started yet" }
}
