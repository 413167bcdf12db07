//! Refunds as the office reads them. What changes one is the ledger's.

use crate::core::Core;
use crate::store::{StoreError, refunds, rows};
use holdfast_domain::{Facts, PaymentId, TenantSlug};
use holdfast_ledger::{FinanceAlert, RefundRequest};
use sqlx::query;

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
}

/// What nobody has acknowledged first, then the newest.
pub(crate) async fn alerts(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Vec<ListedAlert>, StoreError> {
    let sql = query(
        "SELECT a.*, p.receipt_order_id FROM finance_alerts a JOIN payments p \
         ON p.tenant = a.tenant AND p.payment = a.payment WHERE a.tenant = ? \
         ORDER BY a.acknowledged_by <> '', a.changed_at_ms DESC, a.object LIMIT ?",
    );
    let found = sql.bind(tenant.as_str()).bind(ALERTS_MAX).fetch_all(&core.store.reads).await?;
    let listed = |row| {
        Ok(ListedAlert {
            alert: refunds::alert(row)?,
            receipt_order_id: rows::text(row, "receipt_order_id")?,
        })
    };
    found.iter().map(listed).collect()
}

/// How many lines wait to be acknowledged.
pub(crate) async fn unread(core: &Core, tenant: &TenantSlug) -> Result<i64, StoreError> {
    let sql =
        query("SELECT COUNT(*) AS n FROM finance_alerts WHERE tenant = ? AND acknowledged_by = ''");
    let row = sql.bind(tenant.as_str()).fetch_one(&core.store.reads).await?;
    rows::number(&row, "n")
}
