package org.holdfast.handheld.platform

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/**
 * Lends the files of sealed copies to the app that the officer shares them with, and to nobody else: it is
 * not exported, and each address is granted for one intent. Nothing can be written through it.
 */
class CopiesProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw FileNotFoundException("copies are only read")
        return ParcelFileDescriptor.open(fileOf(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun getType(uri: Uri): String = TYPE

    override fun query(uri: Uri, columns: Array<out String>?, where: String?, values: Array<out String>?, order: String?): Cursor {
        val file = fileOf(uri)
        val asked = columns ?: arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)
        return MatrixCursor(asked).apply {
            addRow(
                asked.map {
                    when (it) {
                        OpenableColumns.DISPLAY_NAME -> file.name
                        OpenableColumns.SIZE -> file.length()
                        else -> null
                    }
                },
            )
        }
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri = throw UnsupportedOperationException(READ_ONLY)

    override fun delete(uri: Uri, where: String?, values: Array<out String>?): Int = throw UnsupportedOperationException(READ_ONLY)

    override fun update(uri: Uri, values: ContentValues?, where: String?, arguments: Array<out String>?): Int =
        throw UnsupportedOperationException(READ_ONLY)

    /** A name alone, of a file that is there: no path leads out of the folder. */
    private fun fileOf(uri: Uri): File {
        val folder = folder(context!!)
        val name = uri.pathSegments.singleOrNull() ?: throw FileNotFoundException("$uri")
        return folder.listFiles()?.firstOrNull { it.name == name } ?: throw FileNotFoundException("$uri")
    }

    companion object {
        const val TYPE = "application/json"
        private const val AUTHORITY = "org.holdfast.handheld.copies"
        private const val READ_ONLY = "copies are only read"

        fun folder(context: Context) = File(context.cacheDir, "copies")

        fun addressOf(file: File): Uri = Uri.Builder().scheme("content").authority(AUTHORITY).appendPath(file.name).build()
    }
}
