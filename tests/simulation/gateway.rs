//! The gateway: the ledger, the tasks that work on it, and the long polls that wait for it.

use super::Broken;
use super::enrolling::Codes;
use super::faults::Fault;
use super::fixture;
use super::ledger::{Backup, Ledger};
use super::link::Exchange;
use super::shared::Shared;
use super::tasks::Task;
use super::world::{Happening, World};
use holdfast_domain::DeviceId;
use holdfast_ledger::memory::Tables;
use holdfast_ledger::recovery::Recovery;
use holdfast_ledger::{Decision, Env, Payment, PaymentType, Store, StoreError};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How long the gateway is away, in milliseconds: mostly seconds, and sometimes for longer than
/// Stripe keeps an idempotency key.
const AWAY_MS: [(i64, i64); 4] =
    [(500, 5_000), (5_000, 60_000), (60_000, 3_600_000), (25 * 3_600_000, 50 * 3_600_000)];

pub(super) struct Gateway {
    pub(super) ledger: Arc<Ledger>,
    pub(super) is_up: bool,
    generation: u64,
    pub(super) epoch: u64,
    pub(super) tasks: BTreeMap<u64, Task>,
    pub(super) next_number: u64,
    pub(super) polls: BTreeMap<u64, Parked>,
    /// When jobs will be looked for.
    pub(super) work_at_ms: Option<i64>,
    /// When something is due, and what that was read off.
    pub(super) next_due: Option<NextDue>,
    /// After how many changes of the ledger it was last seen whether a long poll has news.
    pub(super) polls_seen: Option<u64>,
    /// The last backup, and when it was made.
    pub(super) backup: Option<(i64, Backup)>,
    /// The task that asks Stripe what was lost.
    pub(super) recovering: Option<u64>,
    /// The payment type, while it is switched off.
    pub(super) method_off: Option<PaymentType>,
    /// When a backup was last put back.
    pub(super) restored_ms: Option<i64>,
    /// What handhelds are enrolled again with.
    pub(super) codes: Codes,
}

/// When a worker has something to do.
#[derive(Clone, Copy)]
pub(super) struct NextDue {
    /// After how many changes of the ledger this was so.
    pub(super) changes: u64,
    /// Whether Stripe was being asked for what was lost.
    pub(super) is_recovering: bool,
    pub(super) at_ms: Option<i64>,
}

/// A long poll that waits for news.
pub(super) struct Parked {
    pub(super) exchange: Exchange,
    pub(super) after: u64,
    /// The handhelds that are asked about.
    pub(super) devices: Vec<DeviceId>,
}

impl Gateway {
    pub(super) fn new(shared: &Arc<Shared>, devices: usize) -> Self {
        let world = Arc::clone(shared);
        let environment = move || {
            let mut shared = world.lock();
            let mut entropy = [0; 30];
            holdfast_handheld::engine::Random::fill(&mut shared.chance, &mut entropy);
            shared.changed = true;
            Env { now_ms: shared.now_ms, entropy }
        };
        let environment: Box<dyn Fn() -> Env + Send + Sync> = Box::new(environment);
        let ledger = Ledger::new(environment, fixture::tables(devices));
        Self {
            ledger: Arc::new(ledger),
            is_up: true,
            generation: 0,
            epoch: 1,
            tasks: BTreeMap::new(),
            next_number: 0,
            polls: BTreeMap::new(),
            work_at_ms: None,
            next_due: None,
            polls_seen: None,
            backup: None,
            recovering: None,
            method_off: None,
            restored_ms: None,
            codes: Codes::default(),
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next_number = self.next_number.saturating_add(1);
        self.next_number
    }

    pub(super) fn tables<R>(&self, look: impl FnOnce(&Tables) -> R) -> R {
        self.ledger.tables(look)
    }

    /// Changes what no decision does.
    pub(super) fn change_tables<R>(&self, change: impl FnOnce(&mut Tables) -> R) -> R {
        self.ledger.change_tables(change)
    }

    /// The payments of these handhelds that changed after a revision, oldest change first.
    pub(super) fn changes(&self, devices: &[DeviceId], after: u64) -> Vec<Payment> {
        let mut changed: Vec<Payment> = self.tables(|tables| {
            let theirs = |p: &&Payment| devices.contains(&p.device) && p.revision > after;
            tables.payments.values().filter(theirs).cloned().collect()
        });
        changed.sort_by_key(|payment| payment.revision);
        changed
    }
}

impl World {
    /// Decides at once: a decision on memory never waits.
    pub(super) fn decide<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        if self.strikes(Fault::LedgerFails) {
            return Err(StoreError::new("the disk is full"));
        }
        now(self.gateway.ledger.run(decision))
    }

    /// The gateway's process ends, and is away for a while.
    pub(super) fn kill_gateway(&mut self, when: &str) {
        self.note(|| format!("gateway: ends {when}"));
        self.gateway.is_up = false;
        self.gateway.generation = self.gateway.generation.saturating_add(1);
        self.gateway.tasks.clear();
        self.gateway.work_at_ms = None;
        for parked in std::mem::take(&mut self.gateway.polls).into_values() {
            self.break_off(&parked.exchange);
        }
        let (least, most) = match self.shared.lock().chance.below(100) {
            0..60 => AWAY_MS[0],
            60..85 => AWAY_MS[1],
            85..95 => AWAY_MS[2],
            _ => AWAY_MS[3],
        };
        let wait_ms = self.draw_ms(least, most);
        let generation = self.gateway.generation;
        self.enter_in(wait_ms, Happening::GatewayUp { generation });
    }

    pub(super) fn gateway_up(&mut self, generation: u64) {
        if self.gateway.generation == generation && !self.gateway.is_up {
            self.note(|| "gateway: is there again".to_owned());
            self.gateway.is_up = true;
            self.shared.lock().changed = true;
        }
    }

    /// The backup takes the ledger's place, with a new epoch.
    pub(super) fn restore(&mut self) {
        let Some((made_ms, backup)) = self.gateway.backup.take() else { return };
        if let Err(violation) = self.same_in_sql() {
            self.break_rule(violation.rule, || violation.what);
        }
        self.kill_gateway("to be restored");
        let (now_ms, broken) = (self.now_ms(), self.plan.broken);
        let ago_s = now_ms.saturating_sub(made_ms) / 1_000;
        self.note(|| format!("gateway: put back to {ago_s} s ago"));
        let recovery = Recovery::begin(fixture::recovery_key(), String::new(), made_ms, now_ms);
        let recovery = Some(&recovery).filter(|_| broken != Some(Broken::RestoredBlind));
        self.gateway.ledger.put_back(backup, recovery);
        self.gateway.epoch = self.gateway.epoch.saturating_add(1);
        self.gateway.restored_ms = Some(self.now_ms());
        self.watch.forget();
        self.forget_codes();
        let mut shared = self.shared.lock();
        shared.wire.forget();
        shared.changed = true;
    }
}

/// The value of a future that never waits.
pub(super) fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a decision on memory never waits"),
    }
}
