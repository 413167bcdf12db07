//! What the outside lends to one step of the engine: the time and some randomness.

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970 by the handheld's clock. It may be wrong and may jump; nothing is
    /// timed with it.
    pub wall_ms: u64,
    /// Milliseconds of a clock that only runs forward; its zero means nothing.
    pub mono_ms: u64,
}

/// Randomness for payment IDs and for jitter. Not for keys and nonces: those are drawn where
/// they are used, and a failure there is an error.
pub trait Random: Send {
    /// Fills the bytes.
    fn fill(&mut self, bytes: &mut [u8]);

    /// A number from 0 to `most`. (The bias towards small numbers is far below what jitter needs.)
    fn up_to(&mut self, most: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes) % most.saturating_add(1)
    }
}

/// The outside, for one step.
pub struct Turn<'a> {
    /// The time of the step.
    pub now: Moment,
    /// Its randomness.
    pub random: &'a mut dyn Random,
}
