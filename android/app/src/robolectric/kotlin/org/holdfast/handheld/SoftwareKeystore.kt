package org.holdfast.handheld

import android.security.keystore.KeyGenParameterSpec
import java.io.File
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyFactory
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyPairGeneratorSpi
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.PublicKey
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.security.spec.ECGenParameterSpec
import java.security.spec.PKCS8EncodedKeySpec
import java.security.spec.X509EncodedKeySpec
import java.util.Date
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/**
 * Stands in for Android Keystore on a JVM: a provider of the same name whose keys are plain files,
 * so that they are still there after a restart. Only what the app asks of the real one is here, and
 * the app's own code for it runs unchanged. It protects nothing.
 */
class SoftwareKeystore private constructor(folder: File) : Provider(NAME, "1.0", "files in place of Android Keystore") {
    private val files = KeyFiles(folder)

    init {
        offer("KeyStore", NAME) { Store(files) }
        offer("KeyPairGenerator", "EC") { PairMaker(files) }
        offer("KeyGenerator", "AES") { SecretMaker(files) }
    }

    private fun offer(type: String, algorithm: String, make: () -> Any) =
        putService(object : Service(this, type, algorithm, SoftwareKeystore::class.java.name, null, null) {
            override fun newInstance(constructorParameter: Any?): Any = make()
        })

    companion object {
        private const val NAME = "AndroidKeyStore"

        /** Takes the place of whatever was installed by an earlier run of the app in this process. */
        fun install(folder: File) {
            Security.removeProvider(NAME)
            Security.addProvider(SoftwareKeystore(folder))
        }
    }
}

private class KeyFiles(private val folder: File) {
    fun pair(alias: String): KeyPair? {
        if (!file(alias, "pkcs8").exists()) return null
        val keys = KeyFactory.getInstance("EC")
        val public = keys.generatePublic(X509EncodedKeySpec(file(alias, "spki").readBytes()))
        return KeyPair(public, keys.generatePrivate(PKCS8EncodedKeySpec(file(alias, "pkcs8").readBytes())))
    }

    fun keep(alias: String, pair: KeyPair) {
        write(alias, "spki", pair.public.encoded)
        write(alias, "pkcs8", pair.private.encoded)
    }

    fun secret(alias: String): SecretKey? =
        file(alias, "aes").takeIf { it.exists() }?.let { SecretKeySpec(it.readBytes(), "AES") }

    fun keep(alias: String, secret: SecretKey) = write(alias, "aes", secret.encoded)

    private fun write(alias: String, kind: String, bytes: ByteArray) {
        folder.mkdirs()
        val whole = File(folder, "$alias.$kind.new")
        whole.writeBytes(bytes)
        check(whole.renameTo(file(alias, kind))) { "cannot write $whole" }
    }

    private fun file(alias: String, kind: String) = File(folder, "$alias.$kind")
}

private class PairMaker(private val files: KeyFiles) : KeyPairGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun initialize(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun initialize(keysize: Int, random: SecureRandom?) = error("Android Keystore wants a KeyGenParameterSpec")

    override fun generateKeyPair(): KeyPair {
        val curve = spec.algorithmParameterSpec as ECGenParameterSpec
        val maker = KeyPairGenerator.getInstance("EC")
        maker.initialize(curve)
        return maker.generateKeyPair().also { files.keep(spec.keystoreAlias, it) }
    }
}

private class SecretMaker(private val files: KeyFiles) : KeyGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun engineInit(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun engineInit(random: SecureRandom?) = error("Android Keystore wants a KeyGenParameterSpec")

    override fun engineInit(keysize: Int, random: SecureRandom?) = error("Android Keystore wants a KeyGenParameterSpec")

    override fun engineGenerateKey(): SecretKey {
        val bytes = ByteArray(spec.keySize / 8).also(SecureRandom()::nextBytes)
        return SecretKeySpec(bytes, "AES").also { files.keep(spec.keystoreAlias, it) }
    }
}

private class Store(private val files: KeyFiles) : KeyStoreSpi() {
    override fun engineGetKey(alias: String, password: CharArray?): Key? = files.pair(alias)?.private ?: files.secret(alias)

    override fun engineGetCertificate(alias: String): Certificate? = files.pair(alias)?.let { OnlyPublicKey(it.public) }

    override fun engineContainsAlias(alias: String): Boolean = engineGetKey(alias, null) != null

    override fun engineIsKeyEntry(alias: String): Boolean = engineContainsAlias(alias)

    override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

    override fun engineGetCertificateChain(alias: String): Array<Certificate>? = engineGetCertificate(alias)?.let { arrayOf(it) }

    override fun engineIsCertificateEntry(alias: String): Boolean = false

    override fun engineAliases() = unused()

    override fun engineSize() = unused()

    override fun engineGetCreationDate(alias: String): Date = unused()

    override fun engineGetCertificateAlias(certificate: Certificate) = unused()

    override fun engineSetKeyEntry(alias: String, key: Key?, password: CharArray?, chain: Array<out Certificate>?) = unused()

    override fun engineSetKeyEntry(alias: String, key: ByteArray?, chain: Array<out Certificate>?) = unused()

    override fun engineSetCertificateEntry(alias: String, certificate: Certificate?) = unused()

    override fun engineDeleteEntry(alias: String) = unused()

    override fun engineStore(stream: OutputStream?, password: CharArray?) = unused()

    private fun unused(): Nothing = throw UnsupportedOperationException("the app asks nothing of the kind")
}

/** Keystore wraps each public key in a certificate of its own; only the key in it is of use. */
private class OnlyPublicKey(private val key: PublicKey) : Certificate("none") {
    override fun getPublicKey(): PublicKey = key

    override fun getEncoded(): ByteArray = key.encoded

    override fun verify(key: PublicKey) = throw UnsupportedOperationException()

    override fun verify(key: PublicKey, sigProvider: String) = throw UnsupportedOperationException()

    override fun toString(): String = "public key in place of a certificate"
}
