//! Attempts, evidence, and Stripe's objects and events.

use super::{LedgerTx, Result};
use crate::store::rows::{self, json};
use holdfast_domain::{Evidence, PaymentId, TenantSlug};
use holdfast_ledger::{Attempt, Event, EvidenceTx, Source};
use sqlx::query;

impl EvidenceTx for LedgerTx<'_> {
    async fn attempts(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Vec<Attempt>> {
        let sql = query("SELECT * FROM attempts WHERE tenant = ? AND payment = ? ORDER BY number");
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(rows::attempt).collect::<std::result::Result<_, _>>()?)
    }

    async fn put_attempt(&mut self, attempt: &Attempt) -> Result<()> {
        let sql = query(
            "INSERT INTO attempts (tenant, payment, number, state, idempotency_key, frozen_body, \
             frozen_at_ms, expires_at_unix_s, session, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (tenant, payment, number) DO UPDATE SET state = excluded.state, \
             session = excluded.session, url = excluded.url",
        );
        let sql = sql
            .bind(attempt.tenant.as_str())
            .bind(attempt.payment.to_string())
            .bind(i64::from(attempt.number))
            .bind(rows::attempt_state_text(attempt.state))
            .bind(&attempt.idempotency_key)
            .bind(&attempt.frozen_body)
            .bind(attempt.frozen_at_ms)
            .bind(attempt.expires_at_unix_s)
            .bind(attempt.session.as_deref().unwrap_or_default())
            .bind(attempt.url.as_deref().unwrap_or_default());
        self.write(sql).await.map(|_| ())
    }

    async fn evidence(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Vec<Evidence>> {
        let sql = query("SELECT piece FROM evidence WHERE tenant = ? AND payment = ?");
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(rows::evidence).collect::<std::result::Result<_, _>>()?)
    }

    async fn add_evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
        evidence: &Evidence,
        source: Source,
        now_ms: i64,
    ) -> Result<bool> {
        let sql = query(
            "INSERT INTO evidence (tenant, payment, piece, source, learned_at_ms) \
             VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let sql = sql
            .bind(tenant.as_str())
            .bind(payment.to_string())
            .bind(json(evidence)?)
            .bind(source.as_str())
            .bind(now_ms);
        Ok(self.write(sql).await? > 0)
    }

    async fn link_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<bool> {
        let sql = query(
            "INSERT INTO objects (tenant, object, payment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let sql = sql.bind(tenant.as_str()).bind(object.to_owned()).bind(payment.to_string());
        Ok(self.write(sql).await? > 0)
    }

    async fn payment_of_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> Result<Option<PaymentId>> {
        let sql = query("SELECT payment FROM objects WHERE tenant = ? AND object = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(object.to_owned())).await?;
        Ok(row.as_ref().map(|row| rows::parsed(row, "payment")).transpose()?)
    }

    async fn add_event(&mut self, event: &Event) -> Result<bool> {
        self.insert_event(event).await
    }

    async fn claim_events(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<bool> {
        self.give_events(tenant, object, payment).await
    }
}
