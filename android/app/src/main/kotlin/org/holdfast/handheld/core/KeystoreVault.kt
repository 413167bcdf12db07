package org.holdfast.handheld.core

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import org.holdfast.bindings.KeyVault
import org.holdfast.bindings.VaultException
import java.io.IOException
import java.security.GeneralSecurityException
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Wraps the key under which the core seals its records: AES-256-GCM with a key of Android Keystore.
 *
 * A wrapped key is the 12 bytes of the initialisation vector, which Keystore chooses, and then the
 * ciphertext with its 16 bytes of tag.
 */
internal class KeystoreVault : KeyVault {
    override fun wrap(key: ByteArray): ByteArray = guarded {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.ENCRYPT_MODE, wrappingKey() ?: make())
        check(cipher.iv.size == IV_BYTES) { "Keystore chose a vector of ${cipher.iv.size} bytes" }
        cipher.iv + cipher.doFinal(key)
    }

    override fun unwrap(wrapped: ByteArray): ByteArray = guarded {
        require(wrapped.size > IV_BYTES) { "a wrapped key has more than $IV_BYTES bytes" }
        // A new key could not unwrap what an old one wrapped: a missing one is said to be lost.
        val key = wrappingKey() ?: throw VaultException.Lost()
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 0, IV_BYTES))
        cipher.doFinal(wrapped, IV_BYTES, wrapped.size - IV_BYTES)
    }

    private fun wrappingKey(): SecretKey? = Keystore.open().getKey(ALIAS, null) as SecretKey?

    private fun make(): SecretKey {
        val spec = KeyGenParameterSpec.Builder(ALIAS, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setKeySize(KEY_BITS)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .build()
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, Keystore.PROVIDER)
        generator.init(spec)
        return generator.generateKey()
    }

    private inline fun <T> guarded(work: () -> T): T = try {
        synchronized(Keystore) { work() }
    } catch (e: VaultException) {
        throw e
    } catch (e: KeyPermanentlyInvalidatedException) {
        throw lost(e)
    } catch (e: AEADBadTagException) {
        // Wrapped by another key than the one which is here now.
        throw lost(e)
    } catch (e: GeneralSecurityException) {
        throw unavailable(e)
    } catch (e: IOException) {
        throw unavailable(e)
    } catch (e: RuntimeException) {
        // Keystore reports a broken or locked key store by unchecked exceptions too.
        throw unavailable(e)
    }

    private fun lost(cause: Exception) = VaultException.Lost().apply { initCause(cause) }

    private fun unavailable(cause: Exception) =
        VaultException.Unavailable(cause.javaClass.simpleName).apply { initCause(cause) }

    private companion object {
        const val ALIAS = "holdfast.vault"
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val KEY_BITS = 256
        const val IV_BYTES = 12
        const val TAG_BITS = 128
    }
}
