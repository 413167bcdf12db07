//! Refunds on SQLite.

use super::{LedgerTx, Result};
use crate::audit::{self, Act};
use crate::store::{StoreError, rows};
use holdfast_domain::{Money, PaymentId, TenantSlug};
use holdfast_ledger::{
    AlertStatus, AuditAct, AuditTx, FinanceAlert, RefundKey, RefundRequest, RefundTx, RequestState,
};
use holdfast_stripe::FrozenRequest;
use sqlx::query;
use sqlx::sqlite::SqliteRow;

impl RefundTx for LedgerTx<'_> {
    async fn refund_requests(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<RefundRequest>> {
        let sql = query(REQUESTS_OF_PAYMENT);
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(request).collect::<std::result::Result<_, _>>()?)
    }

    async fn refund_request(
        &mut self,
        tenant: &TenantSlug,
        key: &RefundKey,
    ) -> Result<Option<RefundRequest>> {
        let sql = query("SELECT * FROM refund_requests WHERE tenant = ? AND request_key = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(key.as_str())).await?;
        Ok(row.as_ref().map(request).transpose()?)
    }

    async fn put_refund_request(&mut self, request: &RefundRequest) -> Result<()> {
        let sql = query(
            "INSERT INTO refund_requests (tenant, request_key, payment, currency, amount_minor, \
             reason, who, state, frozen_path, frozen_body, idempotency_key, asked_at_ms, refund, \
             problem, cancels_charges) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (tenant, request_key) DO UPDATE SET state = excluded.state, \
             refund = excluded.refund, problem = excluded.problem",
        );
        let sql = sql
            .bind(request.tenant.as_str())
            .bind(request.key.as_str())
            .bind(request.payment.to_string())
            .bind(request.amount.currency().code().to_owned())
            .bind(request.amount.minor())
            .bind(&request.reason)
            .bind(&request.who)
            .bind(request.state.as_str())
            .bind(&request.frozen.path)
            .bind(&request.frozen.body)
            .bind(&request.frozen.idempotency_key)
            .bind(request.asked_at_ms)
            .bind(request.refund.as_deref().unwrap_or_default())
            .bind(&request.problem)
            .bind(i64::from(request.cancels_charges));
        self.write(sql).await.map(|_| ())
    }

    async fn alert(&mut self, tenant: &TenantSlug, object: &str) -> Result<Option<FinanceAlert>> {
        let sql = query("SELECT * FROM finance_alerts WHERE tenant = ? AND object = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(object)).await?;
        Ok(row.as_ref().map(alert).transpose()?)
    }

    async fn put_alert(&mut self, alert: &FinanceAlert) -> Result<()> {
        let sql = query(
            "INSERT INTO finance_alerts (tenant, object, payment, status, was, currency, \
             amount_minor, changed_at_ms, acknowledged_by, acknowledged_at_ms, written_off) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, object) DO UPDATE SET \
             status = excluded.status, was = excluded.was, amount_minor = excluded.amount_minor, \
             changed_at_ms = excluded.changed_at_ms, acknowledged_by = excluded.acknowledged_by, \
             acknowledged_at_ms = excluded.acknowledged_at_ms, \
             written_off = excluded.written_off",
        );
        let acknowledged = alert.acknowledged.clone().unwrap_or_default();
        let sql = sql
            .bind(alert.tenant.as_str())
            .bind(&alert.object)
            .bind(alert.payment.to_string())
            .bind(alert.status.as_str())
            .bind(alert.was.map(AlertStatus::as_str).unwrap_or_default())
            .bind(alert.amount.currency().code().to_owned())
            .bind(alert.amount.minor())
            .bind(alert.changed_at_ms)
            .bind(acknowledged.0)
            .bind(acknowledged.1)
            .bind(i64::from(alert.written_off));
        self.write(sql).await.map(|_| ())
    }
}

impl AuditTx for LedgerTx<'_> {
    async fn record_act(&mut self, act: AuditAct) -> Result<()> {
        let Some((connection, heads)) = self.real() else { return Ok(()) };
        let chain = act.tenant.as_str();
        let what = act.what;
        let act = Act { at_ms: act.at_ms, who: &act.who, what, detail: &act.detail };
        Ok(audit::append(connection, heads, chain, act).await?)
    }
}

/// The requests of one payment, oldest first.
pub(crate) const REQUESTS_OF_PAYMENT: &str = "SELECT * FROM refund_requests WHERE tenant = ? \
     AND payment = ? ORDER BY asked_at_ms, request_key";

pub(crate) fn request(row: &SqliteRow) -> std::result::Result<RefundRequest, StoreError> {
    let damaged = |column| move || StoreError::Damaged(column);
    let key = RefundKey::parse(&rows::text(row, "request_key")?);
    let state = RequestState::parse(&rows::text(row, "state")?);
    Ok(RefundRequest {
        tenant: rows::parsed(row, "tenant")?,
        key: key.ok_or_else(damaged("request_key"))?,
        payment: rows::parsed(row, "payment")?,
        amount: Money::new(rows::number(row, "amount_minor")?, rows::currency(row)?),
        reason: rows::text(row, "reason")?,
        who: rows::text(row, "who")?,
        cancels_charges: rows::number(row, "cancels_charges")? != 0,
        state: state.ok_or_else(damaged("state"))?,
        frozen: FrozenRequest {
            path: rows::text(row, "frozen_path")?,
            body: rows::text(row, "frozen_body")?,
            idempotency_key: rows::text(row, "idempotency_key")?,
        },
        asked_at_ms: rows::number(row, "asked_at_ms")?,
        refund: rows::some(rows::text(row, "refund")?),
        problem: rows::text(row, "problem")?,
    })
}

pub(crate) fn alert(row: &SqliteRow) -> std::result::Result<FinanceAlert, StoreError> {
    let status = |text: &str| AlertStatus::parse(text).ok_or(StoreError::Damaged("status"));
    let was = rows::some(rows::text(row, "was")?);
    let by = rows::some(rows::text(row, "acknowledged_by")?);
    let at_ms = rows::number(row, "acknowledged_at_ms")?;
    Ok(FinanceAlert {
        tenant: rows::parsed(row, "tenant")?,
        object: rows::text(row, "object")?,
        payment: rows::parsed(row, "payment")?,
        status: status(&rows::text(row, "status")?)?,
        was: was.map(|was| status(&was)).transpose()?,
        amount: Money::new(rows::number(row, "amount_minor")?, rows::currency(row)?),
        changed_at_ms: rows::number(row, "changed_at_ms")?,
        acknowledged: by.map(|by| (by, at_ms)),
        written_off: rows::number(row, "written_off")? != 0,
    })
}
