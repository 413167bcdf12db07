//! Looking at a payment because of an event that is not being delivered just now: found by asking
//! Stripe, or replayed by a person.

use super::{Delivery, Outcome, record};
use crate::audit::{self, Act};
use crate::core::Core;
use crate::store::{StoreError, decide, rows};
use holdfast_domain::{Mode, PaymentId, TenantSlug};
use holdfast_ledger::work::{hint, recorded};
use holdfast_ledger::{Hint, JobKind, JobTx, RecordEventOutcome};
use holdfast_stripe::objects;
use sqlx::query;
use std::sync::Arc;

/// The payment of ours that an event of Stripe's leads to.
pub(crate) async fn payment_of(
    core: &Core,
    tenant: &TenantSlug,
    event: &objects::Event,
) -> Result<Option<PaymentId>, StoreError> {
    hinted(core, tenant, hint(event)).await
}

async fn hinted(
    core: &Core,
    tenant: &TenantSlug,
    hint: Hint,
) -> Result<Option<PaymentId>, StoreError> {
    let (sql, key) = match hint {
        Hint::Payment(payment) => {
            ("SELECT payment FROM payments WHERE tenant = ? AND payment = ?", payment.to_string())
        }
        Hint::Object(object) => {
            ("SELECT payment FROM objects WHERE tenant = ? AND object = ?", object)
        }
        Hint::Nothing => return Ok(None),
    };
    let row = query(sql).bind(tenant.as_str()).bind(key).fetch_optional(&core.store.reads).await?;
    row.as_ref().map(|row| rows::parsed(row, "payment")).transpose()
}

/// True if the event is stored already.
pub(crate) async fn is_known(
    core: &Core,
    tenant: &TenantSlug,
    event: &str,
) -> Result<bool, StoreError> {
    let sql = query("SELECT 1 FROM events WHERE tenant = ? AND event = ? LIMIT 1");
    let sql = sql.bind(tenant.as_str()).bind(event.to_owned());
    Ok(sql.fetch_optional(&core.store.reads).await?.is_some())
}

/// An event as it is stored. Its body may have been thrown away since.
struct Stored {
    mode: Mode,
    kind: String,
    /// Empty if it is about no payment of ours, as far as is known.
    payment: String,
    waiting_for: String,
    body: Vec<u8>,
}

async fn stored(
    core: &Core,
    tenant: &TenantSlug,
    event: &str,
) -> Result<Option<Stored>, StoreError> {
    let sql = query(
        "SELECT mode, kind, payment, waiting_for, body FROM events WHERE tenant = ? AND event = ? \
         LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(event.to_owned());
    let Some(row) = sql.fetch_optional(&core.store.reads).await? else { return Ok(None) };
    Ok(Some(Stored {
        mode: rows::mode(&row)?,
        kind: rows::text(&row, "kind")?,
        payment: rows::text(&row, "payment")?,
        waiting_for: rows::text(&row, "waiting_for")?,
        body: rows::bytes(&row, "body")?,
    }))
}

impl Stored {
    /// The payment of ours that it leads to now.
    async fn payment(
        &self,
        core: &Core,
        tenant: &TenantSlug,
    ) -> Result<Option<PaymentId>, StoreError> {
        if !self.payment.is_empty() {
            return Ok(PaymentId::parse(&self.payment).ok());
        }
        if let Ok(parsed) = serde_json::from_slice::<objects::Event>(&self.body) {
            return payment_of(core, tenant, &parsed).await;
        }
        let hint = match PaymentId::parse(&self.waiting_for) {
            Ok(payment) => Hint::Payment(payment),
            Err(_) => Hint::Object(self.waiting_for.clone()),
        };
        hinted(core, tenant, hint).await
    }
}

/// Takes an event that Stripe told when asked, as if it had come. Its payment is looked at.
pub(crate) async fn bring(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    event: &objects::Event,
) -> Result<(), holdfast_ledger::StoreError> {
    let now_ms = core.now_ms();
    let body = serde_json::to_vec(event).map_err(|_| StoreError::Damaged("event"))?;
    let decision = recorded(tenant, event, body, now_ms);
    let found = Delivery {
        mode: mode.as_str().to_owned(),
        kind: event.kind.as_str().to_owned(),
        event: event.id.clone(),
        api_version: event.api_version.clone().unwrap_or_default(),
        ..Delivery::unknown(now_ms, Outcome::Found)
    };
    let (world, slug) = (Arc::clone(&core.world), tenant.clone());
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let outcome = decide(tx, world.as_ref(), &decision).await?;
            if let RecordEventOutcome::Followed(payment) = outcome {
                let found = Delivery { payment: payment.to_string(), ..found };
                record(tx, &slug, found).await?;
            }
            Ok::<_, holdfast_ledger::StoreError>(())
        })
    });
    write.await?;
    core.store.tell_delivery(tenant);
    Ok(())
}

/// What came of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// The payment is looked at.
    Looked(PaymentId),
    /// The event is about no payment of this gateway.
    Nothing,
    /// The event is not stored here.
    Unknown,
}

/// Looks at the payment of a stored event again.
pub(crate) async fn replay(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    event: &str,
) -> Result<Replayed, StoreError> {
    let Some(known) = stored(core, tenant, event).await? else { return Ok(Replayed::Unknown) };
    let Some(payment) = known.payment(core, tenant).await? else { return Ok(Replayed::Nothing) };
    let id = event.to_owned();
    let (slug, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let again = Delivery {
        mode: known.mode.as_str().to_owned(),
        kind: known.kind,
        event: id.clone(),
        payment: payment.to_string(),
        reason: format!("by {who}"),
        ..Delivery::unknown(at_ms, Outcome::Replayed)
    };
    let wish = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let mut ledger = crate::store::LedgerTx::within(tx);
            let wanted = ledger.want_job(&slug, JobKind::CheckSession, payment, at_ms).await;
            wanted.map_err(|_| StoreError::Damaged("jobs"))?;
            let sql = query(
                "UPDATE events SET payment = ?, waiting_for = '' WHERE tenant = ? AND event = ? AND \
                 payment = ''",
            );
            let sql = sql.bind(payment.to_string()).bind(slug.as_str()).bind(id.clone());
            sql.execute(&mut tx.connection).await?;
            record(tx, &slug, again).await?;
            let act = Act { at_ms, who: &who, what: "event_replayed", detail: &id };
            audit::record(tx, slug.as_str(), act).await
        })
    });
    wish.await?;
    core.store.tell_delivery(tenant);
    Ok(Replayed::Looked(payment))
}
