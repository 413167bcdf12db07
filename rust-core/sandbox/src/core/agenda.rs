//! What happens by itself, at its time: sessions expire, refunds settle, disputes open.

use std::collections::BTreeSet;

use super::{Core, Id};

/// How long what Stripe does "some time later" takes here, in milliseconds: long enough to be
/// seen happening, short enough to wait for.
pub(super) const LATER_MS: i64 = 5_000;

/// How long money stays reserved for a manual capture, in milliseconds.
pub(super) const HOLD_LIFETIME_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// A Checkout Session expires.
    Expire(Id),
    /// A pending refund succeeds.
    CompleteRefund(Id),
    /// A refund that succeeded turns out to have failed.
    FailRefund(Id),
    /// Nobody said where a refund should go.
    ExpireRefund(Id),
    /// The payer of a charge disputes it.
    Dispute(Id),
    /// Reserved money is let go.
    Release(Id),
}

#[derive(Default)]
pub(super) struct Agenda(BTreeSet<(i64, Task)>);

impl Agenda {
    pub(super) fn add(&mut self, at_ms: i64, task: Task) {
        self.0.insert((at_ms, task));
    }

    pub(super) fn remove(&mut self, at_ms: i64, task: Task) {
        self.0.remove(&(at_ms, task));
    }

    pub(super) fn next_ms(&self) -> Option<i64> {
        self.0.first().map(|(at_ms, _)| *at_ms)
    }

    pub(super) fn pop(&mut self, now_ms: i64) -> Option<(i64, Task)> {
        if self.next_ms()? > now_ms {
            return None;
        }
        self.0.pop_first()
    }
}

impl Core {
    /// Lets time pass: what is due happens, each at its own moment, however late somebody asks.
    pub fn advance(&mut self, now_ms: i64) {
        while let Some((at_ms, task)) = self.agenda.pop(now_ms) {
            self.now_ms = self.now_ms.max(at_ms);
            let cause = self.cause.take();
            self.happen(&task);
            self.cause = cause;
        }
        self.now_ms = self.now_ms.max(now_ms);
        self.let_funds_arrive();
        self.keys.prune(self.now_ms);
    }

    /// When something will happen by itself, in Unix milliseconds: a task or a delivery.
    pub fn next_wake_ms(&self) -> Option<i64> {
        [self.agenda.next_ms(), self.deliveries.next_ms()].into_iter().flatten().min()
    }

    /// When something will next happen to an object by itself, in Unix milliseconds.
    pub fn next_task_ms(&self) -> Option<i64> {
        self.agenda.next_ms()
    }

    pub(super) fn later(&mut self, after_ms: i64, task: Task) {
        self.agenda.add(self.now_ms.saturating_add(after_ms), task);
    }

    fn happen(&mut self, task: &Task) {
        match task {
            Task::Expire(session) => self.expire(session),
            Task::CompleteRefund(refund) => self.complete_refund(refund),
            Task::FailRefund(refund) => self.fail_refund(refund),
            Task::ExpireRefund(refund) => self.expire_refund(refund),
            Task::Dispute(charge) => self.open_dispute(charge),
            Task::Release(intent) => self.cancel(intent, Some("automatic".into())),
        }
    }
}
