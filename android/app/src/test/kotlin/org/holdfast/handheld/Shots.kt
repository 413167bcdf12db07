package org.holdfast.handheld

import java.io.File

/** Pictures for people to look at, one file a name. */
object Shots {
    private val folder = File(System.getProperty("holdfast.shots", "target/shots"))

    fun take(name: String, glass: Glass = Glass()): File =
        File(folder, "$name.png").also { glass.picture().savePng(it) }
}
