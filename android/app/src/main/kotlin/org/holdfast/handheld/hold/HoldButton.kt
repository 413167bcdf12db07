package org.holdfast.handheld.hold

import android.animation.ValueAnimator
import android.content.Context
import android.graphics.Rect
import android.os.SystemClock
import android.util.AttributeSet
import android.view.Gravity
import android.view.KeyEvent
import android.view.LayoutInflater
import android.view.MotionEvent
import android.view.View
import android.view.ViewConfiguration
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import org.holdfast.handheld.R
import org.holdfast.handheld.platform.Haptics

/**
 * The button that is held for [HoldGesture.HOLD_MS]. It turns touches, keys, windows and time into
 * the inputs of [HoldGesture], and shows the phase; it decides nothing itself.
 *
 * It fires [onHeld] once and then says "Saving…" until [show] is given a later attempt.
 */
class HoldButton @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    LinearLayout(context, attributes) {

    var onHeld: () -> Unit = {}

    /** Monotonic milliseconds; a test may pass its own. */
    var clock: () -> Long = SystemClock::uptimeMillis

    /** Whether the system shows animations; without them the words count down instead. */
    var animates: () -> Boolean = ValueAnimator::areAnimatorsEnabled

    private var phase: HoldPhase = HoldPhase.Resting
    private var attempt = 0
    private var heldByKey: Int? = null
    private val words: HoldWords
    private val fill = HoldFill(context)
    private val label: TextView
    private val hint: TextView
    private val inside = Rect()
    private val slop = ViewConfiguration.get(context).scaledTouchSlop

    private val tick = Runnable {
        feed(HoldInput.Tick)
        keepTicking()
    }

    init {
        orientation = VERTICAL
        gravity = Gravity.CENTER
        isFocusable = true
        isClickable = true
        defaultFocusHighlightEnabled = false
        minimumHeight = resources.getDimensionPixelSize(R.dimen.hold_height)
        val pad = resources.getDimensionPixelSize(R.dimen.between)
        setPadding(pad, pad, pad, pad)
        background = fill
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_YES
        accessibilityLiveRegion = ACCESSIBILITY_LIVE_REGION_POLITE
        LayoutInflater.from(context).inflate(R.layout.hold_button, this)
        label = findViewById(R.id.hold_label)!!
        hint = findViewById(R.id.hold_hint)!!
        words = HoldWords(resources)
        draw()
    }

    /**
     * Shows [text] (what is processed, with its amount). While [saving] the button is done. An
     * [attempt] greater than the last one shown means that the hold before it did not succeed and
     * arms the button again.
     */
    fun show(text: CharSequence, attempt: Int, saving: Boolean) {
        label.text = text
        if (saving) phase = HoldPhase.Done else if (attempt > this.attempt) feed(HoldInput.Rearm)
        this.attempt = maxOf(attempt, this.attempt)
        draw()
    }

    /** The screen is left or covered: whatever the finger does now counts for nothing. */
    fun interrupt() = feed(HoldInput.Interrupted)

    override fun onInterceptTouchEvent(event: MotionEvent): Boolean = true

    override fun dispatchTouchEvent(event: MotionEvent): Boolean {
        if (event.flags and COVERED != 0) {
            // Something lies over the button: the officer may not see what is held.
            interrupt()
            return true
        }
        return super.dispatchTouchEvent(event)
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> press()
            MotionEvent.ACTION_POINTER_DOWN -> feed(HoldInput.SecondPointer)
            MotionEvent.ACTION_MOVE -> if (isOutside(event)) feed(HoldInput.SlideOff)
            MotionEvent.ACTION_UP -> feed(HoldInput.Lift)
            MotionEvent.ACTION_CANCEL -> interrupt()
        }
        return true
    }

    private fun press() {
        if (!isEnabled) return
        parent?.requestDisallowInterceptTouchEvent(true)
        feed(HoldInput.Press)
    }

    private fun isOutside(event: MotionEvent): Boolean {
        inside.set(-slop, -slop, width + slop, height + slop)
        return !inside.contains(event.x.toInt(), event.y.toInt())
    }

    override fun onKeyDown(keyCode: Int, event: KeyEvent): Boolean {
        if (keyCode !in HOLD_KEYS) return super.onKeyDown(keyCode, event)
        if (event.repeatCount == 0 && isEnabled) {
            heldByKey = keyCode
            feed(HoldInput.Press)
        }
        return true
    }

    override fun onKeyUp(keyCode: Int, event: KeyEvent): Boolean {
        if (keyCode !in HOLD_KEYS) return super.onKeyUp(keyCode, event)
        if (keyCode == heldByKey) {
            heldByKey = null
            if (event.isCanceled) interrupt() else feed(HoldInput.Lift)
        }
        return true
    }

    /** Only accessibility services click this button; touches and keys hold it. */
    override fun performClick(): Boolean {
        if (!isEnabled) return false
        feed(HoldInput.Activate)
        return true
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        info.className = Button::class.java.name
        val action = if (phase is HoldPhase.Asking) R.string.hold_confirm_action else R.string.hold_action
        info.addAction(AccessibilityNodeInfo.AccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK, resources.getString(action)))
    }

    override fun setEnabled(enabled: Boolean) {
        super.setEnabled(enabled)
        if (!enabled) interrupt()
    }

    override fun onWindowFocusChanged(hasWindowFocus: Boolean) {
        super.onWindowFocusChanged(hasWindowFocus)
        if (!hasWindowFocus) interrupt()
    }

    override fun onFocusChanged(gainFocus: Boolean, direction: Int, previouslyFocusedRect: Rect?) {
        super.onFocusChanged(gainFocus, direction, previouslyFocusedRect)
        if (!gainFocus && heldByKey != null) interrupt()
    }

    override fun onVisibilityAggregated(isVisible: Boolean) {
        super.onVisibilityAggregated(isVisible)
        if (!isVisible) interrupt()
    }

    override fun onDetachedFromWindow() {
        interrupt()
        removeCallbacks(tick)
        super.onDetachedFromWindow()
    }

    private fun feed(input: HoldInput) {
        if (input == HoldInput.Interrupted) heldByKey = null
        val step = HoldGesture.step(phase, input, clock())
        if (step.phase == phase && step.effect == null) return draw()
        phase = step.phase
        draw()
        keepTicking()
        when (step.effect) {
            HoldEffect.Started -> Haptics.light(this)
            HoldEffect.Fired -> {
                Haptics.firm(this)
                onHeld()
            }
            HoldEffect.Ended, HoldEffect.Asked, null -> Unit
        }
    }

    /** Ticks come with the frames: a screen that is not drawn cannot complete a hold. */
    private fun keepTicking() {
        removeCallbacks(tick)
        if (phase.moves) postOnAnimation(tick)
    }

    private fun draw() {
        val now = clock()
        fill.show(if (animates()) phase.progress(now) else 0f, phase == HoldPhase.Done)
        isPressed = phase is HoldPhase.Filling
        val said = words.of(phase, now, animates())
        if (hint.text.toString() != said) hint.text = said
        // Only whole sentences are spoken: a countdown would talk over itself.
        val spoken = "${label.text}. ${words.spoken(phase)}"
        if (contentDescription?.toString() != spoken) contentDescription = spoken
    }

    private companion object {
        val HOLD_KEYS = setOf(
            KeyEvent.KEYCODE_ENTER,
            KeyEvent.KEYCODE_NUMPAD_ENTER,
            KeyEvent.KEYCODE_SPACE,
            KeyEvent.KEYCODE_DPAD_CENTER,
        )

        const val COVERED = MotionEvent.FLAG_WINDOW_IS_OBSCURED
    }
}
