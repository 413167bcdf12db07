//! Live Mode of a payment type: which proofs there are, the trial, and off.

use crate::audit::{self, Act};
use crate::core::Core;
use crate::store::{StoreError, WriteTx, rows};
use holdfast_domain::live::{Proof, TrialRefusal, may_begin};
use holdfast_domain::{Mode, OfficerId, PaymentTypeCode, TenantSlug};
use sqlx::{SqliteConnection, query};

/// Remembers that deliveries proved the webhook of the keys in force.
pub(crate) async fn webhook_is_verified(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
) -> Result<(), StoreError> {
    let (tenant, code, now_ms) = (tenant.clone(), code.clone(), core.now_ms());
    let note = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE processors SET webhook_verified_at_ms = ? WHERE tenant = ? AND code = ? AND \
                 mode = ? AND generation = (SELECT MAX(generation) FROM processors x WHERE \
                 x.tenant = processors.tenant AND x.code = processors.code AND \
                 x.mode = processors.mode)",
            );
            let sql = sql.bind(now_ms).bind(tenant.as_str()).bind(code.as_str());
            sql.bind(mode.as_str()).execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    note.await
}

/// The proofs that there are.
pub(crate) async fn proven(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
) -> Result<Vec<Proof>, StoreError> {
    let mut connection = core.store.reads.acquire().await?;
    proofs(&mut connection, tenant, code).await
}

async fn proofs(
    connection: &mut SqliteConnection,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
) -> Result<Vec<Proof>, StoreError> {
    let mut proven = Vec::new();
    for proof in Proof::ALL {
        let sql = match proof {
            Proof::LiveKey => {
                "SELECT 1 FROM processors WHERE tenant = ? AND code = ? AND mode = 'live' LIMIT 1"
            }
            // A webhook's secret belongs to the tenant and mode, whichever type it serves.
            Proof::LiveWebhookSecret => {
                "SELECT 1 FROM webhook_secrets w, payment_types t WHERE t.tenant = ? AND \
                 t.code = ? AND w.tenant = t.tenant AND w.mode = 'live' LIMIT 1"
            }
            Proof::TestPayment => {
                "SELECT 1 FROM payments WHERE tenant = ? AND payment_type = ? AND mode = 'test' \
                 AND receipt_order_id <> '' LIMIT 1"
            }
            Proof::WebhookVerified => {
                "SELECT 1 FROM processors p WHERE tenant = ? AND code = ? AND mode = 'test' AND \
                 webhook_verified_at_ms > 0 AND generation = (SELECT MAX(generation) FROM \
                 processors x WHERE x.tenant = p.tenant AND x.code = p.code AND x.mode = p.mode)"
            }
            Proof::TestRefund => {
                "SELECT 1 FROM payments WHERE tenant = ? AND payment_type = ? AND mode = 'test' \
                 AND state IN ('refunded', 'partly_refunded') LIMIT 1"
            }
        };
        let sql = query(sql).bind(tenant.as_str()).bind(code.as_str());
        if sql.fetch_optional(&mut *connection).await?.is_some() {
            proven.push(proof);
        }
    }
    Ok(proven)
}

/// Why Live Mode stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveModeError {
    #[error(transparent)]
    Refused(#[from] TrialRefusal),
    #[error("This payment type is live already; reload the page.")]
    IsOn,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins the trial with these officers.
pub(crate) async fn begin_trial(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    who: &str,
    officers: Vec<OfficerId>,
) -> Result<(), LiveModeError> {
    let (tenant, code, who) = (tenant.clone(), code.clone(), who.to_owned());
    let at_ms = core.now_ms();
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            // In the same transaction: a proof cannot go missing between the look and the step.
            let proven = proofs(&mut tx.connection, &tenant, &code).await?;
            let known = known_officers(tx, &tenant, &officers).await?;
            may_begin(&proven, &known)?;
            let named = known.iter().map(|it| it.0.to_string()).collect::<Vec<_>>().join(",");
            let sql = query(
                "UPDATE payment_types SET mode = 'live', trial_officers = ? WHERE tenant = ? AND \
                 code = ? AND mode = 'test'",
            );
            let sql = sql.bind(&named).bind(tenant.as_str()).bind(code.as_str());
            let done = sql.execute(&mut tx.connection).await.map_err(StoreError::Sql)?;
            if done.rows_affected() == 0 {
                return Err(LiveModeError::IsOn);
            }
            let detail = format!("{code}: officers {named}");
            let act = Act { at_ms, who: &who, what: "live_trial_begun", detail: &detail };
            Ok(audit::record(tx, tenant.as_str(), act).await?)
        })
    });
    change.await
}

/// Those of the officers who are on the tenant's list.
async fn known_officers(
    tx: &mut WriteTx,
    tenant: &TenantSlug,
    officers: &[OfficerId],
) -> Result<Vec<OfficerId>, StoreError> {
    let sql = query("SELECT officer FROM officers WHERE tenant = ? ORDER BY officer");
    let found = sql.bind(tenant.as_str()).fetch_all(&mut tx.connection).await?;
    let known = found.iter().map(|row| rows::small(row, "officer").map(OfficerId));
    let known = known.collect::<Result<Vec<_>, _>>()?;
    Ok(known.into_iter().filter(|it| officers.contains(it)).collect())
}

/// Turns Live Mode off. Payments that are live stay live to their end.
pub(crate) async fn turn_off(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    who: &str,
) -> Result<(), StoreError> {
    let (tenant, code, who) = (tenant.clone(), code.clone(), who.to_owned());
    let at_ms = core.now_ms();
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE payment_types SET mode = 'test', trial_officers = '' WHERE tenant = ? AND \
                 code = ? AND mode = 'live'",
            );
            let sql = sql.bind(tenant.as_str()).bind(code.as_str());
            if sql.execute(&mut tx.connection).await?.rows_affected() == 0 {
                return Ok(());
            }
            let detail = code.to_string();
            let act = Act { at_ms, who: &who, what: "live_mode_off", detail: &detail };
            audit::record(tx, tenant.as_str(), act).await
        })
    });
    change.await
}
