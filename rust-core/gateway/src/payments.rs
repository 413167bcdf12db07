//! Payments as pages and handhelds read them. Nothing here changes one.

use crate::core::Core;
use crate::store::{StoreError, rows};
use holdfast_domain::{DeviceId, OfficerId, PaymentId, TenantSlug};
use holdfast_ledger::work::Reads;
use holdfast_ledger::{Attempt, Decision, Payment, Store, StoreError as LedgerError};
use holdfast_protocol::continuity::CONTINUED_MAX;
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, query};

/// Changes in one answer to a handheld; it asks again for more.
pub(crate) const CHANGES_MAX: i64 = 100;
/// Payments that the office's list shows.
pub(crate) const LIST_MAX: i64 = 100;

/// A payment with the name of its officer.
pub(crate) struct Listed {
    pub(crate) payment: Payment,
    pub(crate) officer: String,
}

/// A payment by its tenant and ID.
pub(crate) async fn payment(
    core: &Core,
    tenant: &TenantSlug,
    id: PaymentId,
) -> Result<Option<Payment>, StoreError> {
    let sql = query("SELECT * FROM payments WHERE tenant = ? AND payment = ?");
    let sql = sql.bind(tenant.as_str()).bind(id.to_string());
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.as_ref().map(rows::payment).transpose()
}

/// A payment by its ID alone, for the address that a payer has. A payment ID is beyond guessing;
/// should a second tenant copy one, the first payment keeps its address.
pub(crate) async fn payment_by_id(
    core: &Core,
    within: Option<&TenantSlug>,
    id: PaymentId,
) -> Result<Option<Payment>, StoreError> {
    if let Some(tenant) = within {
        return payment(core, tenant, id).await;
    }
    let sql = query("SELECT * FROM payments WHERE payment = ? ORDER BY accepted_at_ms LIMIT 1");
    let row = sql.bind(id.to_string()).fetch_optional(&core.store.reads).await?;
    row.as_ref().map(rows::payment).transpose()
}

/// A handheld's payments that changed after a revision, oldest change first.
pub(crate) async fn changes(
    core: &Core,
    tenant: &TenantSlug,
    devices: &[DeviceId],
    after: u64,
) -> Result<Vec<Payment>, StoreError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM payments WHERE tenant = ");
    sql.push_bind(tenant.as_str()).push(" AND device IN (");
    let mut list = sql.separated(", ");
    for device in devices {
        list.push_bind(device.to_string());
    }
    sql.push(") AND revision > ").push_bind(after);
    sql.push(" ORDER BY revision LIMIT ").push_bind(CHANGES_MAX);
    let found = sql.build().fetch_all(&core.store.reads).await?;
    found.iter().map(rows::payment).collect()
}

/// The handhelds that a device may ask about: itself, and once it is approved the ones that it proved
/// to have been before.
pub(crate) async fn asked_about(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
    approved: bool,
) -> Result<Vec<DeviceId>, StoreError> {
    let mut devices = vec![device];
    if approved {
        let sql =
            query("SELECT earlier FROM device_continuity WHERE tenant = ? AND device = ? LIMIT ?");
        let sql = sql
            .bind(tenant.as_str())
            .bind(device.to_string())
            .bind(i64::try_from(CONTINUED_MAX).unwrap_or(i64::MAX));
        for row in sql.fetch_all(&core.store.reads).await? {
            devices.push(rows::parsed(&row, "earlier")?);
        }
    }
    Ok(devices)
}

/// The newest payments of a tenant.
pub(crate) async fn newest(core: &Core, tenant: &TenantSlug) -> Result<Vec<Listed>, StoreError> {
    let sql = query(
        "SELECT p.*, o.name AS officer_name FROM payments p LEFT JOIN officers o \
         ON o.tenant = p.tenant AND o.officer = p.officer WHERE p.tenant = ? \
         ORDER BY p.accepted_at_ms DESC, p.payment DESC LIMIT ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(LIST_MAX);
    sql.fetch_all(&core.store.reads).await?.iter().map(listed).collect()
}

/// True of a payment `p` that a person has to look at: it waits for approval, money arrived that does not fit
/// and nobody has read of it, or no card page opens for it although its lifetime is not over.
const TO_LOOK_AT: &str = "p.tenant = ? AND p.state = 'needs_attention' AND \
     (p.attention = '\"awaits_approval\"' OR COALESCE((SELECT a.acknowledged_by = '' \
     FROM finance_alerts a WHERE a.tenant = p.tenant AND a.object = p.payment), \
     p.lifetime_ends_at_ms > ?))";

/// How many payments a person has to look at.
pub(crate) async fn count_to_look_at(core: &Core, tenant: &TenantSlug) -> Result<i64, StoreError> {
    let sql = format!("SELECT COUNT(*) AS n FROM payments p WHERE {TO_LOOK_AT}");
    let sql = query(AssertSqlSafe(sql)).bind(tenant.as_str()).bind(core.now_ms());
    rows::number(&sql.fetch_one(&core.store.reads).await?, "n")
}

/// Those payments, the longest waiting first.
pub(crate) async fn to_look_at(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Vec<Listed>, StoreError> {
    let sql = format!(
        "SELECT p.*, o.name AS officer_name FROM payments p LEFT JOIN officers o \
         ON o.tenant = p.tenant AND o.officer = p.officer WHERE {TO_LOOK_AT} \
         ORDER BY p.accepted_at_ms, p.payment LIMIT ?"
    );
    let sql = query(AssertSqlSafe(sql)).bind(tenant.as_str()).bind(core.now_ms()).bind(LIST_MAX);
    sql.fetch_all(&core.store.reads).await?.iter().map(listed).collect()
}

/// A tenant's payments that changed after a revision, oldest change first.
pub(crate) async fn changed(
    core: &Core,
    tenant: &TenantSlug,
    after: u64,
) -> Result<Vec<Listed>, StoreError> {
    let sql = query(
        "SELECT p.*, o.name AS officer_name FROM payments p LEFT JOIN officers o \
         ON o.tenant = p.tenant AND o.officer = p.officer WHERE p.tenant = ? AND p.revision > ? \
         ORDER BY p.revision LIMIT ?",
    );
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let sql = sql.bind(tenant.as_str()).bind(after).bind(CHANGES_MAX);
    sql.fetch_all(&core.store.reads).await?.iter().map(listed).collect()
}

/// An officer's name; empty if nobody has the number.
pub(crate) async fn officer_name(
    core: &Core,
    tenant: &TenantSlug,
    officer: OfficerId,
) -> Result<String, StoreError> {
    let sql = query("SELECT name FROM officers WHERE tenant = ? AND officer = ?");
    let sql = sql.bind(tenant.as_str()).bind(i64::from(officer.0));
    let row = sql.fetch_optional(&core.store.reads).await?;
    Ok(row.as_ref().map(|row| rows::text(row, "name")).transpose()?.unwrap_or_default())
}

/// What the handheld called itself when it enrolled.
pub(crate) async fn handheld_name(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<String, StoreError> {
    let sql = query("SELECT name FROM devices WHERE tenant = ? AND device = ?");
    let sql = sql.bind(tenant.as_str()).bind(device.to_string());
    let row = sql.fetch_optional(&core.store.reads).await?;
    Ok(row.as_ref().map(|row| rows::text(row, "name")).transpose()?.unwrap_or_default())
}

fn listed(row: &sqlx::sqlite::SqliteRow) -> Result<Listed, StoreError> {
    use sqlx::Row;
    let officer: Option<String> = row.try_get("officer_name")?;
    Ok(Listed { payment: rows::payment(row)?, officer: officer.unwrap_or_default() })
}

/// The attempts of a payment, oldest first.
pub(crate) async fn attempts(
    core: &Core,
    tenant: &TenantSlug,
    id: PaymentId,
) -> Result<Vec<Attempt>, StoreError> {
    let sql = query("SELECT * FROM attempts WHERE tenant = ? AND payment = ? ORDER BY number");
    let sql = sql.bind(tenant.as_str()).bind(id.to_string());
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(rows::attempt).collect()
}

impl Store for Core {
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, LedgerError> {
        self.store.run(decision).await
    }
}

impl Reads for Core {
    async fn payment(
        &self,
        tenant: &TenantSlug,
        id: PaymentId,
    ) -> Result<Option<Payment>, LedgerError> {
        payment(self, tenant, id).await.map_err(|error| LedgerError(Box::new(error)))
    }

    async fn attempts(
        &self,
        tenant: &TenantSlug,
        id: PaymentId,
    ) -> Result<Vec<Attempt>, LedgerError> {
        attempts(self, tenant, id).await.map_err(|error| LedgerError(Box::new(error)))
    }
}
