//! Durable work: jobs are leased from the ledger, carried out, and given back.
//!
//! A job survives a crash, because it is a row; two workers never share one, because it is
//! leased; and a worker that was too slow cannot finish what another has taken over, because it is
//! fenced. What a job does may be done twice without harm: requests are frozen, and evidence is
//! evidence however often it is brought.

pub(crate) mod reconcile;
mod recovery;

pub(crate) use recovery::recover_all;

use crate::accounts::{self, KeyOf};
use crate::clients::Clients;
use crate::core::Core;
use crate::deliveries::repairs;
use crate::metrics::Counter;
use crate::payments;
use crate::serve::stopped;
use crate::store::StoreError;
use crate::urls::PublicUrl;
use futures_util::FutureExt;
use holdfast_ledger::work::carry_out as carry_out_job;
use holdfast_ledger::{FinishJob, Job, JobEnd, LeaseJobs, Payment, Source, Store};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

/// Jobs carried out at once: far below Stripe's 25 requests a second in test mode.
const JOBS_AT_ONCE: u32 = 8;
/// How often the jobs are looked through without being rung for: they also become due by time, and
/// another process may have wished for one.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// An event this fresh is why we look, in milliseconds.
const FRESH_EVENT_MS: i64 = 5_000;
/// Pause after the database failed, so that the log is not flooded.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// How long running jobs get to finish when the gateway stops. The rest is taken over later.
const GRACE: Duration = Duration::from_secs(10);

/// Works until `stop` turns true.
pub(crate) async fn work(
    core: Arc<Core>,
    clients: Arc<Clients>,
    public_url: PublicUrl,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(usize::try_from(JOBS_AT_ONCE).unwrap_or(1)));
    let mut running = JoinSet::new();
    let mut looks = Looks { done: 0, next_ms: reconcile::next_ms(&core, 0) };
    while !*stop.borrow() {
        let free = u32::try_from(places.available_permits()).unwrap_or(0);
        let leased = if free == 0 { Ok(Vec::new()) } else { lease(&core, free).await };
        let pause = match leased {
            Ok(jobs) => {
                for job in jobs {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                    let (core, clients) = (Arc::clone(&core), Arc::clone(&clients));
                    let span = tracing::error_span!(
                        "job", kind = job.kind.as_str(), payment = %job.payment
                    );
                    let carried_out = async move {
                        run(&core, &clients, job).await;
                        drop(place);
                        // A place is free: whatever waited for it can be leased.
                        core.store.work.notify_one();
                    };
                    running.spawn(carried_out.instrument(span));
                }
                LOOK_AGAIN
            }
            Err(error) => {
                tracing::error!(%error, "jobs could not be leased");
                FAILURE_PAUSE
            }
        };
        while running.try_join_next().is_some() {}
        if looks.is_due(&core) {
            let (core, public_url) = (Arc::clone(&core), public_url.clone());
            let stop = stop.clone();
            running.spawn(async move { ask_what_was_missed(&core, &public_url, stop).await });
        }
        tokio::select! {
            () = core.store.work.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut stop) => {}
        }
    }
    let all_done = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_done).await.is_err() {
        tracing::warn!("some jobs did not finish in time; they are taken up again later");
    }
}

/// Looks for what the webhook missed, and looks again while Stripe has more to tell.
async fn ask_what_was_missed(core: &Core, public_url: &PublicUrl, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match reconcile::reconcile(core, public_url.as_str()).await {
            Ok(reconcile::Looked::Part) => {}
            Ok(reconcile::Looked::All) => return,
            Err(error) => {
                tracing::error!(error, "what the webhook missed could not be looked for");
                return;
            }
        }
    }
}

/// When Stripe is asked next for what the webhook missed.
struct Looks {
    done: usize,
    next_ms: i64,
}

impl Looks {
    fn is_due(&mut self, core: &Core) -> bool {
        if core.now_ms() < self.next_ms {
            return false;
        }
        self.done = self.done.saturating_add(1);
        self.next_ms = reconcile::next_ms(core, self.done);
        true
    }
}

async fn lease(core: &Core, limit: u32) -> Result<Vec<Job>, holdfast_ledger::StoreError> {
    // Looking first keeps an idle gateway from writing twice a second.
    if !any_due(core).await? {
        return Ok(Vec::new());
    }
    core.store.run(LeaseJobs { limit }).await
}

async fn any_due(core: &Core) -> Result<bool, StoreError> {
    let sql =
        sqlx::query("SELECT 1 FROM jobs WHERE due_at_ms <= ? AND leased_until_ms <= ? LIMIT 1");
    let now_ms = core.now_ms();
    Ok(sql.bind(now_ms).bind(now_ms).fetch_optional(&core.store.reads).await?.is_some())
}

async fn run(core: &Core, clients: &Clients, job: Job) {
    let carried_out = AssertUnwindSafe(carry_out(core, clients, &job)).catch_unwind().await;
    let result = match &carried_out {
        Ok(Ok(JobEnd::Done)) => "done",
        Ok(Ok(JobEnd::Again)) => "again",
        Ok(Err(_)) => "failed",
        Err(_) => "panicked",
    };
    let labels = [("kind", job.kind.as_str()), ("result", result)];
    core.metrics.count(Counter::Jobs, &labels);
    let end = match carried_out {
        Ok(Ok(end)) => end,
        Ok(Err(error)) => {
            tracing::warn!(tries = job.tries, %error, "a job is left for later");
            JobEnd::Again
        }
        Err(_) => {
            tracing::error!("a job panicked");
            JobEnd::Again
        }
    };
    match core.store.run(FinishJob { job, end }).await {
        Ok(true) => {}
        Ok(false) => tracing::info!("a job took longer than its lease; another worker has it"),
        // The lease runs out by itself.
        Err(error) => tracing::error!(%error, "a job could not be given back"),
    }
}

/// An error of any kind: it is logged with its chain, and the job comes again.
type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn carry_out(core: &Core, clients: &Clients, job: &Job) -> Result<JobEnd, Failure> {
    let found = payments::payment(core, &job.tenant, job.payment).await?;
    let Some(payment) = found else { return Ok(JobEnd::Done) };
    let payment = with_account(core, clients, payment).await?;
    let client = clients.of(core, &payment).await?;
    let source = if hinted_at(core, &payment).await? { Source::Webhook } else { Source::Poll };
    let end = carry_out_job(core, &client, job, &payment, source, core.now_ms()).await?;
    if let Some(after) = payments::payment(core, &job.tenant, job.payment).await? {
        repairs::note(core, payment.state, &after, source).await?;
    }
    Ok(end)
}

/// Finds out whose account a payment's key belongs to, before that key's first payment is worked on.
/// A Stripe that does not tell is asked again with the next job.
async fn with_account(
    core: &Core,
    clients: &Clients,
    payment: Payment,
) -> Result<Payment, Failure> {
    if !payment.pin.account.is_empty() {
        return Ok(payment);
    }
    let key = KeyOf {
        tenant: payment.tenant.clone(),
        code: payment.payment_type.clone(),
        mode: payment.mode,
        generation: payment.pin.generation,
    };
    let known = match accounts::known(core, &key).await? {
        Some(account) => Some(account),
        None => clients.pinned(core, &payment).await?.account().await.ok().map(|it| it.id),
    };
    let Some(account) = known else { return Ok(payment) };
    accounts::remember(core, key, account).await?;
    let again = payments::payment(core, &payment.tenant, payment.payment).await?;
    Ok(again.unwrap_or(payment))
}

/// True if a delivery about this payment came just now, so that it is why we look.
async fn hinted_at(core: &Core, payment: &Payment) -> Result<bool, StoreError> {
    let sql = sqlx::query(
        "SELECT 1 FROM deliveries WHERE tenant = ? AND payment = ? AND received_at_ms > ? AND \
         answer = 200 LIMIT 1",
    );
    let since_ms = core.now_ms().saturating_sub(FRESH_EVENT_MS);
    let sql = sql.bind(payment.tenant.as_str()).bind(payment.payment.to_string()).bind(since_ms);
    Ok(sql.fetch_optional(&core.store.reads).await?.is_some())
}
