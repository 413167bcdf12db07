//! Cash: paid by the hold, without a processor.
//!
//! The officer has the money before the handheld knows anything of a network. So the hold itself is
//! the record; its provisional receipt number follows from handheld and sequence number alone, and
//! both sides compute the same one.

use crate::code::ShortCode;
use crate::id::DeviceId;
use std::fmt;

/// How long after the hold the officer may void cash on the handheld, in seconds (15 minutes): long
/// enough for a slip of the hand, too short for a second thought. Afterwards the office voids.
pub const VOID_BY_OFFICER_S_MAX: u64 = 15 * 60;

/// May the officer void? Both times are by the handheld's clock, and signed.
pub fn officer_may_void(held_at_unix_s: u64, asked_at_unix_s: u64) -> bool {
    asked_at_unix_s.saturating_sub(held_at_unix_s) <= VOID_BY_OFFICER_S_MAX
}

/// What the payer is told at the hold, before the gateway has made an order: `P-XXXX-XXXX-12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvisionalReceipt {
    device: ShortCode,
    sequence: u64,
}

impl ProvisionalReceipt {
    /// Of the order with that number of that handheld.
    pub fn of(device: DeviceId, sequence: u64) -> Self {
        let [a, b, c, d, e, ..] = *device.as_bytes();
        Self { device: ShortCode::from_bits([a, b, c, d, e]), sequence }
    }
}

impl fmt::Display for ProvisionalReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P-{}-{}", self.device, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provisional_number_follows_from_handheld_and_sequence() {
        let number = |first: u8, sequence| {
            ProvisionalReceipt::of(DeviceId::from_bytes([first, 1, 2, 3, 4, 5, 6, 7]), sequence)
                .to_string()
        };
        assert_eq!(number(0xB2, 12), "P-P80G-40R4-12");
        assert_ne!(number(0xB2, 12), number(0xB3, 12));
        assert_ne!(number(0xB2, 12), number(0xB2, 13));
    }

    #[test]
    fn an_officer_voids_within_a_quarter_of_an_hour() {
        assert!(officer_may_void(1_000, 1_000));
        assert!(officer_may_void(1_000, 1_900));
        assert!(!officer_may_void(1_000, 1_901));
        // A clock that was set back is no reason to keep a payer's money.
        assert!(officer_may_void(1_000, 900));
    }
}
