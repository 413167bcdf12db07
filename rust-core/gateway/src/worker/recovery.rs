//! A gateway that was put back asks Stripe, page by page, what it has lost.
//!
//! How far it has come is a row for each set of credentials, so a restart goes on where the last run
//! stopped. Card pages of orders that nobody has brought again are looked at until they are final. A
//! restore needs the gateway stopped: once all is done, nothing is left to do in this run.

use crate::clients::Clients;
use crate::core::Core;
use crate::serve::stopped;
use crate::store::{StoreError, found_session, recovery};
use holdfast_ledger::recovery::{Recovery, RecoveryStage};
use holdfast_ledger::work::{follow_found, recover};
use holdfast_ledger::{FollowFound, PutOffRecovery, Store};
use sqlx::query;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Pause after the database failed, so that the log is not flooded.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause between two looks at the table, so that a clock that was set is noticed.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Asks until everything is known again, or `stop` turns true.
pub(crate) async fn recover_all(
    core: Arc<Core>,
    clients: Arc<Clients>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        let pause = match step(&core, &clients).await {
            Ok(Some(pause)) => pause,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "recovering: the database failed");
                FAILURE_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

/// Asks for one page, if one is due. How long to wait for the next; none once all is done.
async fn step(
    core: &Core,
    clients: &Clients,
) -> Result<Option<Duration>, holdfast_ledger::StoreError> {
    let Some(next) = next(core).await? else { return follow(core, clients).await };
    if let Some(pause) = pause_until(core, next.due_at_ms) {
        return Ok(Some(pause));
    }
    let trouble = match clients.for_recovery(core, &next.key).await {
        Ok(keys) => match recover(core, &keys, &next, core.now_ms()).await {
            Ok(()) => return Ok(Some(Duration::ZERO)),
            // It is put off already.
            Err(error) => {
                tracing::warn!(tenant = %next.key.tenant, %error, "recovering: asked again later");
                return Ok(Some(Duration::ZERO));
            }
        },
        Err(error) => error.to_string(),
    };
    tracing::warn!(tenant = %next.key.tenant, trouble, "recovering: no credentials to ask with");
    core.run(PutOffRecovery { key: next.key, trouble }).await?;
    Ok(Some(Duration::ZERO))
}

/// Looks at one card page whose order has not come, if one is due. As above.
async fn follow(
    core: &Core,
    clients: &Clients,
) -> Result<Option<Duration>, holdfast_ledger::StoreError> {
    let sql = query("SELECT * FROM found_sessions WHERE due_at_ms > 0 ORDER BY due_at_ms LIMIT 1");
    let row = sql.fetch_optional(&core.store.reads).await.map_err(StoreError::Sql)?;
    let Some(found) = row.as_ref().map(found_session).transpose()? else { return Ok(None) };
    if let Some(pause) = pause_until(core, found.due_at_ms) {
        return Ok(Some(pause));
    }
    let (tenant, payment) = (&found.tenant, found.payment);
    match clients.for_recovery(core, &found.key()).await {
        Ok(keys) => {
            if let Err(error) = follow_found(core, &keys, &found).await {
                tracing::warn!(%tenant, %payment, %error, "a card page without its order: asked again later");
            }
        }
        Err(error) => {
            tracing::warn!(%tenant, %payment, %error, "a card page without its order: no credentials");
            core.run(FollowFound { found, seen: None }).await?;
        }
    }
    Ok(Some(Duration::ZERO))
}

/// How long it is until then; none if it is now.
fn pause_until(core: &Core, due_at_ms: i64) -> Option<Duration> {
    match u64::try_from(due_at_ms.saturating_sub(core.now_ms())) {
        Ok(early_ms @ 1..) => Some(Duration::from_millis(early_ms).min(PAUSE_MAX)),
        Ok(0) | Err(_) => None,
    }
}

/// What is due first.
async fn next(core: &Core) -> Result<Option<Recovery>, StoreError> {
    let sql = query("SELECT * FROM recoveries WHERE stage <> ? ORDER BY due_at_ms LIMIT 1");
    let row = sql.bind(RecoveryStage::Done.as_str()).fetch_optional(&core.store.reads).await?;
    row.as_ref().map(recovery).transpose()
}
