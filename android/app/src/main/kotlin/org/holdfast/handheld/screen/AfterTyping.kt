package org.holdfast.handheld.screen

import android.text.Editable
import android.text.TextWatcher

/** Reports a field's text after each change. */
internal class AfterTyping(private val report: (String) -> Unit) : TextWatcher {
    override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

    override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit

    override fun afterTextChanged(text: Editable?) = report(text?.toString().orEmpty())
}
