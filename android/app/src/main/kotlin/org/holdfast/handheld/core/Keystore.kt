package org.holdfast.handheld.core

import java.security.KeyStore

/** Android's own key store; also the lock under which a missing key is made once. */
internal object Keystore {
    const val PROVIDER = "AndroidKeyStore"

    fun open(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }
}
