//! Sending the frozen request of a refund, and finding out what became of it.
//!
//! While Stripe keeps the idempotency key, the same bytes are sent as often as it takes. Once the key
//! may be forgotten, or Stripe replays a stored failure, sending is over: the list of the charge's
//! refunds is looked through for our key. Only a look that finds nothing proves that there is nothing.

use super::look::refund_evidence;
use super::{META_REFUND, StripeCalls, WorkError};
use crate::JobEnd;
use crate::refund::{
    RefundKey, RefundMade, RefundRefused, RefundRequest, RefundWaits, RefundsOf, RequestState,
};
use crate::rows::{Payment, Source};
use crate::store::Store;
use holdfast_stripe::objects::{Expandable, Refund};
use holdfast_stripe::request::IDEMPOTENCY_KEY_LIFETIME_S;
use holdfast_stripe::{CallError, UnknownWhy};

/// For how long the frozen request is sent, in milliseconds: an hour less than Stripe keeps its key,
/// for clocks and for a request that is long on its way.
const RESEND_MS_MAX: i64 = (IDEMPOTENCY_KEY_LIFETIME_S - 60 * 60) * 1000;
/// A refund that is not found this soon after its request may still be on its way, in milliseconds.
const SETTLED_MS: i64 = 120_000;

/// Sends the request that waits for an answer.
pub async fn send_refund<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    payment: &Payment,
    now_ms: i64,
) -> Result<JobEnd, WorkError> {
    let (tenant, id) = (payment.tenant.clone(), payment.payment);
    let requests = ledger.run(RefundsOf { tenant, payment: id }).await?;
    let Some(request) = requests.into_iter().find(|it| it.state == RequestState::Frozen) else {
        return Ok(JobEnd::Done);
    };
    let age_ms = now_ms.saturating_sub(request.asked_at_ms);
    if age_ms >= RESEND_MS_MAX {
        let settled = age_ms >= RESEND_MS_MAX.saturating_add(SETTLED_MS);
        return look_up(ledger, stripe, &request, settled).await;
    }
    match stripe.send_for_refund(&request.frozen).await {
        Ok(refund) => made(ledger, &request, refund, Source::Act).await,
        Err(CallError::Unknown { why: UnknownWhy::ServerError { replayed: true, .. }, .. })
        | Err(CallError::IdempotencyMismatch(_)) => {
            look_up(ledger, stripe, &request, age_ms >= SETTLED_MS).await
        }
        Err(error) if error.settles_earlier_sends() => {
            tracing::warn!(payment = %id, %error, "Stripe refuses a refund");
            refused(ledger, &request, words(&error)).await
        }
        Err(error) => {
            let (tenant, key) = (request.tenant.clone(), request.key.clone());
            ledger.run(RefundWaits { tenant, payment: id, key, why: words(&error) }).await?;
            Err(error.into())
        }
    }
}

async fn made<L: Store>(
    ledger: &L,
    request: &RefundRequest,
    refund: Refund,
    source: Source,
) -> Result<JobEnd, WorkError> {
    tracing::info!(payment = %request.payment, refund = refund.id, "refund made");
    let made = RefundMade {
        tenant: request.tenant.clone(),
        payment: request.payment,
        key: request.key.clone(),
        refund: refund.id.clone(),
        evidence: refund_evidence(refund),
        source,
    };
    ledger.run(made).await?;
    Ok(JobEnd::Done)
}

async fn refused<L: Store>(
    ledger: &L,
    request: &RefundRequest,
    why: String,
) -> Result<JobEnd, WorkError> {
    let (tenant, key) = (request.tenant.clone(), request.key.clone());
    ledger.run(RefundRefused { tenant, payment: request.payment, key, why }).await?;
    Ok(JobEnd::Done)
}

/// Finds the refund that the request may have made, by our key in its notes.
async fn look_up<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    request: &RefundRequest,
    settled: bool,
) -> Result<JobEnd, WorkError> {
    let charge = stripe.charge(&charge_of(request)).await?;
    let intent = charge.payment_intent.as_ref().map(Expandable::id).unwrap_or_default();
    let found = stripe.refunds_of(intent).await?;
    let ours = found.into_iter().find(|it| key_of(it).as_ref() == Some(&request.key));
    match ours {
        Some(refund) => made(ledger, request, refund, Source::Poll).await,
        None if !settled => Ok(JobEnd::Again),
        None => {
            let why = "The request never reached Stripe: no refund was made. Try again.";
            refused(ledger, request, why.to_owned()).await
        }
    }
}

/// The request of ours that made a refund, if it was one.
pub(super) fn key_of(refund: &Refund) -> Option<RefundKey> {
    refund.metadata.get(META_REFUND).and_then(|key| RefundKey::parse(key))
}

/// The charge stands in the frozen body, which is form-encoded.
fn charge_of(request: &RefundRequest) -> String {
    let fields = request.frozen.body.split('&').filter_map(|field| field.split_once('='));
    let mut charges = fields.filter(|(name, _)| *name == "charge").map(|(_, value)| value);
    charges.next().unwrap_or_default().to_owned()
}

/// An error in words for the office: what Stripe said, or why it was not asked.
fn words(error: &CallError) -> String {
    match error {
        CallError::Refused(refused) | CallError::CardDeclined { error: refused, .. } => {
            let message = refused.object.message.as_deref().unwrap_or("no reason given");
            format!("Stripe refused: {message}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
