//! The ledger in memory: the store of tests and of the simulation.
//!
//! One decision at a time has the tables and writes into them, keeping how each write is taken back:
//! a decision that fails leaves nothing behind.

mod charges;
mod evidence;
mod jobs;
mod payments;
mod recovery;
mod refunds;
mod rows;
mod setup;

use crate::charges::{Charge, Claim};
use crate::decisions::refused_cash::RefusedCash;
use crate::recovery::{FoundSession, Recovery, RecoveryKey};
use crate::refund::{AuditAct, FinanceAlert, RefundKey, RefundRequest};
use crate::rows::{Attempt, Device, Event, Job, JobKind, Notice, Order, Payment, PaymentType};
use crate::store::{Decision, Env, Store, StoreError};
use crate::work::Reads;
use holdfast_domain::{
    Catalogue, ChargeReference, DeviceId, Evidence, GatewayId, PaymentId, PaymentTypeCode,
    TenantSlug,
};
use rows::{Place, Rows};
use std::collections::{BTreeMap, BTreeSet};

/// Everything in the ledger. The fields are open, so that a test can look at all of it.
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "each map is named after the rows it holds")]
pub struct Tables {
    pub devices: BTreeMap<(TenantSlug, DeviceId), Device>,
    pub continuity: BTreeSet<(TenantSlug, DeviceId, DeviceId)>,
    pub payment_types: BTreeMap<(TenantSlug, PaymentTypeCode), PaymentType>,
    pub catalogues: BTreeMap<(TenantSlug, u32), Catalogue>,
    pub payments: BTreeMap<(TenantSlug, PaymentId), Payment>,
    pub revisions: BTreeMap<TenantSlug, u64>,
    pub attempts: BTreeMap<(TenantSlug, PaymentId, u32), Attempt>,
    pub evidence: BTreeMap<(TenantSlug, PaymentId), BTreeSet<Evidence>>,
    pub objects: BTreeMap<(TenantSlug, String), PaymentId>,
    pub notices: BTreeMap<(TenantSlug, PaymentId, [u8; 32]), Notice>,
    pub orders: BTreeMap<(TenantSlug, PaymentId), Order>,
    pub events: BTreeMap<(TenantSlug, &'static str, String, String), Event>,
    pub charges: BTreeMap<(TenantSlug, ChargeReference), Charge>,
    pub claims: BTreeMap<(TenantSlug, ChargeReference, PaymentId), Claim>,
    pub handed_in: BTreeSet<(TenantSlug, PaymentId)>,
    /// Orders over cash that were refused.
    pub refused_cash: BTreeMap<(TenantSlug, PaymentId), RefusedCash>,
    pub jobs: BTreeMap<(TenantSlug, JobKind, PaymentId), Job>,
    pub last_fence: u64,
    pub refund_requests: BTreeMap<(TenantSlug, RefundKey), RefundRequest>,
    pub alerts: BTreeMap<(TenantSlug, String), FinanceAlert>,
    pub acts: Vec<AuditAct>,
    pub recoveries: BTreeMap<RecoveryKey, Recovery>,
    pub found: BTreeMap<(TenantSlug, String), FoundSession>,
}

/// A [`Store`] without a database.
pub struct MemoryStore<C> {
    gateway: GatewayId,
    environment: C,
    place: Place,
}

impl<C: Fn() -> Env + Send + Sync> MemoryStore<C> {
    /// An empty ledger; `environment` tells the time and draws randomness for each decision.
    pub fn new(gateway: GatewayId, environment: C) -> Self {
        Self { gateway, environment, place: Place::new() }
    }

    /// Looks at the tables, or changes what is no decision's to change (devices, catalogues …).
    pub fn with_tables<R>(&self, look: impl FnOnce(&mut Tables) -> R) -> R {
        look(self.place.take().all())
    }
}

impl<C: Fn() -> Env + Send + Sync> Store for MemoryStore<C> {
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        let env = (self.environment)();
        let mut tx = MemoryTx { gateway: self.gateway, tables: self.place.take() };
        let outcome = decision.decide(&mut tx, &env).await;
        if outcome.is_err() {
            tx.tables.roll_back();
        }
        outcome
    }
}

impl<C: Fn() -> Env + Send + Sync> Reads for MemoryStore<C> {
    async fn payment(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        Ok(self.place.take().payments.get(&(tenant.clone(), payment)).cloned())
    }

    async fn attempts(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Attempt>, StoreError> {
        Ok(attempts_of(&self.place.take(), tenant, payment))
    }
}

fn attempts_of(tables: &Tables, tenant: &TenantSlug, payment: PaymentId) -> Vec<Attempt> {
    let from = (tenant.clone(), payment, 0);
    let to = (tenant.clone(), payment, u32::MAX);
    tables.attempts.range(from..=to).map(|(_, attempt)| attempt.clone()).collect()
}

/// One transaction of a [`MemoryStore`].
struct MemoryTx<'s> {
    gateway: GatewayId,
    tables: Rows<'s>,
}
