//! Webhook events, and whom they wait for.

use super::{LedgerTx, Result};
use holdfast_domain::{PaymentId, TenantSlug};
use holdfast_ledger::Event;
use sqlx::query;

impl LedgerTx<'_> {
    /// True if the event is new.
    pub(super) async fn insert_event(&mut self, event: &Event) -> Result<bool> {
        let sql = query(
            "INSERT INTO events (tenant, mode, account, event, kind, object, received_at_ms, \
             body, payment, waiting_for) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        );
        let payment = event.payment.map(|payment| payment.to_string());
        let sql = sql
            .bind(event.tenant.as_str())
            .bind(event.mode.as_str())
            .bind(&event.account)
            .bind(&event.event)
            .bind(&event.kind)
            .bind(&event.object)
            .bind(event.received_at_ms)
            .bind(&event.body)
            .bind(payment.unwrap_or_default())
            .bind(event.waiting_for.as_deref().unwrap_or_default());
        Ok(self.write(sql).await? > 0)
    }

    /// True if any event waited for the object.
    pub(super) async fn give_events(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<bool> {
        let sql = query(
            "UPDATE events SET payment = ?, waiting_for = '' WHERE tenant = ? AND waiting_for = ?",
        );
        let sql = sql.bind(payment.to_string()).bind(tenant.as_str()).bind(object.to_owned());
        Ok(self.write(sql).await? > 0)
    }
}
