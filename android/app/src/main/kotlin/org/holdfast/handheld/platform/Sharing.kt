package org.holdfast.handheld.platform

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import org.holdfast.handheld.R
import org.holdfast.handheld.core.SealedCopies
import java.io.File
import java.util.ArrayList

/** Hands files of sealed copies to whichever app the officer chooses. */
object Sharing {
    /** False if no app takes them. */
    fun share(activity: Activity, copies: List<SealedCopies>): Boolean {
        val addresses = write(CopiesProvider.folder(activity), copies).map(CopiesProvider::addressOf)
        val chooser = Intent.createChooser(send(activity, addresses), activity.getString(R.string.copies_shared))
        return try {
            activity.startActivity(chooser)
            true
        } catch (_: ActivityNotFoundException) {
            false
        }
    }

    /** Those of an earlier time go: only what waits now is to be brought in. */
    private fun write(folder: File, copies: List<SealedCopies>): List<File> {
        folder.deleteRecursively()
        folder.mkdirs()
        return copies.map { File(folder, it.fileName).apply { writeText(it.contents) } }
    }

    private fun send(activity: Activity, addresses: List<Uri>): Intent {
        val one = addresses.singleOrNull()
        val intent = Intent(if (one != null) Intent.ACTION_SEND else Intent.ACTION_SEND_MULTIPLE)
        if (one != null) intent.putExtra(Intent.EXTRA_STREAM, one) else intent.putParcelableArrayListExtra(Intent.EXTRA_STREAM, ArrayList(addresses))
        // The grant of reading goes with the clip.
        val clip = ClipData.newUri(activity.contentResolver, activity.getString(R.string.copies), addresses.first())
        addresses.drop(1).forEach { clip.addItem(ClipData.Item(it)) }
        intent.clipData = clip
        return intent.setType(CopiesProvider.TYPE).addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    }
}
