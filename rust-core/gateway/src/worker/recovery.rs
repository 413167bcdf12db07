//! A gateway that was put back asks Stripe, page by page, what it has lost.
//!
//! How far it has come is a row for each set of credentials, so a restart goes on where the last run
//! stopped. A restore needs the gateway stopped: once all is done, nothing is left to do in this run.

use crate::core::Core;
use crate::credentials::Clients;
use crate::serve::stopped;
use crate::store::{StoreError, recovery};
use holdfast_ledger::recovery::{Recovery, RecoveryStage};
use holdfast_ledger::work::recover;
use holdfast_ledger::{PutOffRecovery, Store};
use sqlx::query;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Pause after the database failed, so that the log is not flooded.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

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
    let Some(next) = next(core).await? else { return Ok(None) };
    let early_ms = next.due_at_ms.saturating_sub(core.now_ms());
    if let Ok(early_ms @ 1..) = u64::try_from(early_ms) {
        return Ok(Some(Duration::from_millis(early_ms)));
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

/// What is due first.
async fn next(core: &Core) -> Result<Option<Recovery>, StoreError> {
    let sql = query("SELECT * FROM recoveries WHERE stage <> ? ORDER BY due_at_ms LIMIT 1");
    let row = sql.bind(RecoveryStage::Done.as_str()).fetch_optional(&core.store.reads).await?;
    row.as_ref().map(recovery).transpose()
}
