//! The real clocks and the real randomness.

use crate::engine::{BootId, Moment, Random};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Names this run of the operating system on Linux and Android.
const BOOT_ID_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// Both clocks. The monotonic one counts from the start of the operating system, sleep included,
/// where it has such a clock and a name for its run; else from when this was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    start_ms: u64,
    boot: Option<BootId>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let (start, since_boot) = (Instant::now(), since_boot_ms());
        match boot_id().filter(|_| since_boot.is_some()) {
            Some(boot) => Self { start, start_ms: since_boot.unwrap_or(0), boot: Some(boot) },
            // A run of its own: nothing is known of times before this process.
            None => Self { start, start_ms: 0, boot: None },
        }
    }

    /// Which run of the operating system the monotonic clock belongs to. `None` if there is no
    /// randomness to make up a name.
    pub(crate) fn boot(&self) -> Option<BootId> {
        let made_up = || {
            let mut boot = [0; 16];
            getrandom::fill(&mut boot).ok().map(|()| boot)
        };
        self.boot.or_else(made_up)
    }

    pub(crate) fn now(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mono_ms = self.boot.and_then(|_| since_boot_ms());
        let in_process = || self.start_ms.saturating_add(whole_ms(self.start.elapsed()));
        Moment { wall_ms: whole_ms(wall), mono_ms: mono_ms.unwrap_or_else(in_process) }
    }

    /// The instant of a moment on the monotonic clock. While the handheld sleeps no timer runs; the
    /// wait is measured anew at each turn.
    pub(crate) fn instant(&self, mono_ms: u64) -> tokio::time::Instant {
        let wait_ms = mono_ms.saturating_sub(self.now().mono_ms);
        let instant = Instant::now().checked_add(Duration::from_millis(wait_ms));
        instant.unwrap_or_else(Instant::now).into()
    }
}

/// Milliseconds since the operating system started, sleep included.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot_ms() -> Option<u64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Boottime);
    let (s, ns) = (u64::try_from(time.tv_sec).ok()?, u64::try_from(time.tv_nsec).ok()?);
    Some(s.saturating_mul(1_000).saturating_add(ns / 1_000_000))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot_ms() -> Option<u64> {
    None
}

/// The name of this run: a UUID in text.
fn boot_id() -> Option<BootId> {
    let text = std::fs::read_to_string(BOOT_ID_FILE).ok()?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    bytes.try_into().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_forward_and_two_of_one_run_agree() {
        let (one, two) = (Clock::new(), Clock::new());
        let (first, second) = (one.now().mono_ms, two.now().mono_ms);
        assert!(first <= second && second - first < 60_000);
        if one.boot.is_some() {
            assert_eq!(one.boot(), two.boot());
        }
    }
}
