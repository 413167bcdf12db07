//! Payments, notices about them, and their orders.

use super::{Effect, LedgerTx, Result, Sql};
use crate::store::rows::{self, json, json_or_empty, same_bits};
use crate::store::{Change, StoreError};
use holdfast_domain::{
    AttentionReason, ChargeReference, DeviceId, Money, PaymentId, ReceiptOrderId, TenantSlug,
};
use holdfast_ledger::{Notice, Order, Payment, PaymentTx};
use sqlx::query;

impl PaymentTx for LedgerTx<'_> {
    async fn payment(&mut self, tenant: &TenantSlug, id: PaymentId) -> Result<Option<Payment>> {
        let sql = query("SELECT * FROM payments WHERE tenant = ? AND payment = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(id.to_string())).await?;
        Ok(row.as_ref().map(rows::payment).transpose()?)
    }

    async fn payment_of_sequence(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        sequence: u64,
    ) -> Result<Option<PaymentId>> {
        let sql =
            query("SELECT payment FROM payments WHERE tenant = ? AND device = ? AND sequence = ?");
        let sql = sql.bind(tenant.as_str()).bind(device.to_string()).bind(same_bits(sequence));
        let row = self.one(sql).await?;
        Ok(row.as_ref().map(|row| rows::parsed(row, "payment")).transpose()?)
    }

    async fn waiting_for_approval(&mut self, tenant: &TenantSlug, device: DeviceId) -> Result<u64> {
        let sql = query(
            "SELECT COUNT(*) AS waiting FROM payments \
             WHERE tenant = ? AND device = ? AND attention = ?",
        );
        let waits = json(&AttentionReason::AwaitsApproval)?;
        let sql = sql.bind(tenant.as_str()).bind(device.to_string()).bind(waits);
        let row = self.one(sql).await?.ok_or(StoreError::Damaged("payments"))?;
        Ok(rows::unsigned(&row, "waiting")?)
    }

    async fn put_payment(&mut self, payment: &Payment) -> Result<()> {
        self.write(put_payment(payment)?).await?;
        if let Effect::Real { changes, .. } = &mut self.effect {
            changes.push(Change {
                tenant: payment.tenant.clone(),
                device: payment.device,
                payment: payment.payment,
                revision: payment.revision,
            });
        }
        Ok(())
    }

    async fn next_revision(&mut self, tenant: &TenantSlug) -> Result<u64> {
        let raise = query("UPDATE tenants SET revision = revision + 1 WHERE tenant = ?");
        self.write(raise.bind(tenant.as_str())).await?;
        let sql = query("SELECT revision FROM tenants WHERE tenant = ?");
        let row = self.one(sql.bind(tenant.as_str())).await?;
        let row = row.ok_or(StoreError::Damaged("tenants"))?;
        Ok(rows::unsigned(&row, "revision")?)
    }

    async fn add_notice(&mut self, notice: &Notice) -> Result<bool> {
        let (kind, reason) = rows::notice_text(&notice.kind);
        let sql = query(
            "INSERT INTO notices (tenant, payment, digest, device, kind, reason, made_at_unix_s, \
             received_at_ms, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let sql = sql
            .bind(notice.tenant.as_str())
            .bind(notice.payment.to_string())
            .bind(notice.digest.to_vec())
            .bind(notice.device.to_string())
            .bind(kind)
            .bind(reason)
            .bind(same_bits(notice.made_at_unix_s))
            .bind(notice.received_at_ms)
            .bind(&notice.bytes);
        Ok(self.write(sql).await? > 0)
    }

    async fn is_given_up(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<bool> {
        let sql = query(
            "SELECT 1 FROM notices WHERE tenant = ? AND payment = ? AND kind IN ('cancel', \
             'withdraw') LIMIT 1",
        );
        Ok(self.one(sql.bind(tenant.as_str()).bind(payment.to_string())).await?.is_some())
    }

    async fn order(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Option<Order>> {
        let sql = query("SELECT * FROM orders WHERE tenant = ? AND payment = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Order {
            tenant: tenant.clone(),
            payment,
            receipt_order_id: rows::parsed(&row, "receipt_order_id")?,
            paid_at_ms: rows::number(&row, "paid_at_ms")?,
            amount: Money::new(rows::number(&row, "amount_minor")?, rows::currency(&row)?),
        }))
    }

    async fn receipt_is_taken(
        &mut self,
        tenant: &TenantSlug,
        receipt: ReceiptOrderId,
    ) -> Result<bool> {
        let sql = query("SELECT 1 FROM orders WHERE tenant = ? AND receipt_order_id = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(receipt.to_string())).await?;
        Ok(row.is_some())
    }

    async fn add_order(&mut self, order: &Order) -> Result<()> {
        let sql = query(
            "INSERT INTO orders (tenant, payment, receipt_order_id, paid_at_ms, currency, \
             amount_minor) VALUES (?, ?, ?, ?, ?, ?)",
        );
        let sql = sql
            .bind(order.tenant.as_str())
            .bind(order.payment.to_string())
            .bind(order.receipt_order_id.to_string())
            .bind(order.paid_at_ms)
            .bind(order.amount.currency().code().to_owned())
            .bind(order.amount.minor());
        self.write(sql).await.map(|_| ())
    }
}

fn put_payment(payment: &Payment) -> std::result::Result<Sql<'_>, StoreError> {
    let receipt = payment.receipt_order_id.map(|id| id.to_string());
    let sql = query(
        "INSERT INTO payments (tenant, payment, device, sequence, officer, digest, order_bytes, \
         carrier, mode, payment_type, pin_account, pin_generation, lines, currency, total_minor, \
         held_at_unix_s, accepted_at_ms, lifetime_ends_at_ms, state, decline, attention, \
         revision, changed_at_ms, receipt_order_id, paid_at_ms, held_up) VALUES (?, ?, ?, ?, ?, ?, ?, ?, \
         ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, payment) \
         DO UPDATE SET state = excluded.state, decline = excluded.decline, \
         attention = excluded.attention, revision = excluded.revision, \
         changed_at_ms = excluded.changed_at_ms, receipt_order_id = excluded.receipt_order_id, \
         paid_at_ms = excluded.paid_at_ms, held_up = excluded.held_up",
    );
    Ok(sql
        .bind(payment.tenant.as_str())
        .bind(payment.payment.to_string())
        .bind(payment.device.to_string())
        .bind(same_bits(payment.sequence))
        .bind(i64::from(payment.officer.0))
        .bind(payment.digest.0.to_vec())
        .bind(&payment.order_bytes)
        .bind(rows::carrier_text(payment.carrier))
        .bind(payment.mode.as_str())
        .bind(payment.payment_type.as_str())
        .bind(&payment.pin.account)
        .bind(i64::from(payment.pin.generation))
        .bind(json(&payment.lines)?)
        .bind(payment.total.currency().code().to_owned())
        .bind(payment.total.minor())
        .bind(same_bits(payment.held_at_unix_s))
        .bind(payment.accepted_at_ms)
        .bind(payment.lifetime_ends_at_ms)
        .bind(payment.state.as_str())
        .bind(json_or_empty(payment.decline.as_ref())?)
        .bind(json_or_empty(payment.attention.as_ref())?)
        .bind(same_bits(payment.revision))
        .bind(payment.changed_at_ms)
        .bind(receipt.unwrap_or_default())
        .bind(payment.paid_at_ms.unwrap_or(0))
        .bind(payment.held_up.as_ref().map_or("", ChargeReference::as_str)))
}
