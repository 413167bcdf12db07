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

    /// Goes on from where an earlier run was: as far ahead of the system's time, or, by hand, from
    /// where it stood. Never behind what has happened already.
    pub(super) fn resume(&self, was_ahead_ms: i64, stood_at_ms: i64) {
        let behind_ms = stood_at_ms.saturating_sub(self.now_ms());
        let ahead_ms = if self.is_by_hand() { behind_ms } else { behind_ms.max(was_ahead_ms) };
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }

    pub(super) fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::Relaxed)
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

#[test]
fn a_clock_goes_on_from_where_it_was() {
    let by_hand = Clock::new(true);
    let then_ms = by_hand.now_ms() - 5_000;
    by_hand.resume(0, then_ms);
    assert_eq!(by_hand.now_ms(), then_ms, "it stood still while nobody was there");
    let running = Clock::new(false);
    running.resume(3_600_000, system_ms());
    assert!((3_600_000..3_660_000).contains(&(running.now_ms() - system_ms())));
    let overtaken = Clock::new(false);
    overtaken.resume(0, system_ms() + 7_200_000);
    assert!(overtaken.now_ms() >= system_ms() + 7_100_000, "nothing happens before what has");
}
