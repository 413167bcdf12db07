package org.holdfast.handheld.core

import org.holdfast.bindings.DeviceKeyException
import org.holdfast.bindings.VaultException
import org.holdfast.handheld.SoftwareKeystore
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.security.KeyFactory
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.X509EncodedKeySpec

/** The app's own code for Android Keystore, over files in its place. */
@RunWith(RobolectricTestRunner::class)
class KeystoreTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Before
    fun boot() = SoftwareKeystore.install(folder.root)

    @Test
    fun `the device key is made once, on P-256, and its signatures verify`() {
        val spki = KeystoreDeviceKey().publicKey()
        assertArrayEquals(spki, KeystoreDeviceKey().publicKey())
        val public = KeyFactory.getInstance("EC").generatePublic(X509EncodedKeySpec(spki)) as ECPublicKey
        assertEquals(256, public.params.order.bitLength())
        val message = "an order".toByteArray()
        val signature = KeystoreDeviceKey().sign(message)
        assertTrue(verifies(public, message, signature))
        assertFalse(verifies(public, "another order".toByteArray(), signature))
    }

    @Test
    fun `keys survive a restart`() {
        val spki = KeystoreDeviceKey().publicKey()
        val wrapped = KeystoreVault().wrap(DATA_KEY)
        SoftwareKeystore.install(folder.root)
        assertArrayEquals(spki, KeystoreDeviceKey().publicKey())
        assertArrayEquals(DATA_KEY, KeystoreVault().unwrap(wrapped))
    }

    @Test
    fun `a lost device key is said to be lost, and no other signs in its place`() {
        KeystoreDeviceKey().publicKey()
        folder.root.listFiles()!!.forEach { it.delete() }
        assertThrows(DeviceKeyException.Lost::class.java) { KeystoreDeviceKey().sign(byteArrayOf(1)) }
    }

    @Test
    fun `two wraps of one key differ, and both unwrap`() {
        val (one, other) = List(2) { KeystoreVault().wrap(DATA_KEY) }
        assertFalse(one.contentEquals(other))
        assertArrayEquals(DATA_KEY, KeystoreVault().unwrap(one))
        assertArrayEquals(DATA_KEY, KeystoreVault().unwrap(other))
    }

    @Test
    fun `a lost or replaced vault key is said to be lost`() {
        val wrapped = KeystoreVault().wrap(DATA_KEY)
        folder.root.listFiles()!!.forEach { it.delete() }
        assertThrows(VaultException.Lost::class.java) { KeystoreVault().unwrap(wrapped) }
        KeystoreVault().wrap(DATA_KEY)
        assertThrows(VaultException.Lost::class.java) { KeystoreVault().unwrap(wrapped) }
    }

    @Test
    fun `what was never wrapped is refused`() {
        KeystoreVault().wrap(DATA_KEY)
        assertThrows(VaultException.Unavailable::class.java) { KeystoreVault().unwrap(ByteArray(5)) }
    }

    private fun verifies(key: ECPublicKey, message: ByteArray, signature: ByteArray) = Signature.getInstance("SHA256withECDSA").run {
        initVerify(key)
        update(message)
        verify(signature)
    }

    private companion object {
        val DATA_KEY = ByteArray(32) { it.toByte() }
    }
}
