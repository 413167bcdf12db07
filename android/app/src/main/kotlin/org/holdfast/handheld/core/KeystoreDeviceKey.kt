package org.holdfast.handheld.core

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import org.holdfast.bindings.DeviceKey
import org.holdfast.bindings.DeviceKeyException
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.Signature
import java.security.spec.ECGenParameterSpec

/**
 * The key that signs every order: P-256 in Android Keystore, made at the first use, never readable.
 *
 * It lives in the trusted execution environment where the device has one. StrongBox is not asked
 * for, since it can take seconds for a signature; and no fingerprint or PIN is bound to it, since
 * a hold must succeed with gloves on and while the screen is being unlocked.
 */
internal class KeystoreDeviceKey : DeviceKey {
    override fun publicKey(): ByteArray = guarded {
        if (key() == null) make()
        Keystore.open().getCertificate(ALIAS).publicKey.encoded
    }

    override fun sign(message: ByteArray): ByteArray = guarded {
        // A new key would sign what no gateway takes: a missing one is said to be lost.
        val key = key() ?: throw DeviceKeyException.Lost()
        Signature.getInstance("SHA256withECDSA").run {
            initSign(key)
            update(message)
            sign()
        }
    }

    private fun key(): PrivateKey? = Keystore.open().getKey(ALIAS, null) as PrivateKey?

    private fun make() {
        val spec = KeyGenParameterSpec.Builder(ALIAS, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .build()
        val generator = KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, Keystore.PROVIDER)
        generator.initialize(spec)
        generator.generateKeyPair()
    }

    private inline fun <T> guarded(work: () -> T): T = try {
        synchronized(Keystore) { work() }
    } catch (e: DeviceKeyException) {
        throw e
    } catch (e: KeyPermanentlyInvalidatedException) {
        throw DeviceKeyException.Lost().apply { initCause(e) }
    } catch (e: GeneralSecurityException) {
        throw unavailable(e)
    } catch (e: IOException) {
        throw unavailable(e)
    } catch (e: RuntimeException) {
        // Keystore reports a broken or locked key store by unchecked exceptions too.
        throw unavailable(e)
    }

    private fun unavailable(cause: Exception) =
        DeviceKeyException.Unavailable(cause.javaClass.simpleName).apply { initCause(cause) }

    private companion object {
        const val ALIAS = "holdfast.device"
    }
}
