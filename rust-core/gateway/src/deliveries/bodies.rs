//! Bodies of events are thrown away when nobody needs them any more. What makes an event the one it is
//! (tenant, mode, account, ID) stays for ever: an event that comes again after years is known.
//!
//! An event is only a hint, so its body is of use to people: to see what Stripe said, and to replay. It
//! is kept as long as Stripe keeps its own copy, and longer while its payment is not known here. An
//! event whose payment is still to be looked at keeps its body however old it is.

use super::RECENT_MS;
use crate::core::Core;
use crate::store::StoreError;
use sqlx::query;

/// How long the body of an applied event is kept, in milliseconds: as long as Stripe names its events,
/// 30 days.
const APPLIED_KEPT_MS: i64 = 30 * RECENT_MS;
/// How long the body of an event is kept that waits for its object, in milliseconds (180 days): longer
/// than handhelds keep their orders. What has not come by then is mostly another program's.
const WAITING_KEPT_MS: i64 = 180 * RECENT_MS;
/// Bodies that one change throws away: a webhook that comes meanwhile waits a few milliseconds.
const BATCH: i64 = 200;
/// Changes in one look; the rest waits for the next.
const BATCHES_MAX: usize = 50;

/// Throws the bodies of applied events away. Bound: now, the youngest that goes, how many.
pub(crate) const PRUNE_APPLIED: &str = "UPDATE events SET body = x'', pruned_at_ms = ? WHERE \
    (tenant, mode, account, event) IN (SELECT e.tenant, e.mode, e.account, e.event FROM events e \
    WHERE e.pruned_at_ms = 0 AND e.waiting_for = '' AND e.received_at_ms < ? AND NOT EXISTS (SELECT 1 \
    FROM jobs j WHERE j.tenant = e.tenant AND j.kind = 'check_session' AND j.payment = e.payment) \
    ORDER BY e.received_at_ms LIMIT ?)";

/// The same for events that wait.
pub(crate) const PRUNE_WAITING: &str = "UPDATE events SET body = x'', pruned_at_ms = ? WHERE \
    (tenant, mode, account, event) IN (SELECT e.tenant, e.mode, e.account, e.event FROM events e \
    WHERE e.pruned_at_ms = 0 AND e.waiting_for <> '' AND e.received_at_ms < ? \
    ORDER BY e.received_at_ms LIMIT ?)";

/// Throws away what is old, in small batches.
pub(crate) async fn prune(core: &Core) -> Result<(), StoreError> {
    for (sql, kept_ms) in [(PRUNE_APPLIED, APPLIED_KEPT_MS), (PRUNE_WAITING, WAITING_KEPT_MS)] {
        for _ in 0..BATCHES_MAX {
            if batch(core, sql, kept_ms).await? < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    Ok(())
}

async fn batch(core: &Core, sql: &'static str, kept_ms: i64) -> Result<u64, StoreError> {
    let now_ms = core.now_ms();
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(sql).bind(now_ms).bind(now_ms.saturating_sub(kept_ms)).bind(BATCH);
            Ok::<_, StoreError>(sql.execute(&mut tx.connection).await?.rows_affected())
        })
    });
    let pruned = change.await?;
    if pruned > 0 {
        tracing::info!(events = pruned, "bodies of old events were thrown away");
    }
    Ok(pruned)
}
