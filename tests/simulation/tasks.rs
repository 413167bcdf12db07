//! The gateway's workers, as futures that stop at every await: there the world decides whether they
//! go on, how late, or never.

use super::faults::Fault;
use super::fixture;
use super::gateway::NextDue;
use super::ledger::Ledger;
use super::shared::Shared;
use super::stripe::StripeDoor;
use super::world::{Happening, World};
use holdfast_domain::{PaymentId, TenantSlug};
use holdfast_ledger::recovery::{FoundSession, Recovery, RecoveryStage};
use holdfast_ledger::work::{Reads, carry_out, follow_found, look, recover};
use holdfast_ledger::{
    Attempt, Decision, FinishJob, Job, JobEnd, LeaseJobs, Payment, Source, Store, StoreError,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Jobs carried out at once, as the server's worker has it.
const JOBS_AT_ONCE: u32 = 8;
/// A due job is noticed within this time, in milliseconds.
const NOTICED_MS_MAX: i64 = 500;
/// How long the ledger takes to answer, at most, in milliseconds.
const LEDGER_MS_MAX: i64 = 20;
/// For how long a worker can stand still, in milliseconds: longer than its lease.
const STALL_MS: (i64, i64) = (60_000, 400_000);

pub(super) struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    name: String,
}

/// The ledger behind an await, as a database is.
pub(super) struct LedgerDoor {
    shared: Arc<Shared>,
    ledger: Arc<Ledger>,
}

impl LedgerDoor {
    async fn wait(&self) -> Result<(), StoreError> {
        let wait_ms = self.shared.lock().chance.ms(0, LEDGER_MS_MAX);
        self.shared.gate(wait_ms).await;
        if self.shared.lock().strikes(Fault::LedgerFails) {
            return Err(StoreError::new("the disk is full"));
        }
        Ok(())
    }
}

impl Store for LedgerDoor {
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        self.wait().await?;
        let outcome = self.ledger.run(decision).await;
        // The answer has its own way back: a worker can end with the work done and not know it.
        self.shared.gate(1).await;
        outcome
    }
}

impl Reads for LedgerDoor {
    async fn payment(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        self.wait().await?;
        self.ledger.payment(tenant, payment).await
    }

    async fn attempts(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.wait().await?;
        self.ledger.attempts(tenant, payment).await
    }
}

impl World {
    /// Leases what is due, and begins with it.
    pub(super) fn look_for_work(&mut self) {
        // An earlier look took the place of this one.
        if self.gateway.work_at_ms.is_none_or(|at_ms| at_ms > self.now_ms()) {
            return;
        }
        self.gateway.work_at_ms = None;
        self.shared.lock().changed = true;
        if !self.gateway.is_up {
            return;
        }
        self.go_on_recovering();
        let running = u32::try_from(self.gateway.tasks.len()).unwrap_or(u32::MAX);
        let limit = JOBS_AT_ONCE.saturating_sub(running);
        if limit == 0 {
            return;
        }
        for job in self.decide(LeaseJobs { limit }).unwrap_or_default() {
            let name = format!("{} of {} (try {})", job.kind.as_str(), job.payment, job.tries);
            let (ledger, stripe) = self.doors();
            self.begin(name, async move { work(&ledger, &stripe, job).await });
        }
    }

    /// Asks Stripe for the next page of what was lost, as the server does: one at a time.
    fn go_on_recovering(&mut self) {
        let Some(next) = self.next_recovery() else { return self.go_on_following() };
        if next.due_at_ms > self.now_ms() {
            return;
        }
        let name = format!("recovering, {} from {:?}", next.stage.as_str(), next.cursor);
        let (ledger, stripe) = self.doors();
        let number = self.gateway.next_number.saturating_add(1);
        self.gateway.recovering = Some(number);
        self.begin(name, async move {
            let now_ms = ledger.shared.lock().now_ms;
            // It is put off if this fails.
            let _ = recover(&ledger, &stripe, &next, now_ms).await;
        });
    }

    /// Once all is listed: looks at a card page whose order nobody has brought again.
    fn go_on_following(&mut self) {
        let Some(next) = self.next_found().filter(|next| next.due_at_ms <= self.now_ms()) else {
            return;
        };
        let name = format!("following {} of {}", next.session, next.payment);
        let (ledger, stripe) = self.doors();
        let number = self.gateway.next_number.saturating_add(1);
        self.gateway.recovering = Some(number);
        self.begin(name, async move {
            // It is looked at again if this fails.
            let _ = follow_found(&ledger, &stripe, &next).await;
        });
    }

    fn is_recovering_now(&self) -> bool {
        self.gateway.recovering.is_some_and(|number| self.gateway.tasks.contains_key(&number))
    }

    /// The found session that is due first, unless something is being asked already.
    fn next_found(&self) -> Option<FoundSession> {
        if self.is_recovering_now() {
            return None;
        }
        self.gateway.tables(|tables| {
            let open = tables.found.values().filter(|it| it.due_at_ms > 0);
            open.min_by_key(|it| it.due_at_ms).cloned()
        })
    }

    /// What a restored ledger has to ask next, unless it is being asked already.
    fn next_recovery(&self) -> Option<Recovery> {
        if self.is_recovering_now() {
            return None;
        }
        self.gateway.tables(|tables| {
            let mut open = tables.recoveries.values().filter(|it| it.stage != RecoveryStage::Done);
            open.next().cloned()
        })
    }

    /// The payer is back from Stripe's page: Stripe is asked.
    pub(super) fn look_for_the_payer(&mut self, payment: Payment) {
        let name = format!("redirect of {}", payment.payment);
        let (ledger, stripe) = self.doors();
        self.begin(name, async move {
            // The job that asks Stripe is still there if this fails.
            let _ = look(&ledger, &stripe, &payment, Source::Redirect).await;
        });
    }

    fn doors(&self) -> (LedgerDoor, StripeDoor) {
        let shared = Arc::clone(&self.shared);
        let ledger = Arc::clone(&self.gateway.ledger);
        (LedgerDoor { shared: Arc::clone(&shared), ledger }, StripeDoor::new(shared))
    }

    fn begin(&mut self, name: String, future: impl Future<Output = ()> + 'static) {
        let number = self.gateway.number();
        self.note(|| format!("worker {number}: begins {name}"));
        self.gateway.tasks.insert(number, Task { future: Box::pin(future), name });
        self.go_on(number);
    }

    /// Lets a task run to its next await.
    pub(super) fn go_on(&mut self, number: u64) {
        let Some(mut task) = self.gateway.tasks.remove(&number) else { return };
        self.shared.lock().changed = true;
        match task.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => self.note(|| format!("worker {number}: is done")),
            Poll::Pending => {
                let mut wait_ms = self.shared.waited_for_ms();
                if self.strikes(Fault::WorkerKilled) {
                    self.note(|| format!("worker {number}: ends at an await of {}", task.name));
                    return;
                }
                if self.strikes(Fault::WorkerStalls) {
                    self.note(|| format!("worker {number}: stands still"));
                    wait_ms = wait_ms.saturating_add(self.draw_ms(STALL_MS.0, STALL_MS.1));
                }
                self.gateway.tasks.insert(number, task);
                self.enter_in(wait_ms.max(0), Happening::Task(number));
            }
        }
    }

    /// Jobs are looked for when the next one is due.
    pub(super) fn enter_work(&mut self) {
        if !self.gateway.is_up {
            return;
        }
        let Some(next_ms) = self.next_due_ms() else { return };
        let due_ms = next_ms.max(self.now_ms());
        let noticed_ms = due_ms.saturating_add(NOTICED_MS_MAX);
        if self.gateway.work_at_ms.is_some_and(|at_ms| at_ms <= noticed_ms) {
            return;
        }
        let at_ms = due_ms.saturating_add(self.draw_ms(0, NOTICED_MS_MAX));
        self.gateway.work_at_ms = Some(at_ms);
        self.agenda.enter(at_ms, Happening::Work);
    }
}

impl World {
    /// When there is something to do for a worker. Read off the ledger only after it has changed.
    fn next_due_ms(&mut self) -> Option<i64> {
        let changes = self.gateway.ledger.changes();
        let is_recovering = self.is_recovering_now();
        let known = self.gateway.next_due;
        if let Some(known) =
            known.filter(|it| (it.changes, it.is_recovering) == (changes, is_recovering))
        {
            return known.at_ms;
        }
        let due = |job: &Job| job.due_at_ms.max(job.leased_until_ms);
        let job_ms = self.gateway.tables(|tables| tables.jobs.values().map(due).min());
        let recovery_ms = self.next_recovery().map(|next| next.due_at_ms);
        let recovery_ms = recovery_ms.or_else(|| self.next_found().map(|next| next.due_at_ms));
        let at_ms = job_ms.into_iter().chain(recovery_ms).min();
        self.gateway.next_due = Some(NextDue { changes, is_recovering, at_ms });
        at_ms
    }
}

/// One leased job, as the server's worker carries it out.
async fn work(ledger: &LedgerDoor, stripe: &StripeDoor, job: Job) {
    let end = match attempt(ledger, stripe, &job).await {
        Ok(end) => end,
        Err(error) => {
            ledger.shared.note(|| format!("a job is left for later: {error}"));
            JobEnd::Again
        }
    };
    // If this fails, the lease runs out by itself.
    let _ = ledger.run(FinishJob { job, end }).await;
}

async fn attempt(
    ledger: &LedgerDoor,
    stripe: &StripeDoor,
    job: &Job,
) -> Result<JobEnd, holdfast_ledger::work::WorkError> {
    let tenant = fixture::tenant();
    let Some(payment) = ledger.payment(&tenant, job.payment).await? else {
        return Ok(JobEnd::Done);
    };
    let now_ms = ledger.shared.lock().now_ms;
    carry_out(ledger, stripe, job, &payment, Source::Poll, now_ms).await
}
