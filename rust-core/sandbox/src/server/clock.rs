//! The time: the system's, which can be moved ahead, or one that moves by hand alone.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) struct Clock {
    ahead_ms: AtomicI64,
    /// Where a clock stands that moves by hand alone.
    stands_at_ms: Option<i64>,
}

impl Clock {
    pub(super) fn new(by_hand: bool) -> Self {
        let stands_at_ms = by_hand.then(system_ms);
        Self { ahead_ms: AtomicI64::new(0), stands_at_ms }
    }

    /// Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        let base_ms = self.stands_at_ms.unwrap_or_else(system_ms);
        base_ms.saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    pub(super) fn is_by_hand(&self) -> bool {
        self.stands_at_ms.is_some()
    }

    pub(super) fn skip_ahead(&self, by: Duration) {
        self.ahead_ms.fetch_add(ms(by), Ordering::Relaxed);
    }
}

fn system_ms() -> i64 {
    ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
