package org.holdfast.handheld.screen

import org.holdfast.handheld.MainActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import java.lang.reflect.Modifier

/** A screen can be understood from its state: plain values that never change. */
class UiStateTest {
    private val states = classesOf("org/holdfast/handheld/screen").filter { it.simpleName.endsWith("UiState") }

    @Test
    fun `each screen has one`() = assertEquals(
        listOf(
            "CardUiState", "CheckCodeUiState", "ConfirmUiState", "DetailsUiState", "DeviceUiState", "EnrolUiState", "ItemsUiState",
            "MethodUiState", "ProcessUiState", "RecentUiState", "ResultUiState", "StartingUiState", "SummaryUiState",
        ),
        states.map { it.simpleName }.sorted(),
    )

    @Test
    fun `none can be changed`() {
        for (field in states.flatMap { it.declaredFields.toList() }) {
            assertTrue("$field", Modifier.isFinal(field.modifiers) || Modifier.isStatic(field.modifiers))
        }
    }

    @Test
    fun `none knows a view, a screen or the core`() {
        for (field in states.flatMap { it.declaredFields.toList() }) {
            val type = field.type.name
            assertTrue("$field", listOf("android.", "org.holdfast." + "bindings.").none(type::startsWith) && !type.endsWith("Holdfast"))
        }
    }

    private fun classesOf(folder: String): List<Class<*>> {
        val root = File(MainActivity::class.java.protectionDomain.codeSource.location.toURI())
        return File(root, folder).listFiles()!!.filter { it.extension == "class" && '$' !in it.name }
            .map { Class.forName("$folder/${it.nameWithoutExtension}".replace('/', '.')) }
    }
}
