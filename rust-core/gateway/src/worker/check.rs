//! Asking Stripe about a payment, because an event hinted at it or because it is time.

use super::Failure;
use crate::core::Core;
use crate::looking::look;
use crate::processors::Clients;
use crate::store::StoreError;
use holdfast_ledger::observe::may_change_by_itself;
use holdfast_ledger::{JobEnd, Payment, Source};
use sqlx::query;

/// An event this fresh is why we look, in milliseconds.
const FRESH_EVENT_MS: i64 = 5_000;

pub(super) async fn check_session(
    core: &Core,
    clients: &Clients,
    payment: &Payment,
) -> Result<JobEnd, Failure> {
    let source = if hinted_at(core, payment).await? { Source::Webhook } else { Source::Poll };
    let after = look(core, clients, payment, source).await?;
    Ok(if may_change_by_itself(after.state) { JobEnd::Again } else { JobEnd::Done })
}

async fn hinted_at(core: &Core, payment: &Payment) -> Result<bool, StoreError> {
    let sql = query(
        "SELECT 1 FROM events WHERE tenant = ? AND payment = ? AND received_at_ms > ? LIMIT 1",
    );
    let since_ms = core.now_ms().saturating_sub(FRESH_EVENT_MS);
    let sql = sql.bind(payment.tenant.as_str()).bind(payment.payment.to_string()).bind(since_ms);
    Ok(sql.fetch_optional(&core.store.reads).await?.is_some())
}
