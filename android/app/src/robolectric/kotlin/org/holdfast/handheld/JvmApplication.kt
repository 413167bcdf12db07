package org.holdfast.handheld

import org.holdfast.handheld.core.NativeLoader
import java.io.File

/**
 * The app on a plain JVM. Only the system around it is another: JNA finds the core's library by
 * itself, and files take the place of Android Keystore.
 *
 * `-Dholdfast.data=FOLDER` keeps what a device would keep, so that a later process finds it again;
 * without it each run starts afresh.
 */
class JvmApplication : HandheldApplication() {
    override val nativeLoader = NativeLoader {}

    override fun getNoBackupFilesDir(): File =
        System.getProperty(DATA)?.let { File(it).apply { mkdirs() } } ?: super.getNoBackupFilesDir()

    override fun onCreate() {
        SoftwareKeystore.install(File(noBackupFilesDir, "keystore"))
        super.onCreate()
    }

    companion object {
        const val DATA = "holdfast.data"
    }
}
