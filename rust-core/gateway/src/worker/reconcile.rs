//! What the webhook missed is found anyway. Every unfinished payment has a job that asks Stripe at
//! growing intervals; beside those, from time to time:
//!
//! - Stripe is asked which events it could not deliver, and which of our types there were since the
//!   last look, whether or not an endpoint wanted them. Each that is about a payment of ours is taken
//!   as if it had come.
//! - Stripe's books about our webhooks are looked at, so that the page can say why something was missed.
//! - An unfinished payment without a job gets one.

mod questions;

use super::Failure;
use crate::connection::Subject;
use crate::core::Core;
use crate::credentials::{CredentialsError, credentials, newest_generation};
use crate::deliveries;
use crate::processors::{self, PaymentTypeRow};
use crate::store::{LedgerTx, StoreError, rows};
use holdfast_domain::{Mode, PaymentId, TenantSlug};
use holdfast_ledger::{JobKind, JobTx};
use questions::{Asked, Asker, Question, Window};
use sqlx::query;

/// Waits between looks, in milliseconds: soon after the start, then seldom. A look is three calls for
/// each set of keys, far within Stripe's 25 requests a second.
const WAITS_MS: [i64; 4] = [15_000, 60_000, 300_000, 600_000];
/// How far back undelivered events are asked for, in seconds: as long as Stripe retries, and a day more.
const UNDELIVERED_S: i64 = 4 * 24 * 60 * 60;
/// How far back the first look for all events goes, in seconds: a day.
const FIRST_LOOK_S: i64 = 24 * 60 * 60;
/// Events younger than this, in seconds, may still be under way.
const YOUNG_S: i64 = 60;
/// Looks overlap by so many seconds: Stripe lists an event a moment after its time.
const OVERLAP_S: i64 = 60;
/// Payments that get their job back in one look; the rest waits for the next.
const JOBS_MAX: i64 = 500;

/// When to look next, after so many looks.
pub(super) fn next_ms(core: &Core, looks: usize) -> i64 {
    let [.., longest] = WAITS_MS;
    core.now_ms().saturating_add(WAITS_MS.get(looks).copied().unwrap_or(longest))
}

/// One look, for every tenant and set of keys. A failure of one is no reason to leave out another.
pub(super) async fn reconcile(core: &Core, public_url: &str) -> Result<Looked, Failure> {
    let found = query("SELECT tenant FROM tenants").fetch_all(&core.store.reads).await?;
    let mut looked = Looked::All;
    for row in &found {
        let tenant: TenantSlug = rows::parsed(row, "tenant")?;
        looked = looked.and(look_at(core, &tenant, public_url).await?);
    }
    give_jobs_back(core).await?;
    deliveries::forget_old(core).await?;
    Ok(looked)
}

/// How far a look has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Everything that was asked is answered.
    All,
    /// Stripe has more to tell: the next look may follow at once.
    Part,
}

impl Looked {
    fn and(self, other: Self) -> Self {
        if self == Self::Part { self } else { other }
    }
}

/// The same for one tenant, when somebody presses *Ask Stripe now*.
pub(crate) async fn look_at(
    core: &Core,
    tenant: &TenantSlug,
    public_url: &str,
) -> Result<Looked, StoreError> {
    // Two looks at once would only read the same pages twice.
    let _turn = core.asking.lock().await;
    let mut looked = Looked::All;
    for kind in processors::payment_types(core, tenant).await? {
        for mode in [Mode::Test, Mode::Live] {
            match look(core, tenant, &kind, mode, public_url).await {
                Ok(one) => looked = looked.and(one),
                Err(error) => {
                    tracing::info!(%tenant, code = %kind.code, %mode, %error, "Stripe was not asked for events");
                }
            }
        }
    }
    Ok(looked)
}

async fn look(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
    mode: Mode,
    public_url: &str,
) -> Result<Looked, Failure> {
    let newest = newest_generation(core, tenant, &kind.code, mode).await?;
    let Some(generation) = newest else { return Ok(Looked::All) };
    let keys = match credentials(core, tenant, &kind.code, mode, generation).await {
        Err(CredentialsError::Missing(_)) => return Ok(Looked::All),
        keys => keys?,
    };
    let subject = Subject { core, tenant, kind, mode, keys };
    let findings = subject.on_the_books(public_url).await;
    let Ok(client) = subject.client() else { return Ok(Looked::All) };
    let now_s = core.now_ms().div_euclid(1000);
    let until_s = now_s.saturating_sub(YOUNG_S);
    let asker = Asker { core, tenant, code: &kind.code, mode, client: &client };
    let window = Window { from_s: now_s.saturating_sub(UNDELIVERED_S), until_s };
    let undelivered = asker.ask(Question::Undelivered, window).await;
    let seen_s = events_until_s(core, tenant, kind, mode).await?;
    let from_s = if seen_s == 0 { now_s.saturating_sub(FIRST_LOOK_S) } else { seen_s };
    let window = Window { from_s: from_s.saturating_sub(OVERLAP_S), until_s };
    let all = asker.ask(Question::All, window).await;
    // The mark moves only once everything before it was read.
    let seen_s = match &all {
        Ok(Asked::Whole(window)) => seen_s.max(window.until_s),
        Ok(Asked::Part) | Err(_) => seen_s,
    };
    remember(core, tenant, kind, mode, rows::json(&findings)?, seen_s).await?;
    match (undelivered?, all?) {
        (Asked::Whole(_), Asked::Whole(_)) => Ok(Looked::All),
        _ => Ok(Looked::Part),
    }
}

async fn events_until_s(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
    mode: Mode,
) -> Result<i64, StoreError> {
    let sql = query(
        "SELECT events_until_s FROM webhook_looks WHERE tenant = ? AND code = ? AND mode = ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(kind.code.as_str()).bind(mode.as_str());
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.map_or(Ok(0), |row| rows::number(&row, "events_until_s"))
}

async fn remember(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
    mode: Mode,
    findings: String,
    until_s: i64,
) -> Result<(), StoreError> {
    let (slug, code, at_ms) = (tenant.clone(), kind.code.clone(), core.now_ms());
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO webhook_looks (tenant, code, mode, asked_at_ms, findings, \
                 events_until_s) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, code, mode) DO UPDATE \
                 SET asked_at_ms = excluded.asked_at_ms, findings = excluded.findings, \
                 events_until_s = excluded.events_until_s",
            );
            let sql = sql.bind(slug.as_str().to_owned()).bind(code.as_str().to_owned());
            let sql = sql.bind(mode.as_str()).bind(at_ms).bind(findings).bind(until_s);
            sql.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    write.await?;
    core.store.tell_delivery(tenant);
    Ok(())
}

/// A payment that may change by itself and that nothing asks about is asked about again.
async fn give_jobs_back(core: &Core) -> Result<(), Failure> {
    let sql = query(
        "SELECT u.tenant, u.payment, u.frozen FROM (SELECT tenant, payment, CASE WHEN state = \
         'frozen' THEN 1 ELSE 0 END AS frozen FROM attempts WHERE state <> 'disposed' UNION ALL SELECT \
         tenant, payment, 0 AS frozen FROM payments WHERE state IN ('processing', 'cancel_requested', \
         'refund_pending')) u WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.tenant = u.tenant AND \
         j.payment = u.payment AND j.kind IN ('open_session', 'check_session')) LIMIT ?",
    );
    let found = sql.bind(JOBS_MAX).fetch_all(&core.store.reads).await?;
    for row in &found {
        let tenant: TenantSlug = rows::parsed(row, "tenant")?;
        let payment: PaymentId = rows::parsed(row, "payment")?;
        let frozen = rows::number(row, "frozen")? == 1;
        let kind = if frozen { JobKind::OpenSession } else { JobKind::CheckSession };
        tracing::warn!(%tenant, %payment, kind = kind.as_str(), "an unfinished payment had no job");
        let now_ms = core.now_ms();
        let wish = core.store.writer.run(move |tx| {
            Box::pin(async move {
                let mut ledger = LedgerTx::within(tx);
                ledger.want_job(&tenant, kind, payment, now_ms).await
            })
        });
        wish.await?;
    }
    Ok(())
}
