//! What a restored ledger asks Stripe, and what it found.

use super::{Effect, LedgerTx, Result};
use crate::store::StoreError;
use crate::store::rows::{self, number, parsed, small, some, text, unsigned};
use holdfast_domain::{PaymentId, SessionStatus, TenantSlug};
use holdfast_ledger::recovery::{FoundSession, Recovery, RecoveryKey, RecoveryStage};
use holdfast_ledger::{Pin, RecoveryTx};
use sqlx::query;
use sqlx::sqlite::SqliteRow;

impl RecoveryTx for LedgerTx<'_> {
    async fn recoveries(&mut self, tenant: &TenantSlug) -> Result<Vec<Recovery>> {
        let sql = query("SELECT * FROM recoveries WHERE tenant = ?");
        let found = self.all(sql.bind(tenant.as_str())).await?;
        Ok(found.iter().map(recovery).collect::<std::result::Result<_, _>>()?)
    }

    async fn put_recovery(&mut self, recovery: &Recovery) -> Result<()> {
        let sql = query(
            "INSERT INTO recoveries (tenant, payment_type, mode, generation, account, stage, \
             from_unix_s, after_id, sessions_seen, sessions_found, events_found, due_at_ms, failures, \
             trouble, started_at_ms, finished_at_ms) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (tenant, payment_type, mode, generation) DO UPDATE SET \
             account = excluded.account, stage = excluded.stage, \
             from_unix_s = excluded.from_unix_s, after_id = excluded.after_id, \
             sessions_seen = excluded.sessions_seen, sessions_found = excluded.sessions_found, \
             events_found = excluded.events_found, due_at_ms = excluded.due_at_ms, \
             failures = excluded.failures, trouble = excluded.trouble, \
             started_at_ms = excluded.started_at_ms, finished_at_ms = excluded.finished_at_ms",
        );
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let sql = sql
            .bind(recovery.key.tenant.as_str())
            .bind(recovery.key.payment_type.as_str())
            .bind(recovery.key.mode.as_str())
            .bind(i64::from(recovery.key.generation))
            .bind(&recovery.account)
            .bind(recovery.stage.as_str())
            .bind(recovery.from_unix_s)
            .bind(&recovery.cursor)
            .bind(count(recovery.sessions_seen))
            .bind(count(recovery.sessions_found))
            .bind(count(recovery.events_found))
            .bind(recovery.due_at_ms)
            .bind(i64::from(recovery.failures))
            .bind(&recovery.trouble)
            .bind(recovery.started_at_ms)
            .bind(recovery.finished_at_ms);
        self.write(sql).await?;
        if let Effect::Real { work, .. } = &mut self.effect {
            **work = true;
        }
        Ok(())
    }

    async fn found_sessions(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<FoundSession>> {
        let sql = query(
            "SELECT * FROM found_sessions WHERE tenant = ? AND payment = ? ORDER BY number, session",
        );
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(found_session).collect::<std::result::Result<_, _>>()?)
    }

    async fn put_found_session(&mut self, found: &FoundSession) -> Result<()> {
        let sql = query(
            "INSERT INTO found_sessions (tenant, session, payment, number, status, created_unix_s, \
             expires_at_unix_s, url, mode, payment_type, pin_account, pin_generation, is_paid, \
             due_at_ms, looks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (tenant, session) DO UPDATE SET status = excluded.status, \
             url = excluded.url, is_paid = excluded.is_paid, due_at_ms = excluded.due_at_ms, \
             looks = excluded.looks",
        );
        let sql = sql
            .bind(found.tenant.as_str())
            .bind(&found.session)
            .bind(found.payment.to_string())
            .bind(i64::from(found.number))
            .bind(status_text(found.status))
            .bind(found.created_unix_s)
            .bind(found.expires_at_unix_s)
            .bind(found.url.as_deref().unwrap_or_default())
            .bind(found.mode.as_str())
            .bind(found.payment_type.as_str())
            .bind(&found.pin.account)
            .bind(i64::from(found.pin.generation))
            .bind(i64::from(found.is_paid))
            .bind(found.due_at_ms)
            .bind(i64::from(found.looks));
        self.write(sql).await.map(|_| ())
    }

    async fn remove_found_sessions(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<()> {
        let sql = query("DELETE FROM found_sessions WHERE tenant = ? AND payment = ?");
        self.write(sql.bind(tenant.as_str()).bind(payment.to_string())).await.map(|_| ())
    }
}

/// A row of recoveries; also read outside decisions.
pub(crate) fn recovery(row: &SqliteRow) -> std::result::Result<Recovery, StoreError> {
    let stage = RecoveryStage::parse(&text(row, "stage")?).ok_or(StoreError::Damaged("stage"))?;
    Ok(Recovery {
        key: RecoveryKey {
            tenant: parsed(row, "tenant")?,
            payment_type: parsed(row, "payment_type")?,
            mode: rows::mode(row)?,
            generation: small(row, "generation")?,
        },
        account: text(row, "account")?,
        stage,
        from_unix_s: number(row, "from_unix_s")?,
        cursor: text(row, "after_id")?,
        sessions_seen: unsigned(row, "sessions_seen")?,
        sessions_found: unsigned(row, "sessions_found")?,
        events_found: unsigned(row, "events_found")?,
        due_at_ms: number(row, "due_at_ms")?,
        failures: small(row, "failures")?,
        trouble: text(row, "trouble")?,
        started_at_ms: number(row, "started_at_ms")?,
        finished_at_ms: number(row, "finished_at_ms")?,
    })
}

/// A row of found_sessions; also read outside decisions.
pub(crate) fn found_session(row: &SqliteRow) -> std::result::Result<FoundSession, StoreError> {
    Ok(FoundSession {
        tenant: parsed(row, "tenant")?,
        payment: parsed(row, "payment")?,
        session: text(row, "session")?,
        number: small(row, "number")?,
        status: status(&text(row, "status")?)?,
        created_unix_s: number(row, "created_unix_s")?,
        expires_at_unix_s: number(row, "expires_at_unix_s")?,
        url: some(text(row, "url")?),
        mode: rows::mode(row)?,
        payment_type: parsed(row, "payment_type")?,
        pin: Pin { account: text(row, "pin_account")?, generation: small(row, "pin_generation")? },
        is_paid: number(row, "is_paid")? == 1,
        due_at_ms: number(row, "due_at_ms")?,
        looks: small(row, "looks")?,
    })
}

fn status_text(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Open => "open",
        SessionStatus::Expired => "expired",
        SessionStatus::Complete => "complete",
    }
}

fn status(text: &str) -> std::result::Result<SessionStatus, StoreError> {
    let all = [SessionStatus::Open, SessionStatus::Expired, SessionStatus::Complete];
    let found = all.into_iter().find(|status| status_text(*status) == text);
    found.ok_or(StoreError::Damaged("status"))
}
