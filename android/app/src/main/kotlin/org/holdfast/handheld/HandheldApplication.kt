package org.holdfast.handheld

import android.app.Application
import org.holdfast.handheld.core.Holdfast
import org.holdfast.handheld.core.HoldfastConfig
import org.holdfast.handheld.core.NativeLoader
import org.holdfast.handheld.platform.NetworkWatch
import java.io.File

/** The process: it has one core, opened at once and never closed. */
open class HandheldApplication : Application() {
    lateinit var holdfast: Holdfast
        private set

    private lateinit var network: NetworkWatch

    protected open val nativeLoader: NativeLoader = NativeLoader.SYSTEM

    override fun onCreate() {
        super.onCreate()
        val config = HoldfastConfig(
            dataDir = File(noBackupFilesDir, "core"),
            locale = resources.configuration.locales[0].toLanguageTag(),
            appVersion = packageManager.getPackageInfo(packageName, 0).versionName.orEmpty(),
        )
        holdfast = Holdfast(config, nativeLoader)
        holdfast.open()
        network = NetworkWatch(this, holdfast::refreshSoon)
        network.start()
    }

    /** Only on a JVM, where one process runs the app many times. */
    override fun onTerminate() {
        network.stop()
        holdfast.close()
        super.onTerminate()
    }
}
