package org.holdfast.handheld.core

/** Brings the core's library into the process before its first use. */
fun interface NativeLoader {
    fun load()

    companion object {
        /**
         * On a device: the bindings only look the library up, and Android runs `JNI_OnLoad`, which
         * connects the core's log to logcat, for nothing but this call.
         */
        val SYSTEM = NativeLoader { System.loadLibrary("holdfast_ffi") }
    }
}
