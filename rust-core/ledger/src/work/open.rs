//! Sending the frozen request of an attempt, and finding out what became of it.
//!
//! While Stripe would still take the request's expiry, the same bytes are sent again as often as it
//! takes. After that, or once Stripe replays a stored failure for the key, sending is over: the
//! session is looked up by our reference in the window of time in which it can have been made.
//! Only a look that finds nothing proves that there is nothing.

use super::propose::{META_ATTEMPT, frozen_request, mode};
use super::{Reads, StripeCalls, WorkError};
use crate::rows::{Attempt, AttemptState, Payment};
use crate::schedule::may_resend;
use crate::store::Store;
use crate::{JobEnd, OpenRefused, SessionOpened};
use holdfast_stripe::objects::CheckoutSession;
use holdfast_stripe::{CallError, Created, UnknownWhy};

/// How far Stripe's clock may lie from ours when a session is looked up, in seconds.
const CLOCK_SLACK_S: i64 = 300;
/// A session that is not found this soon after its request may still be on its way, in
/// milliseconds.
const SETTLED_MS: i64 = 120_000;
/// Stripe drops a key after a day or soon after, in seconds (two days). If one of ours was used with
/// another body, that was in an earlier life of this ledger, no longer ago than this.
const KEY_KEPT_S: i64 = 2 * 24 * 60 * 60;

/// Sends the frozen request of the attempt that waits for an answer.
pub async fn open_session<L: Store + Reads, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    payment: &Payment,
    now_ms: i64,
) -> Result<JobEnd, WorkError> {
    let attempts = ledger.attempts(&payment.tenant, payment.payment).await?;
    let Some(attempt) = attempts.into_iter().find(|it| it.state == AttemptState::Frozen) else {
        return Ok(JobEnd::Done);
    };
    if !may_resend(attempt.expires_at_unix_s, now_ms) {
        return look_up(ledger, stripe, &attempt, CLOCK_SLACK_S, now_ms).await;
    }
    match stripe.send_for_session(&frozen_request(&attempt)).await {
        Ok(session) => opened(ledger, &attempt, session).await,
        Err(CallError::Unknown { why: UnknownWhy::ServerError { replayed: true, .. }, .. }) => {
            look_up(ledger, stripe, &attempt, CLOCK_SLACK_S, now_ms).await
        }
        Err(CallError::IdempotencyMismatch(_)) => {
            look_up(ledger, stripe, &attempt, KEY_KEPT_S, now_ms).await
        }
        Err(error) if error.settles_earlier_sends() => {
            tracing::error!(payment = %attempt.payment, %error, "Stripe refuses to open a session");
            refused(ledger, &attempt, true).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn opened<L: Store>(
    ledger: &L,
    attempt: &Attempt,
    session: CheckoutSession,
) -> Result<JobEnd, WorkError> {
    tracing::info!(
        payment = %attempt.payment, number = attempt.number, mode = %mode(session.livemode),
        "session opened"
    );
    let opened = SessionOpened {
        tenant: attempt.tenant.clone(),
        payment: attempt.payment,
        number: attempt.number,
        session: session.id,
        url: session.url,
    };
    ledger.run(opened).await?;
    Ok(JobEnd::Done)
}

async fn refused<L: Store>(
    ledger: &L,
    attempt: &Attempt,
    needs_attention: bool,
) -> Result<JobEnd, WorkError> {
    let refused = OpenRefused {
        tenant: attempt.tenant.clone(),
        payment: attempt.payment,
        number: attempt.number,
        needs_attention,
    };
    ledger.run(refused).await?;
    Ok(JobEnd::Done)
}

/// Finds the session that the request may have made, from so long before it was frozen. Two sessions of one attempt are both told to
/// the ledger, which knows that a person has to look.
async fn look_up<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    attempt: &Attempt,
    before_s: i64,
    now_ms: i64,
) -> Result<JobEnd, WorkError> {
    let made_from = attempt.frozen_at_ms.div_euclid(1000).saturating_sub(before_s);
    let made_until = attempt.expires_at_unix_s.saturating_add(CLOCK_SLACK_S);
    let window = Created { from: Some(made_from), to: Some(made_until) };
    let found = stripe.checkout_sessions_of(&attempt.payment.to_string(), window).await?;
    let number = attempt.number.to_string();
    let of_this_attempt = |session: &CheckoutSession| {
        session.metadata.get(META_ATTEMPT).is_none_or(|it| *it == number)
    };
    let mut end = None;
    for session in found.into_iter().filter(of_this_attempt) {
        end = Some(opened(ledger, attempt, session).await?);
    }
    match end {
        Some(end) => Ok(end),
        None if now_ms.saturating_sub(attempt.frozen_at_ms) < SETTLED_MS => Ok(JobEnd::Again),
        None => {
            tracing::warn!(payment = %attempt.payment, number, "the request made no session");
            refused(ledger, attempt, false).await
        }
    }
}
