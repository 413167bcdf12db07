//! Durable work.

use super::StoreError;
use crate::rows::{Job, JobKind};
use holdfast_domain::{PaymentId, TenantSlug};
use std::future::Future;

/// Durable work: at most one job of a kind for a payment.
pub trait JobTx: Send {
    /// Makes a job due at `due_at_ms`, or earlier if it is due earlier already, and counts the wish
    /// (`wanted`), so that a worker who has the job now will find that it is wanted again.
    fn want_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
        due_at_ms: i64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes up to `limit` jobs that are due and not leased, the longest due first, and those of one time by
    /// tenant, kind and payment: gives each
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
