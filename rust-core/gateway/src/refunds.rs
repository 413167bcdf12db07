//! Refunds as the office reads them. What changes one is the ledger's.

use crate::core::Core;
use crate::store::{StoreError, refunds, rows};
use holdfast_domain::{Facts, PaymentId, TenantSlug};
use holdfast_ledger::{FinanceAlert, RefundRequest};
use sqlx::{AssertSqlSafe, query};

/// Lines of the finance role's list that are shown; older ones are read already, or many more than
/// anybody reads.
pub(crate) const ALERTS_MAX: i64 = 200;

/// The requests of a payment, oldest first.
pub(crate) async fn requests(
    core: &Core,
    tenant: &TenantSlug,
    payment: PaymentId,
) -> Result<Vec<RefundRequest>, StoreError> {
    let sql = query(refunds::REQUESTS_OF_PAYMENT);
    let sql = sql.bind(tenant.as_str()).bind(payment.to_string());
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(refunds::request).collect()
}

/// Everything that is known about a payment.
pub(crate) async fn facts(
    core: &Core,
    tenant: &TenantSlug,
    payment: PaymentId,
) -> Result<Facts, StoreError> {
    let sql = query("SELECT piece FROM evidence WHERE tenant = ? AND payment = ?");
    let sql = sql.bind(tenant.as_str()).bind(payment.to_string());
    let found = sql.fetch_all(&core.store.reads).await?;
    let evidence = found.iter().map(rows::evidence).collect::<Result<Vec<_>, _>>()?;
    Ok(Facts::from_evidence(&evidence))
}

/// Stripe's objects that belong to a payment, by their IDs.
pub(crate) async fn objects(
    core: &Core,
    tenant: &TenantSlug,
    payment: PaymentId,
) -> Result<Vec<String>, StoreError> {
    let sql = query("SELECT object FROM objects WHERE tenant = ? AND payment = ? ORDER BY object");
    let sql = sql.bind(tenant.as_str()).bind(payment.to_string());
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(|row| rows::text(row, "object")).collect()
}

/// The charges that a payment has settled, with commas between; empty if there are none.
pub(crate) async fn settles(
    core: &Core,
    tenant: &TenantSlug,
    payment: PaymentId,
) -> Result<String, StoreError> {
    let sql = query(
        "SELECT reference FROM claims WHERE tenant = ? AND payment = ? AND state = 'settled' \
         ORDER BY reference",
    );
    let sql = sql.bind(tenant.as_str()).bind(payment.to_string());
    let found = sql.fetch_all(&core.store.reads).await?;
    let references: Result<Vec<_>, _> =
        found.iter().map(|row| rows::text(row, "reference")).collect();
    Ok(references?.join(", "))
}

/// A line of the list with the receipt order ID of its payment.
pub(crate) struct ListedAlert {
    pub(crate) alert: FinanceAlert,
    pub(crate) receipt_order_id: String,
    /// A dispute was lost, and nobody has said what becomes of the charges that the payment settled.
    pub(crate) to_decide: bool,
}

/// True of a line `a` of which somebody has to say what becomes of the charges.
const TO_DECIDE: &str = "(a.status = 'dispute_lost' AND a.written_off = 0 AND EXISTS (SELECT 1 \
     FROM claims k JOIN charges o ON o.tenant = k.tenant AND o.reference = k.reference \
     WHERE k.tenant = a.tenant AND k.payment = a.payment AND k.state = 'settled' \
     AND o.withdrawn = ''))";

/// A payment whose dispute was lost, and that still settles charges.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    /// The charges, with commas between.
    pub(crate) settles: String,
    /// Who said that they stay settled all the same; empty while nobody has decided.
    pub(crate) written_off_by: String,
}

/// What there is to decide about a payment that was lost by a dispute, or to decide otherwise.
pub(crate) async fn loss(
    core: &Core,
    tenant: &TenantSlug,
    payment: PaymentId,
) -> Result<Option<Loss>, StoreError> {
    let sql = query(
        "SELECT k.reference, a.written_off, a.acknowledged_by FROM finance_alerts a \
         JOIN claims k ON k.tenant = a.tenant AND k.payment = a.payment AND k.state = 'settled' \
         JOIN charges o ON o.tenant = k.tenant AND o.reference = k.reference AND o.withdrawn = '' \
         WHERE a.tenant = ? AND a.payment = ? AND a.status = 'dispute_lost' ORDER BY k.reference",
    );
    let sql = sql.bind(tenant.as_str()).bind(payment.to_string());
    let found = sql.fetch_all(&core.store.reads).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let is_written_off = rows::number(first, "written_off")? != 0;
    let written_off_by = rows::text(first, "acknowledged_by")?;
    let references: Result<Vec<_>, _> =
        found.iter().map(|row| rows::text(row, "reference")).collect();
    let mut references = references?;
    references.dedup();
    Ok(Some(Loss {
        settles: references.join(", "),
        written_off_by: if is_written_off { written_off_by } else { String::new() },
    }))
}

/// What nobody has acknowledged first, then the newest.
pub(crate) async fn alerts(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Vec<ListedAlert>, StoreError> {
    let sql = format!(
        "SELECT a.*, p.receipt_order_id, {TO_DECIDE} AS to_decide FROM finance_alerts a \
         JOIN payments p ON p.tenant = a.tenant AND p.payment = a.payment WHERE a.tenant = ? \
         ORDER BY a.acknowledged_by <> '' AND NOT to_decide, a.changed_at_ms DESC, a.object LIMIT ?",
    );
    let sql = query(AssertSqlSafe(sql));
    let found = sql.bind(tenant.as_str()).bind(ALERTS_MAX).fetch_all(&core.store.reads).await?;
    let listed = |row| {
        Ok(ListedAlert {
            alert: refunds::alert(row)?,
            receipt_order_id: rows::text(row, "receipt_order_id")?,
            to_decide: rows::number(row, "to_decide")? != 0,
        })
    };
    found.iter().map(listed).collect()
}

/// How many lines wait to be acknowledged, or for a decision.
pub(crate) async fn unread(core: &Core, tenant: &TenantSlug) -> Result<i64, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) AS n FROM finance_alerts a WHERE a.tenant = ? AND (a.acknowledged_by = '' \
         OR {TO_DECIDE})"
    );
    let row = query(AssertSqlSafe(sql)).bind(tenant.as_str()).fetch_one(&core.store.reads).await?;
    rows::number(&row, "n")
}
