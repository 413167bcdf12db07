//! Durable work, leased and fenced.

use crate::rows::{Job, JobKind};
use crate::schedule::{LEASE_MS, check_again_ms, follow_again_ms, open_again_ms};
use crate::store::{Decision, Env, StoreError, Tx};

/// Takes jobs that are due.
#[derive(Debug, Clone)]
pub struct LeaseJobs {
    /// At most so many.
    pub limit: u32,
}

impl Decision for LeaseJobs {
    type Outcome = Vec<Job>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Vec<Job>, StoreError> {
        let until_ms = env.now_ms.saturating_add(LEASE_MS);
        tx.lease_jobs(env.now_ms, until_ms, self.limit).await
    }
}

/// How a worker left a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// Nothing more to do, unless it was wanted again meanwhile.
    Done,
    /// It has to be done again later.
    Again,
}

/// A worker is finished with a leased job.
#[derive(Debug, Clone)]
pub struct FinishJob {
    /// As it was leased.
    pub job: Job,
    /// How it was left.
    pub end: JobEnd,
}

impl Decision for FinishJob {
    /// False if the lease was lost to another worker, whose word counts.
    type Outcome = bool;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<bool, StoreError> {
        let leased = &self.job;
        let current = tx.job(&leased.tenant, leased.kind, leased.payment).await?;
        let Some(mut current) = current.filter(|job| job.fence == leased.fence) else {
            return Ok(false);
        };
        let wanted_again = current.wanted != leased.wanted;
        if self.end == JobEnd::Done && !wanted_again {
            tx.remove_job(&leased.tenant, leased.kind, leased.payment).await?;
            return Ok(true);
        }
        current.leased_until_ms = 0;
        if wanted_again {
            // Somebody wished for it while we worked: `due_at_ms` says from when.
            current.tries = 0;
        } else {
            current.due_at_ms = env.now_ms.saturating_add(wait_ms(leased.kind, leased.tries));
        }
        tx.put_job(&current).await?;
        Ok(true)
    }
}

fn wait_ms(kind: JobKind, tries: u32) -> i64 {
    match kind {
        JobKind::OpenSession | JobKind::SendRefund => open_again_ms(tries),
        JobKind::FollowRefunds => follow_again_ms(tries),
        JobKind::CheckSession | JobKind::EndLifetime => check_again_ms(tries),
    }
}
