//! The system's time, which can be moved ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Default)]
pub(super) struct Clock {
    ahead_ms: AtomicI64,
}

impl Clock {
    /// Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ms(since).saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    pub(super) fn skip_ahead(&self, by: Duration) {
        self.ahead_ms.fetch_add(ms(by), Ordering::Relaxed);
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
