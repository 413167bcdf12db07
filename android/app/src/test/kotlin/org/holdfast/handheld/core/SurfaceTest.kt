package org.holdfast.handheld.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import java.lang.reflect.Executable
import java.lang.reflect.Method
import java.lang.reflect.Modifier

/**
 * The generated bindings as the compiler left them: what the screens are linked against changes only on
 * purpose. When it should change, bless it and look at the difference:
 *
 *     HOLDFAST_BLESS=1 mvn -f android/pom.xml test -Dtest=SurfaceTest && git diff android/app/src/test
 */
class SurfaceTest {
    private val golden = File("app/src/test/resources/bindings.txt")

    @Test
    fun `the compiled surface is the one that was committed`() {
        val surface = classes().joinToString("\n") { surfaceOf(it) }
        assertTrue("the surface has its core", "fun hold(String, Continuation): Object" in surface)
        if (System.getenv("HOLDFAST_BLESS") != null) return golden.writeText(surface)
        assertEquals("if this is wanted, run it again with HOLDFAST_BLESS=1 and look at the difference", golden.readText(), surface)
    }

    private fun classes(): List<Class<*>> {
        val loader = javaClass.classLoader!!
        val root = File(org.holdfast.bindings.Core::class.java.protectionDomain.codeSource.location.toURI())
        return File(root, "org/holdfast/bindings").listFiles()!!.map { it.nameWithoutExtension }.filterNot(::isPlumbing).sorted()
            .map { Class.forName("org.holdfast.bindings.$it", false, loader) }
            .filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic }
    }

    private fun isPlumbing(name: String) =
        listOf("Ffi", "Uniffi", "UniFFI", "Companion", "ErrorHandler", "Impl", "WhenMappings", "Holdfast_ffi").any { it in name } || Regex("\\$\\d").containsMatchIn(name)

    private fun surfaceOf(type: Class<*>): String {
        val constants = if (type.isEnum) type.enumConstants.map { it.toString() } else emptyList()
        val made = type.constructors.filterNot { it.isSynthetic }.map { "new(${parametersOf(it)})" }.sorted()
        val done = type.declaredMethods.filter(::isOffered).map { "fun ${it.name}(${parametersOf(it)}): ${it.returnType.simpleName}" }.sorted()
        val parent = type.superclass?.simpleName?.takeIf { it != "Object" }?.let { ": $it" }.orEmpty()
        return "${type.name.substringAfterLast('.')}$parent\n" + (constants + made + done).joinToString("") { "    $it\n" }
    }

    /** Without what the compiler makes of every value. */
    private fun isOffered(method: Method): Boolean {
        val made = listOf("component", "copy", "equals", "hashCode", "toString", "values", "valueOf", "getEntries", "uniffi", "call", "cloneHandle")
        return Modifier.isPublic(method.modifiers) && !method.isSynthetic && '$' !in method.name && made.none(method.name::startsWith)
    }

    private fun parametersOf(executable: Executable) = executable.parameterTypes.joinToString { it.simpleName }
}
