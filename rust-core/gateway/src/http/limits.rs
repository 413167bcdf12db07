//! Rate limits: how often one address may try something that could be guessed.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Length of a window in milliseconds.
const WINDOW_MS: i64 = 60_000;
/// Addresses remembered at the most. When full, the window begins anew for all: memory stays
/// bounded, and a flood from many addresses is still held by the limit for all together.
const ADDRESSES_MAX: usize = 10_000;

/// Counts tries in windows of one minute, for each address (or whatever else tries) and for all
/// together.
pub(crate) struct RateLimit<K = IpAddr> {
    each_max: u32,
    all_max: u32,
    window: Mutex<Window<K>>,
}

struct Window<K> {
    began_ms: i64,
    all: u32,
    each: HashMap<K, u32>,
}

impl<K: Eq + Hash> RateLimit<K> {
    /// So many tries a minute.
    pub(crate) fn per_minute(each_max: u32, all_max: u32) -> Self {
        let window = Window { began_ms: 0, all: 0, each: HashMap::new() };
        Self { each_max, all_max, window: Mutex::new(window) }
    }

    /// Counts a try; false if it is one too many.
    pub(crate) fn admit(&self, from: K, now_ms: i64) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let over = now_ms.abs_diff(window.began_ms) >= WINDOW_MS.unsigned_abs();
        if over || window.each.len() >= ADDRESSES_MAX {
            let all = if over { 0 } else { window.all };
            *window = Window { began_ms: now_ms, all, each: HashMap::new() };
        }
        let each = window.each.entry(from).or_default();
        *each = each.saturating_add(1);
        let within = *each <= self.each_max;
        window.all = window.all.saturating_add(u32::from(within));
        within && window.all <= self.all_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_address_is_held_and_another_is_not() {
        let limit = RateLimit::per_minute(2, 100);
        assert!(limit.admit(address(1), 0) && limit.admit(address(1), 1));
        assert!(!limit.admit(address(1), 2));
        assert!(limit.admit(address(2), 3));
        assert!(limit.admit(address(1), WINDOW_MS));
    }

    #[test]
    fn all_together_are_held_too() {
        let limit = RateLimit::per_minute(2, 3);
        let admitted = (0..10).filter(|last| limit.admit(address(*last), 0)).count();
        assert_eq!(admitted, 3);
    }

    #[test]
    fn a_clock_set_back_does_not_lock_everybody_out() {
        let limit = RateLimit::per_minute(1, 100);
        assert!(limit.admit(address(1), 10 * WINDOW_MS));
        assert!(limit.admit(address(1), 0));
    }
}
