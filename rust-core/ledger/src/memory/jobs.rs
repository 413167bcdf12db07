//! Durable work.

use super::MemoryTx;
use crate::rows::{Job, JobKind};
use crate::store::{JobTx, StoreError};
use holdfast_domain::{PaymentId, TenantSlug};

/// The longest due first; of one time in the order of their names, as in a database.
fn place(job: &Job) -> (i64, &str, &'static str, PaymentId) {
    (job.due_at_ms, job.tenant.as_str(), job.kind.as_str(), job.payment)
}

impl JobTx for MemoryTx<'_> {
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
        let key = (tenant.clone(), kind, payment);
        let mut job = self.tables.jobs.get(&key).cloned().unwrap_or_else(fresh);
        job.due_at_ms = job.due_at_ms.min(due_at_ms);
        job.wanted = job.wanted.saturating_add(1);
        self.tables.write(|it| &mut it.jobs, key, Some(job));
        Ok(())
    }

    async fn lease_jobs(
        &mut self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let free = |job: &&Job| job.due_at_ms <= now_ms && job.leased_until_ms <= now_ms;
        let mut due: Vec<Job> = self.tables.jobs.values().filter(free).cloned().collect();
        due.sort_by(|a, b| place(a).cmp(&place(b)));
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for job in &mut due {
            job.fence = self.tables.next_fence();
            job.tries = job.tries.saturating_add(1);
            job.leased_until_ms = lease_until_ms;
            job.due_at_ms = lease_until_ms;
            self.put_job(job).await?;
        }
        Ok(due)
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
        let key = (job.tenant.clone(), job.kind, job.payment);
        self.tables.write(|it| &mut it.jobs, key, Some(job.clone()));
        Ok(())
    }

    async fn remove_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<(), StoreError> {
        self.tables.write(|it| &mut it.jobs, (tenant.clone(), kind, payment), None);
        Ok(())
    }
}
