package org.holdfast.handheld

import org.holdfast.handheld.core.NativeLoader

/** The app on a plain JVM. */
class JvmApplication : HandheldApplication() {
    override val nativeLoader = NativeLoader {}
}
