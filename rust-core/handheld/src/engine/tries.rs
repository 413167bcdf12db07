//! When to try again.

use super::exchange::Answer;
use super::message::Ticket;
use super::turn::Turn;

/// Wait after a first failure, in milliseconds: a lost packet is made good before anyone notices.
const WAIT_MS_FIRST: u64 = 1_000;
/// Longest wait between two tries, in milliseconds. It is also how long a queued order waits at the
/// most after the network is back, if nothing else has noticed that.
pub const WAIT_MS_MAX: u64 = 60_000;

/// The tries of one thing: one order's delivery, the configuration, the long poll, the token.
///
/// At most one is on its way. After a failure the next one waits: twice as long each time, up to
/// [`WAIT_MS_MAX`], and by half at random, so that a fleet of handhelds does not come back at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tries {
    failures: u32,
    due_ms: u64,
    in_flight: Option<Ticket>,
    unanswered: bool,
}

impl Tries {
    /// Due at a moment of the monotonic clock.
    pub(crate) fn due_at(due_ms: u64) -> Self {
        Self { due_ms, ..Self::default() }
    }

    /// True if it should be started now.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.in_flight.is_none() && self.due_ms <= now_ms
    }

    /// When it wants to be started; `None` while it is on its way.
    pub(crate) fn wake_ms(&self) -> Option<u64> {
        self.in_flight.is_none().then_some(self.due_ms)
    }

    /// The one on its way.
    pub(crate) fn in_flight(&self) -> Option<Ticket> {
        self.in_flight
    }

    /// How often it failed in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// One is on its way.
    pub(crate) fn start(&mut self, ticket: Ticket) {
        self.in_flight = Some(ticket);
    }

    /// It worked; the next one (if there is one) is due then.
    pub(crate) fn succeed(&mut self, due_ms: u64) {
        *self = Self::due_at(due_ms);
    }

    /// It ended with this answer, which is not what it was for.
    pub(crate) fn fail_with<T>(&mut self, answer: &Answer<T>, turn: &mut Turn) {
        let retry_after_s = match answer {
            Answer::Refused(refusal) => refusal.retry_after_s,
            _ => None,
        };
        let unanswered = matches!(answer, Answer::Unanswered | Answer::Untrusted);
        self.fail(unanswered, retry_after_s, turn);
    }

    /// It failed, without an answer or with one.
    pub(crate) fn fail(&mut self, unanswered: bool, retry_after_s: Option<u32>, turn: &mut Turn) {
        self.in_flight = None;
        self.unanswered = unanswered;
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let longest = WAIT_MS_FIRST.saturating_mul(1_u64 << doublings).min(WAIT_MS_MAX);
        let jittered = longest / 2 + turn.random.up_to(longest / 2);
        let asked_for = u64::from(retry_after_s.unwrap_or(0)).saturating_mul(1_000);
        let wait_ms = jittered.max(asked_for.min(WAIT_MS_MAX));
        self.due_ms = turn.now.mono_ms.saturating_add(wait_ms);
    }

    /// Due at once, however long the wait would be.
    pub(crate) fn hurry(&mut self, now_ms: u64) {
        self.due_ms = self.due_ms.min(now_ms);
    }

    /// The network is back: what failed for want of an answer is due at once.
    pub(crate) fn link_is_back(&mut self, now_ms: u64) {
        if self.unanswered {
            self.hurry(now_ms);
        }
    }

    /// Forgets the one on its way; a late answer to it is not heard.
    pub(crate) fn abandon(&mut self) -> Option<Ticket> {
        self.in_flight.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::turn::{Moment, Random};

    struct Always(u8);
    impl Random for Always {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn waits(random: u8, retry_after_s: Option<u32>) -> Vec<u64> {
        let mut random = Always(random);
        let now = Moment { wall_ms: 0, mono_ms: 5_000 };
        let mut tries = Tries::due_at(5_000);
        let mut wait = || {
            tries.fail(true, retry_after_s, &mut Turn { now, random: &mut random });
            tries.wake_ms().unwrap() - now.mono_ms
        };
        (0..9).map(|_| wait()).collect()
    }

    #[test]
    fn waits_double_up_to_the_maximum_and_half_of_each_is_chance() {
        let least = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
        assert_eq!(waits(0, None), least);
        for wait in waits(0x9C, None) {
            assert!((500..=WAIT_MS_MAX).contains(&wait));
        }
    }

    #[test]
    fn the_gateway_may_ask_for_more_but_not_for_ever() {
        assert_eq!(waits(0, Some(7))[..3], [7_000, 7_000, 7_000]);
        assert_eq!(waits(0, Some(u32::MAX))[0], WAIT_MS_MAX);
    }
}
