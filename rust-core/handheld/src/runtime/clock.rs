//! The real clocks and the real randomness.

use crate::engine::{Moment, Random};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Both clocks; the monotonic one counts from when this was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { wall_ms: whole_ms(wall), mono_ms: whole_ms(self.start.elapsed()) }
    }

    /// The instant of a moment on the monotonic clock.
    pub(crate) fn instant(&self, mono_ms: u64) -> tokio::time::Instant {
        let instant = self.start.checked_add(Duration::from_millis(mono_ms));
        instant.unwrap_or_else(Instant::now).into()
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The operating system's randomness. If that ever failed, an ID would still differ from the other
/// IDs of this handheld, because each has a later time.
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            log::error!("no randomness: {error}");
        }
    }
}
