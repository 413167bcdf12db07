package androidx.test.internal.runner.intent

import android.content.Intent
import androidx.test.runner.intent.IntentMonitor

class IntentMonitorImpl : IntentMonitor {
    @Suppress("UNUSED_PARAMETER") // Told of every intent; nobody here listens.
    fun signalIntent(intent: Intent) = Unit
}
