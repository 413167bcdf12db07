package org.holdfast.handheld.live

import android.view.KeyEvent
import org.holdfast.handheld.Spot
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class InputTest {
    @Test
    fun `each line says one thing`() {
        assertEquals(Input.Down(0, Spot(12.5f, 300f)), Input.parse("down 0 12.5 300"))
        assertEquals(Input.Move(1, Spot(0f, 0f)), Input.parse("move 1 0 0"))
        assertEquals(Input.Up(1), Input.parse("up 1"))
        assertEquals(Input.Cancel, Input.parse("cancel"))
        assertEquals(Input.Still, Input.parse("still"))
        assertEquals(Input.Text("http://a/e/b c"), Input.parse("text http%3A%2F%2Fa%2Fe%2Fb%20c"))
        assertEquals(Input.Key(KeyEvent.KEYCODE_BACK, down = true), Input.parse("key Escape down"))
        assertEquals(Input.Key(KeyEvent.KEYCODE_SPACE, down = false), Input.parse("key Space up"))
    }

    @Test
    fun `what says nothing we know is left out`() {
        for (line in listOf("", "down", "down 0", "down x 1 2", "down 0 1", "up", "up x", "key", "key F13 down", "jump 1 2")) {
            assertNull(line, Input.parse(line))
        }
    }
}
