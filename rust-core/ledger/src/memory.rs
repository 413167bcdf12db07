//! The ledger in memory: the store of tests and of the simulation.
//!
//! A decision works on a copy, which takes the place of the state if nobody else was faster;
//! otherwise it is run again, as a database with serializable transactions would.

use crate::rows::{Attempt, AttemptState, Device, Event, Job, JobKind, Notice, Order, Payment};
use crate::rows::{PaymentType, Source};
use crate::store::{Decision, Env, Store, StoreError, Tx};
use crate::work::Reads;
use holdfast_domain::{
    Catalogue, DeviceId, Evidence, GatewayId, PaymentId, PaymentTypeCode, ReceiptOrderId,
    TenantSlug,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Everything in the ledger. The fields are open, so that a test can look at all of it.
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "each map is named after the rows it holds")]
pub struct Tables {
    pub devices: BTreeMap<(TenantSlug, DeviceId), Device>,
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
    pub jobs: BTreeMap<(TenantSlug, JobKind, PaymentId), Job>,
    pub last_fence: u64,
}

/// A [`Store`] without a database.
pub struct MemoryStore<C> {
    gateway: GatewayId,
    environment: C,
    state: Mutex<(u64, Tables)>,
}

impl<C: Fn() -> Env + Send + Sync> MemoryStore<C> {
    /// An empty ledger; `environment` tells the time and draws randomness for each decision.
    pub fn new(gateway: GatewayId, environment: C) -> Self {
        Self { gateway, environment, state: Mutex::default() }
    }

    /// Looks at the tables, or changes what is no decision's to change (devices, catalogues …).
    pub fn with_tables<R>(&self, look: impl FnOnce(&mut Tables) -> R) -> R {
        let mut state = self.lock();
        state.0 = state.0.wrapping_add(1);
        look(&mut state.1)
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Tables)> {
        // A panic inside `look` is a failed test; the tables are of no more use then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Fn() -> Env + Send + Sync> Store for MemoryStore<C> {
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        let env = (self.environment)();
        loop {
            let (version, tables) = self.lock().clone();
            let mut tx = MemoryTx { gateway: self.gateway, tables };
            let outcome = decision.decide(&mut tx, &env).await?;
            let mut state = self.lock();
            if state.0 == version {
                *state = (version.wrapping_add(1), tx.tables);
                return Ok(outcome);
            }
        }
    }
}

impl<C: Fn() -> Env + Send + Sync> Reads for MemoryStore<C> {
    async fn payment(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        Ok(self.lock().1.payments.get(&(tenant.clone(), payment)).cloned())
    }

    async fn attempts(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Attempt>, StoreError> {
        Ok(attempts_of(&self.lock().1, tenant, payment))
    }
}

fn attempts_of(tables: &Tables, tenant: &TenantSlug, payment: PaymentId) -> Vec<Attempt> {
    let from = (tenant.clone(), payment, 0);
    let to = (tenant.clone(), payment, u32::MAX);
    tables.attempts.range(from..=to).map(|(_, attempt)| attempt.clone()).collect()
}

/// One transaction of a [`MemoryStore`].
pub struct MemoryTx {
    gateway: GatewayId,
    tables: Tables,
}

impl Tx for MemoryTx {
    async fn gateway(&mut self) -> Result<GatewayId, StoreError> {
        Ok(self.gateway)
    }

    async fn device(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> Result<Option<Device>, StoreError> {
        Ok(self.tables.devices.get(&(tenant.clone(), device)).cloned())
    }

    async fn payment_type(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> Result<Option<PaymentType>, StoreError> {
        Ok(self.tables.payment_types.get(&(tenant.clone(), code.clone())).cloned())
    }

    async fn catalogue(
        &mut self,
        tenant: &TenantSlug,
        version: u32,
    ) -> Result<Option<Catalogue>, StoreError> {
        Ok(self.tables.catalogues.get(&(tenant.clone(), version)).cloned())
    }

    async fn payment(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        Ok(self.tables.payments.get(&(tenant.clone(), payment)).cloned())
    }

    async fn payment_of_sequence(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        sequence: u64,
    ) -> Result<Option<PaymentId>, StoreError> {
        let of_device = |p: &&Payment| p.device == device && p.sequence == sequence;
        let mut payments = self.tables.payments.values().filter(|p| p.tenant == *tenant);
        Ok(payments.find(of_device).map(|p| p.payment))
    }

    async fn put_payment(&mut self, payment: &Payment) -> Result<(), StoreError> {
        let key = (payment.tenant.clone(), payment.payment);
        self.tables.payments.insert(key, payment.clone());
        Ok(())
    }

    async fn next_revision(&mut self, tenant: &TenantSlug) -> Result<u64, StoreError> {
        let revision = self.tables.revisions.entry(tenant.clone()).or_default();
        *revision = revision.saturating_add(1);
        Ok(*revision)
    }

    async fn attempts(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Attempt>, StoreError> {
        Ok(attempts_of(&self.tables, tenant, payment))
    }

    async fn put_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        let others = self.attempts(&attempt.tenant, attempt.payment).await?;
        let open = |a: &Attempt| a.state != AttemptState::Disposed;
        if open(attempt) && others.iter().any(|a| a.number != attempt.number && open(a)) {
            return Err(StoreError::new("a second attempt that is not disposed of"));
        }
        let key = (attempt.tenant.clone(), attempt.payment, attempt.number);
        self.tables.attempts.insert(key, attempt.clone());
        Ok(())
    }

    async fn evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Evidence>, StoreError> {
        let pieces = self.tables.evidence.get(&(tenant.clone(), payment));
        Ok(pieces.into_iter().flatten().cloned().collect())
    }

    async fn add_evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
        evidence: &Evidence,
        _source: Source,
        _now_ms: i64,
    ) -> Result<bool, StoreError> {
        let pieces = self.tables.evidence.entry((tenant.clone(), payment)).or_default();
        Ok(pieces.insert(evidence.clone()))
    }

    async fn add_notice(&mut self, notice: &Notice) -> Result<bool, StoreError> {
        let key = (notice.tenant.clone(), notice.payment, notice.digest);
        let new = !self.tables.notices.contains_key(&key);
        self.tables.notices.entry(key).or_insert_with(|| notice.clone());
        Ok(new)
    }

    async fn is_given_up(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<bool, StoreError> {
        let from = (tenant.clone(), payment, [0; 32]);
        let to = (tenant.clone(), payment, [0xFF; 32]);
        Ok(self.tables.notices.range(from..=to).any(|(_, notice)| notice.gives_up()))
    }

    async fn link_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<(), StoreError> {
        self.tables.objects.entry((tenant.clone(), object.to_owned())).or_insert(payment);
        Ok(())
    }

    async fn payment_of_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> Result<Option<PaymentId>, StoreError> {
        Ok(self.tables.objects.get(&(tenant.clone(), object.to_owned())).copied())
    }

    async fn order(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Order>, StoreError> {
        Ok(self.tables.orders.get(&(tenant.clone(), payment)).cloned())
    }

    async fn receipt_is_taken(
        &mut self,
        tenant: &TenantSlug,
        receipt: ReceiptOrderId,
    ) -> Result<bool, StoreError> {
        let taken = |order: &Order| order.tenant == *tenant && order.receipt_order_id == receipt;
        Ok(self.tables.orders.values().any(taken))
    }

    async fn add_order(&mut self, order: &Order) -> Result<(), StoreError> {
        let key = (order.tenant.clone(), order.payment);
        match self.tables.orders.insert(key, order.clone()) {
            None => Ok(()),
            Some(_) => Err(StoreError::new("a second order of one payment")),
        }
    }

    async fn add_event(&mut self, event: &Event) -> Result<bool, StoreError> {
        let key =
            (event.tenant.clone(), event.mode.as_str(), event.account.clone(), event.event.clone());
        if self.tables.events.contains_key(&key) {
            return Ok(false);
        }
        self.tables.events.insert(key, event.clone());
        Ok(true)
    }

    async fn want_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
        due_at_ms: i64,
    ) -> Result<(), StoreError> {
        let fresh = || Job {
            tenant: tenant.clone(),
            kind,
            payment,
            due_at_ms,
            leased_until_ms: 0,
            fence: 0,
            wanted: 0,
            tries: 0,
        };
        let job = self.tables.jobs.entry((tenant.clone(), kind, payment)).or_insert_with(fresh);
        job.due_at_ms = job.due_at_ms.min(due_at_ms);
        job.wanted = job.wanted.saturating_add(1);
        Ok(())
    }

    async fn lease_jobs(
        &mut self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let free = |job: &&mut Job| job.due_at_ms <= now_ms && job.leased_until_ms <= now_ms;
        let mut due: Vec<&mut Job> = self.tables.jobs.values_mut().filter(free).collect();
        due.sort_by_key(|job| job.due_at_ms);
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for job in &mut due {
            self.tables.last_fence = self.tables.last_fence.saturating_add(1);
            job.fence = self.tables.last_fence;
            job.tries = job.tries.saturating_add(1);
            job.leased_until_ms = lease_until_ms;
            job.due_at_ms = lease_until_ms;
        }
        Ok(due.into_iter().map(|job| job.clone()).collect())
    }

    async fn job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<Option<Job>, StoreError> {
        Ok(self.tables.jobs.get(&(tenant.clone(), kind, payment)).cloned())
    }

    async fn put_job(&mut self, job: &Job) -> Result<(), StoreError> {
        self.tables.jobs.insert((job.tenant.clone(), job.kind, job.payment), job.clone());
        Ok(())
    }

    async fn remove_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<(), StoreError> {
        self.tables.jobs.remove(&(tenant.clone(), kind, payment));
        Ok(())
    }
}
