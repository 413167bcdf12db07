//! What the world shares with the futures that run in it: time, chance, Stripe, and the gate at each
//! await.

use super::Broken;
use super::chance::Chance;
use super::faults::{Doses, Fault, Tally};
use super::stripe::{LateCall, Wire};
use holdfast_sandbox::core::Core;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// Behind one lock that nobody ever waits for: there is one thread.
pub(super) struct Shared(Mutex<Inner>);

pub(super) struct Inner {
    /// The true time: the gateway's.
    pub(super) now_ms: i64,
    pub(super) chance: Chance,
    pub(super) doses: Doses,
    pub(super) tally: Tally,
    pub(super) trace: Option<Vec<String>>,
    pub(super) stripe: Core,
    /// How far Stripe's clock is ahead of the gateway's.
    pub(super) stripe_skew_ms: i64,
    pub(super) wire: Wire,
    /// Requests to Stripe that somebody still carries around.
    pub(super) late: Vec<(i64, LateCall)>,
    pub(super) broken: Option<Broken>,
    /// What the future that was polled last waits for.
    wait_ms: i64,
    /// Something changed that the rules have to be held against.
    pub(super) changed: bool,
    /// Something changed at Stripe.
    pub(super) stripe_changed: bool,
    /// How often something did.
    pub(super) stripe_changes: u64,
}

impl Shared {
    pub(super) fn new(
        now_ms: i64,
        chance: Chance,
        stripe: Core,
        stripe_skew_ms: i64,
        doses: Doses,
        broken: Option<Broken>,
        traced: bool,
    ) -> Self {
        Self(Mutex::new(Inner {
            now_ms,
            chance,
            doses,
            tally: Tally::default(),
            trace: traced.then(Vec::new),
            stripe,
            stripe_skew_ms,
            wire: Wire::default(),
            late: Vec::new(),
            broken,
            wait_ms: 0,
            changed: true,
            stripe_changed: true,
            stripe_changes: 0,
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An await: the future goes on when the world lets it, that long from now or later, or never.
    pub(super) fn gate(&self, wait_ms: i64) -> Gate<'_> {
        Gate { shared: self, wait_ms, passed: false }
    }

    /// What the future that has just said "pending" waits for.
    pub(super) fn waited_for_ms(&self) -> i64 {
        self.lock().wait_ms
    }

    pub(super) fn note(&self, words: impl FnOnce() -> String) {
        self.lock().note(words);
    }
}

impl Inner {
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        let dose = self.doses.of(fault);
        let strikes = self.chance.per_mille(u32::from(dose));
        if strikes {
            self.tally.count(fault);
        }
        strikes
    }

    /// The first of these that strikes.
    pub(super) fn draw(&mut self, among: &[Fault]) -> Option<Fault> {
        let drawn = self.doses.draw(among, &mut self.chance)?;
        self.tally.count(drawn);
        Some(drawn)
    }

    /// Whoever does something at Stripe says so: the rules are held against what it made of it.
    pub(super) fn touch_stripe(&mut self) {
        self.changed = true;
        self.stripe_changed = true;
        self.stripe_changes = self.stripe_changes.wrapping_add(1);
    }

    pub(super) fn stripe_now_ms(&self) -> i64 {
        self.now_ms.saturating_add(self.stripe_skew_ms)
    }

    pub(super) fn note(&mut self, words: impl FnOnce() -> String) {
        let now_ms = self.now_ms;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", clock(now_ms), words()));
        }
    }
}

/// Days, hours, minutes, seconds and milliseconds since the start.
fn clock(now_ms: i64) -> String {
    let ms = now_ms.saturating_sub(super::fixture::START_MS);
    let s = ms.div_euclid(1_000);
    format!(
        "{:>2}d {:02}:{:02}:{:02}.{:03}",
        s / 86_400,
        s / 3_600 % 24,
        s / 60 % 60,
        s % 60,
        ms.rem_euclid(1_000)
    )
}

pub(super) struct Gate<'a> {
    shared: &'a Shared,
    wait_ms: i64,
    passed: bool,
}

impl Future for Gate<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        if self.passed {
            return Poll::Ready(());
        }
        self.passed = true;
        self.shared.lock().wait_ms = self.wait_ms;
        Poll::Pending
    }
}
