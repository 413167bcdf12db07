//! Durable work.

use super::{Effect, LedgerTx, Result};
use crate::store::StoreError;
use crate::store::rows::{self, same_bits};
use holdfast_domain::{PaymentId, TenantSlug};
use holdfast_ledger::{Job, JobKind, JobTx};
use sqlx::query;

impl LedgerTx<'_> {
    /// A fence that no job ever had: the holder of a job that was removed and made anew can never
    /// pass for the holder of the new one.
    async fn next_fence(&mut self) -> Result<u64> {
        self.write(query("UPDATE installation SET last_fence = last_fence + 1")).await?;
        let row = self.one(query("SELECT last_fence FROM installation")).await?;
        Ok(rows::unsigned(&row.ok_or(StoreError::Damaged("installation"))?, "last_fence")?)
    }
}

impl JobTx for LedgerTx<'_> {
    async fn want_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
        due_at_ms: i64,
    ) -> Result<()> {
        let sql = query(
            "INSERT INTO jobs (tenant, kind, payment, due_at_ms, leased_until_ms, fence, wanted, \
             tries) VALUES (?, ?, ?, ?, 0, 0, 1, 0) ON CONFLICT (tenant, kind, payment) DO UPDATE \
             SET wanted = jobs.wanted + 1, due_at_ms = CASE WHEN excluded.due_at_ms < \
             jobs.due_at_ms THEN excluded.due_at_ms ELSE jobs.due_at_ms END",
        );
        let key = sql.bind(tenant.as_str()).bind(kind.as_str()).bind(payment.to_string());
        self.write(key.bind(due_at_ms)).await?;
        if let Effect::Real { work, .. } = &mut self.effect {
            **work = true;
        }
        Ok(())
    }

    async fn lease_jobs(
        &mut self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let due = query(
            "SELECT * FROM jobs WHERE due_at_ms <= ? AND leased_until_ms <= ? \
             ORDER BY due_at_ms, tenant, kind, payment LIMIT ?",
        );
        let due = self.all(due.bind(now_ms).bind(now_ms).bind(i64::from(limit))).await?;
        let mut leased = Vec::with_capacity(due.len());
        for row in &due {
            let mut job = rows::job(row)?;
            job.fence = self.next_fence().await?;
            job.tries = job.tries.saturating_add(1);
            job.leased_until_ms = lease_until_ms;
            job.due_at_ms = lease_until_ms;
            self.put_job(&job).await?;
            leased.push(job);
        }
        Ok(leased)
    }

    async fn job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<Option<Job>> {
        let sql = query("SELECT * FROM jobs WHERE tenant = ? AND kind = ? AND payment = ?");
        let sql = sql.bind(tenant.as_str()).bind(kind.as_str()).bind(payment.to_string());
        let row = self.one(sql).await?;
        Ok(row.as_ref().map(rows::job).transpose()?)
    }

    async fn put_job(&mut self, job: &Job) -> Result<()> {
        let sql = query(
            "UPDATE jobs SET due_at_ms = ?, leased_until_ms = ?, fence = ?, wanted = ?, tries = ? \
             WHERE tenant = ? AND kind = ? AND payment = ?",
        );
        let sql = sql
            .bind(job.due_at_ms)
            .bind(job.leased_until_ms)
            .bind(same_bits(job.fence))
            .bind(same_bits(job.wanted))
            .bind(i64::from(job.tries))
            .bind(job.tenant.as_str())
            .bind(job.kind.as_str())
            .bind(job.payment.to_string());
        self.write(sql).await?;
        if let Effect::Real { work, .. } = &mut self.effect {
            **work = true;
        }
        Ok(())
    }

    async fn remove_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<()> {
        let sql = query("DELETE FROM jobs WHERE tenant = ? AND kind = ? AND payment = ?");
        let sql = sql.bind(tenant.as_str()).bind(kind.as_str()).bind(payment.to_string());
        self.write(sql).await.map(|_| ())
    }
}
