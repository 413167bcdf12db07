//! Payments that moved because somebody asked Stripe, and why no webhook had told of it.

use super::RECENT_MS;
use crate::core::Core;
use crate::store::{StoreError, rows};
use holdfast_domain::{PaymentState, TenantSlug};
use holdfast_ledger::{Payment, Source};
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// How long a webhook may take before it counts as missed, in milliseconds: Stripe mostly delivers
/// within seconds, and asking is often a little faster.
const LATE_MS: i64 = 60_000;
/// Payments on the page.
const SHOWN_MAX: i64 = 50;

/// Notes that a look found a payment in another state than before.
pub(crate) async fn note(
    core: &Core,
    before: PaymentState,
    after: &Payment,
    source: Source,
) -> Result<(), StoreError> {
    if before == after.state || !tells_of_stripe(after.state) || source == Source::Webhook {
        return Ok(());
    }
    let (tenant, payment, state) = (after.tenant.clone(), after.payment, after.state);
    let at_ms = core.now_ms();
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO repairs (tenant, payment, state, at_ms, source) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING",
            );
            let sql = sql.bind(tenant.as_str().to_owned()).bind(payment.to_string());
            let sql = sql.bind(state.as_str()).bind(at_ms).bind(source.as_str());
            sql.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    write.await
}

/// True for states that only Stripe can bring about, and that its webhooks tell.
fn tells_of_stripe(state: PaymentState) -> bool {
    use PaymentState as S;
    matches!(
        state,
        S::Processing
            | S::Declined
            | S::Paid
            | S::Owed
            | S::RefundPending
            | S::Refunded
            | S::PartlyRefunded
            | S::RefundFailed
            | S::Disputed
            | S::NeedsAttention
    )
}

/// A payment that was followed although no webhook told of it in time.
#[derive(Debug, Clone)]
pub(crate) struct Repaired {
    pub(crate) payment: String,
    pub(crate) at_ms: i64,
    pub(crate) state: PaymentState,
    /// How it was found: the payer came back, or the gateway asked.
    pub(crate) how: &'static str,
    /// Why a delivery was refused about then; none if none came.
    pub(crate) refused: Option<String>,
}

/// What was found without a webhook lately, newest first.
pub(crate) async fn missed(core: &Core, tenant: &TenantSlug) -> Result<Vec<Repaired>, StoreError> {
    let now_ms = core.now_ms();
    let sql = query(
        "WITH r AS (SELECT *, at_ms - ? AS earliest_ms, at_ms + ? AS latest_ms FROM repairs WHERE \
         tenant = ? AND at_ms > ?) SELECT r.*, COALESCE((SELECT d.reason FROM deliveries d WHERE \
         d.tenant = r.tenant AND d.answer >= 400 AND d.received_at_ms BETWEEN r.earliest_ms AND \
         r.latest_ms ORDER BY d.number DESC LIMIT 1), '') AS reason FROM r WHERE (r.latest_ms < ? OR \
         EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant = r.tenant AND d.answer >= 400 AND \
         d.received_at_ms >= r.earliest_ms)) AND NOT EXISTS (SELECT 1 FROM events v JOIN deliveries d \
         ON d.tenant = v.tenant AND d.event = v.event AND d.answer = 200 WHERE v.tenant = r.tenant \
         AND v.payment = r.payment AND d.received_at_ms BETWEEN r.earliest_ms AND r.latest_ms) ORDER \
         BY r.at_ms DESC LIMIT ?",
    );
    let sql = sql.bind(LATE_MS).bind(LATE_MS).bind(tenant.as_str());
    let sql = sql.bind(now_ms.saturating_sub(RECENT_MS)).bind(now_ms).bind(SHOWN_MAX);
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(repaired).collect()
}

fn repaired(row: &SqliteRow) -> Result<Repaired, StoreError> {
    let state = PaymentState::parse(&rows::text(row, "state")?);
    Ok(Repaired {
        payment: rows::text(row, "payment")?,
        at_ms: rows::number(row, "at_ms")?,
        state: state.ok_or(StoreError::Damaged("state"))?,
        how: match rows::text(row, "source")?.as_str() {
            "redirect" => "the payer came back, and Stripe was asked",
            _ => "the gateway asked Stripe by itself",
        },
        refused: rows::some(rows::text(row, "reason")?),
    })
}
