//! Time: what is known of the gateway's clock, and how long ago something was held.
//!
//! The handheld's own clock may be a day off and may jump, so nothing is judged by it. Three other
//! sources are used, the best first:
//!
//! 1. The clock that runs forward from the start of the operating system, for what was held since.
//! 2. The gateway's clock as it was last heard, carried on by the first. Its mark is stored, so that
//!    it outlives the process; it ends with the operating system's run.
//! 3. The first sight: the moment at which this process saw the order. What follows from it is too
//!    kind to an order, never too strict, and the screen says that it is not sure.

use super::record::{BootId, ClockMark, Held, HeldMoment, Record, Write};
use super::turn::Moment;
use super::{Engine, Payment};
use holdfast_protocol::SignedOrder;

/// A stored mark of the gateway's clock is replaced when it has come to differ by this much, in
/// seconds: two answers may differ by their way through the network.
const MARK_OFF_S_MAX: u64 = 2;

/// What is known of the gateway's clock: its time at a moment of ours. Kept on the monotonic clock,
/// so that a jump of the handheld's clock changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct GatewayClock(Option<(u64, u64)>);

/// How long ago, and whether that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    pub(super) ms: u64,
    pub(super) is_sure: bool,
}

impl GatewayClock {
    pub(super) fn learn(&mut self, gateway_unix_s: u64, now: Moment) {
        self.0 = Some((gateway_unix_s, now.mono_ms));
    }

    /// Unix seconds by the best knowledge of the gateway's clock.
    pub(super) fn unix_s(&self, now: Moment) -> u64 {
        self.unix_ms_at(now.mono_ms).unwrap_or(now.wall_ms) / 1_000
    }

    /// The gateway's time at a moment of the monotonic clock, in milliseconds since 1970.
    pub(super) fn unix_ms_at(&self, mono_ms: u64) -> Option<u64> {
        let (gateway_unix_s, at_mono_ms) = self.0?;
        let then_ms = gateway_unix_s.saturating_mul(1_000);
        Some(match mono_ms.checked_sub(at_mono_ms) {
            Some(later_ms) => then_ms.saturating_add(later_ms),
            None => then_ms.saturating_sub(at_mono_ms.saturating_sub(mono_ms)),
        })
    }
}

impl Engine {
    /// Says which run of the operating system this is: the monotonic clock of every
    /// [`Moment`] counts from its start. Without this call nothing is known of times before this
    /// process. To be called once, before [`super::Event::Started`].
    pub fn booted(&mut self, boot: BootId) {
        self.boot = Some(boot);
        if let Some(mark) = self.durable.clock().filter(|mark| mark.boot == boot) {
            self.clock = GatewayClock(Some((mark.gateway_unix_s, mark.mono_ms)));
        }
    }

    /// The mark to store with other news of the gateway, if the stored one is of no use any more.
    pub(super) fn clock_mark(&self) -> Option<Write> {
        let ((gateway_unix_s, mono_ms), boot) = self.clock.0.zip(self.boot)?;
        let is_good = |known: ClockMark| {
            let known_clock = GatewayClock(Some((known.gateway_unix_s, known.mono_ms)));
            let known_ms = known_clock.unix_ms_at(mono_ms).unwrap_or(0);
            known.boot == boot && (known_ms / 1_000).abs_diff(gateway_unix_s) <= MARK_OFF_S_MAX
        };
        if self.durable.clock().is_some_and(is_good) {
            return None;
        }
        Some(Write::Put(Record::Clock(ClockMark { gateway_unix_s, boot, mono_ms })))
    }

    /// The moment of a hold, as it is stored.
    pub(super) fn held_moment(&self, now: Moment) -> HeldMoment {
        let gateway_ms = self.clock.unix_ms_at(now.mono_ms);
        HeldMoment { gateway_ms, boot: self.boot, mono_ms: now.mono_ms }
    }

    /// When it was held by the gateway's clock, if that can be known.
    pub(super) fn held_at_gateway_ms(&self, held: &Held) -> Option<u64> {
        let since_boot = || self.clock.unix_ms_at(held.moment.mono_ms);
        held.moment.gateway_ms.or_else(|| self.is_of_this_run(held).then(since_boot).flatten())
    }

    /// How long ago it was held.
    pub(super) fn age(&self, held: &Held, now: Moment) -> Age {
        let certain = |ms| Age { ms, is_sure: true };
        if self.is_of_this_run(held) {
            return certain(now.mono_ms.saturating_sub(held.moment.mono_ms));
        }
        let held_ms = held.moment.gateway_ms;
        if let Some((held_ms, now_ms)) = held_ms.zip(self.clock.unix_ms_at(now.mono_ms)) {
            return certain(now_ms.saturating_sub(held_ms));
        }
        Age { ms: now.mono_ms.saturating_sub(self.loaded_mono_ms), is_sure: false }
    }

    /// Whether the order's lifetime has passed, and whether that is certain.
    pub(super) fn lifetime_over(&self, payment: &Payment, now: Moment) -> (bool, bool) {
        let Some(held) = &payment.held else {
            return (false, true);
        };
        let Ok(order) = SignedOrder::parse(&held.order) else {
            return (false, held.imported);
        };
        let age = self.age(held, now);
        (age.ms / 1_000 >= u64::from(order.payload().lifetime_s), age.is_sure)
    }

    fn is_of_this_run(&self, held: &Held) -> bool {
        self.boot.is_some() && held.moment.boot == self.boot
    }
}
