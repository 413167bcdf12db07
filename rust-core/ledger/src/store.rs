//! The two traits between decisions and databases.

use crate::rows::{
    Attempt, Device, Event, Job, JobKind, Notice, Order, Payment, PaymentType, Source,
};
use holdfast_domain::{
    Catalogue, DeviceId, Evidence, GatewayId, PaymentId, PaymentTypeCode, ReceiptOrderId,
    TenantSlug,
};
use std::future::Future;

/// The store could not do it: disk, connection, or a row that cannot be read. Nothing of the
/// decision happened; it can be run again.
#[derive(Debug, thiserror::Error)]
#[error("the ledger's store failed")]
pub struct StoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// A failure that is only words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into().into())
    }
}

/// What a decision may not find out by itself.
#[derive(Debug, Clone)]
pub struct Env {
    /// The gateway's clock: milliseconds since 1970.
    pub now_ms: i64,
    /// Fresh random bytes; receipt order IDs are drawn from them.
    pub entropy: [u8; 30],
}

/// Something the ledger is asked to decide.
pub trait Decision: Send + Sync + 'static {
    /// The answer, refusals included.
    type Outcome: Send + 'static;

    /// Decides within one transaction. An error rolls the transaction back. It may be called
    /// again, on another transaction, if the first could not be committed.
    fn decide<T: Tx>(
        &self,
        tx: &mut T,
        env: &Env,
    ) -> impl Future<Output = Result<Self::Outcome, StoreError>> + Send;
}

/// A ledger on some database.
pub trait Store: Send + Sync {
    /// Runs a decision in one transaction, durable when this returns.
    fn run<D: Decision>(
        &self,
        decision: D,
    ) -> impl Future<Output = Result<D::Outcome, StoreError>> + Send;
}

/// One transaction's view of the rows. Every method sees what the transaction wrote before.
pub trait Tx: Send {
    /// This installation.
    fn gateway(&mut self) -> impl Future<Output = Result<GatewayId, StoreError>> + Send;

    /// An enrolled handheld.
    fn device(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> impl Future<Output = Result<Option<Device>, StoreError>> + Send;

    /// A payment type.
    fn payment_type(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> impl Future<Output = Result<Option<PaymentType>, StoreError>> + Send;

    /// A catalogue at a version it once had.
    fn catalogue(
        &mut self,
        tenant: &TenantSlug,
        version: u32,
    ) -> impl Future<Output = Result<Option<Catalogue>, StoreError>> + Send;

    /// A payment, by its ID.
    fn payment(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<Payment>, StoreError>> + Send;

    /// The payment that used a device's sequence number.
    fn payment_of_sequence(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        sequence: u64,
    ) -> impl Future<Output = Result<Option<PaymentId>, StoreError>> + Send;

    /// Writes a payment, new or changed, by its ID.
    fn put_payment(
        &mut self,
        payment: &Payment,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The next number of the tenant's change counter.
    fn next_revision(
        &mut self,
        tenant: &TenantSlug,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// All attempts of a payment, oldest first.
    fn attempts(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Attempt>, StoreError>> + Send;

    /// Writes an attempt, new or changed, by payment and number. The database itself refuses a
    /// second attempt of a payment that is not disposed of.
    fn put_attempt(
        &mut self,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All evidence of a payment.
    fn evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Evidence>, StoreError>> + Send;

    /// Stores a piece of evidence unless it is there already; true if it is new.
    fn add_evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
        evidence: &Evidence,
        source: Source,
        now_ms: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores a notice unless it is there already; true if it is new.
    fn add_notice(
        &mut self,
        notice: &Notice,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// True if a cancel or withdraw notice about this payment is stored.
    fn is_given_up(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Remembers that an object of Stripe's belongs to a payment.
    fn link_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The payment that an object of Stripe's belongs to.
    fn payment_of_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> impl Future<Output = Result<Option<PaymentId>, StoreError>> + Send;

    /// The order of a payment.
    fn order(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// True if the tenant has an order of that receipt order ID.
    fn receipt_is_taken(
        &mut self,
        tenant: &TenantSlug,
        receipt: ReceiptOrderId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes the one order of a payment. The database itself refuses a second one.
    fn add_order(&mut self, order: &Order) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores an event unless (mode, account, event ID) is there already; true if it is new.
    fn add_event(&mut self, event: &Event)
    -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes a job due at `due_at_ms`, or earlier if it is due earlier already, and counts the wish
    /// (`wanted`), so that a worker who has the job now will find that it is wanted again.
    fn want_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
        due_at_ms: i64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes up to `limit` jobs that are due and not leased, the longest due first: gives each
    /// a fence that was never used before (not even by a job that was removed since), raises its
    /// tries, and sets both the end of the lease and `due_at_ms` to `lease_until_ms`, so
    /// that a wish made meanwhile shows in `due_at_ms`.
    fn lease_jobs(
        &mut self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Job>, StoreError>> + Send;

    /// The job as it is now.
    fn job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<Job>, StoreError>> + Send;

    /// Writes a job back, by tenant, kind and payment.
    fn put_job(&mut self, job: &Job) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a job.
    fn remove_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
