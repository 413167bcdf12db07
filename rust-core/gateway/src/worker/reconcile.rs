//! What the webhook missed is found anyway. Every unfinished payment has a job that asks Stripe at
//! growing intervals; beside those, from time to time:
//!
//! - Stripe is asked which events it could not deliver, and which of our types there were since the
//!   last look, whether or not an endpoint wanted them. Each that is about a payment of ours is taken
//!   as if it had come.
//! - Stripe's books about our webhooks are looked at, so that the page can say why something was missed.
//! - An unfinished payment without a job gets one.

use super::Failure;
use crate::connection::Subject;
use crate::core::Core;
use crate::credentials::{CredentialsError, credentials, newest_generation};
use crate::deliveries::{self, replay};
use crate::processors::{self, PaymentTypeRow};
use crate::store::{LedgerTx, StoreError, rows};
use holdfast_domain::{Mode, PaymentId, TenantSlug};
use holdfast_ledger::work::FOLLOWED;
use holdfast_ledger::{JobKind, JobTx};
use holdfast_stripe::objects::{Event, List};
use holdfast_stripe::{CallError, Client, Created, Page};
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
/// Pages of a hundred that one question takes. What is beyond is older, and left to the jobs.
const PAGES_MAX: usize = 20;
/// Payments that get their job back in one look; the rest waits for the next.
const JOBS_MAX: i64 = 500;

/// When to look next, after so many looks.
pub(super) fn next_ms(core: &Core, looks: usize) -> i64 {
    let [.., longest] = WAITS_MS;
    core.now_ms().saturating_add(WAITS_MS.get(looks).copied().unwrap_or(longest))
}

/// One look, for every tenant and set of keys. A failure of one is no reason to leave out another.
pub(super) async fn reconcile(core: &Core, public_url: &str) -> Result<(), Failure> {
    let found = query("SELECT tenant FROM tenants").fetch_all(&core.store.reads).await?;
    for row in &found {
        let tenant: TenantSlug = rows::parsed(row, "tenant")?;
        look_at(core, &tenant, public_url).await?;
    }
    give_jobs_back(core).await?;
    deliveries::forget_old(core).await?;
    Ok(())
}

/// The same for one tenant, when somebody presses *Ask Stripe now*.
pub(crate) async fn look_at(
    core: &Core,
    tenant: &TenantSlug,
    public_url: &str,
) -> Result<(), StoreError> {
    for kind in processors::payment_types(core, tenant).await? {
        for mode in [Mode::Test, Mode::Live] {
            if let Err(error) = look(core, tenant, &kind, mode, public_url).await {
                tracing::info!(%tenant, code = %kind.code, %mode, %error, "Stripe was not asked for events");
            }
        }
    }
    Ok(())
}

async fn look(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
    mode: Mode,
    public_url: &str,
) -> Result<(), Failure> {
    let newest = newest_generation(core, tenant, &kind.code, mode).await?;
    let Some(generation) = newest else { return Ok(()) };
    let keys = match credentials(core, tenant, &kind.code, mode, generation).await {
        Err(CredentialsError::Missing(_)) => return Ok(()),
        keys => keys?,
    };
    let subject = Subject { core, tenant, kind, mode, keys };
    let findings = subject.on_the_books(public_url).await;
    let Ok(client) = subject.client() else { return Ok(()) };
    let now_s = core.now_ms().div_euclid(1000);
    let until_s = now_s.saturating_sub(YOUNG_S);
    let taker = Taker { core, tenant, mode, client: &client };
    let undelivered =
        Created { from: Some(now_s.saturating_sub(UNDELIVERED_S)), to: Some(until_s) };
    let undelivered = taker.take_all(undelivered, true).await;
    let seen_s = events_until_s(core, tenant, kind, mode).await?;
    let from_s = if seen_s == 0 { now_s.saturating_sub(FIRST_LOOK_S) } else { seen_s };
    let since = Created { from: Some(from_s.saturating_sub(OVERLAP_S)), to: Some(until_s) };
    let all = taker.take_all(since, false).await;
    let until_s = if all.is_ok() { until_s } else { seen_s };
    remember(core, tenant, kind, mode, rows::json(&findings)?, until_s).await?;
    undelivered.and(all)
}

struct Taker<'t> {
    core: &'t Core,
    tenant: &'t TenantSlug,
    mode: Mode,
    client: &'t Client,
}

impl Taker<'_> {
    async fn take_all(&self, created: Created, undelivered: bool) -> Result<(), Failure> {
        let mut page = Page::default();
        for _ in 0..PAGES_MAX {
            let List { data, has_more } = self.ask(created, undelivered, &page).await?;
            page.starting_after = data.last().map(|event| event.id.clone());
            for event in &data {
                self.take(event).await?;
            }
            if !has_more || page.starting_after.is_none() {
                return Ok(());
            }
        }
        tracing::warn!(tenant = %self.tenant, "there are more events at Stripe than one look takes");
        Ok(())
    }

    async fn ask(
        &self,
        created: Created,
        undelivered: bool,
        page: &Page,
    ) -> Result<List<Event>, CallError> {
        if undelivered {
            return self.client.events(created, true, page).await;
        }
        self.client.events_of(created, &FOLLOWED, page).await
    }

    /// Only what is about a payment of ours, and did not come: the account may serve others, too.
    async fn take(&self, event: &Event) -> Result<(), Failure> {
        let Self { core, tenant, mode, .. } = self;
        if replay::is_known(core, tenant, &event.id).await?
            || replay::payment_of(core, tenant, event).await?.is_none()
        {
            return Ok(());
        }
        tracing::info!(%tenant, event = event.id, kind = %event.kind, "an event that no delivery brought");
        Ok(replay::bring(core, tenant, *mode, event).await?)
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
