//! Asking Stripe, page by page, what a restored ledger has lost.

use super::event::recorded;
use super::propose::{META_ATTEMPT, META_PAYMENT, META_TENANT, mode};
use super::{StripeCalls, WorkError};
use crate::recovery::{EVENTS_REACH_S, FoundSession, Recovery, RecoveryStage};
use crate::schedule::check_again_ms;
use crate::store::Store;
use crate::{FollowFound, FoundSeen, Hint, PutOffRecovery, TakeEvents, TakeSessions};
use holdfast_domain::{PaymentId, SessionStatus};
use holdfast_stripe::objects::{self, CheckoutSession, List, SessionPaymentStatus};
use holdfast_stripe::{Created, Page};

/// Asks for the next page, and tells the ledger what stands on it. May be done twice without harm,
/// by two workers at once: a page that was taken already changes nothing.
pub async fn recover<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
    now_ms: i64,
) -> Result<(), WorkError> {
    let outcome = match recovery.stage {
        RecoveryStage::Sessions => sessions(ledger, stripe, recovery, now_ms).await,
        RecoveryStage::Events => events(ledger, stripe, recovery, now_ms).await,
        RecoveryStage::Done => Ok(()),
    };
    if let Err(error) = &outcome {
        let put_off = PutOffRecovery { key: recovery.key.clone(), trouble: error.to_string() };
        ledger.run(put_off).await?;
    }
    outcome
}

/// Looks at a card page whose order nobody has brought again. It is looked at again, later and later,
/// until it is final or its order comes.
pub async fn follow_found<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    found: &FoundSession,
) -> Result<(), WorkError> {
    let (seen, outcome) = match stripe.checkout_session(&found.session).await {
        Ok(session) => {
            let (status, is_paid) = stand(&session);
            (Some(FoundSeen { status, is_paid, url: session.url }), Ok(()))
        }
        Err(error) => (None, Err(error.into())),
    };
    if let Some(now) = ledger.run(FollowFound { found: found.clone(), seen }).await?
        && now.due_at_ms == 0
    {
        let (tenant, payment) = (&now.tenant, now.payment);
        tracing::info!(%tenant, %payment, is_paid = now.is_paid, "a card page without its order is over");
    }
    outcome
}

fn page(recovery: &Recovery) -> Page {
    let starting_after = Some(recovery.cursor.clone()).filter(|cursor| !cursor.is_empty());
    Page { starting_after, ..Page::default() }
}

async fn sessions<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
    now_ms: i64,
) -> Result<(), WorkError> {
    // No end: whatever is newer than the backup counts, and what is known changes nothing.
    let window = Created { from: Some(recovery.from_unix_s), to: None };
    let List { data, has_more } = stripe.sessions_page(window, &page(recovery)).await?;
    let taken = TakeSessions {
        key: recovery.key.clone(),
        cursor: recovery.cursor.clone(),
        seen: u64::try_from(data.len()).unwrap_or(u64::MAX),
        next: data.last().map(|last| last.id.clone()).filter(|_| has_more),
        sessions: data.into_iter().filter_map(|session| found(recovery, session, now_ms)).collect(),
    };
    if let Some(now) = ledger.run(taken).await? {
        tracing::info!(
            tenant = %now.key.tenant, seen = now.sessions_seen, found = now.sessions_found,
            stage = now.stage.as_str(), "recovering: sessions"
        );
    }
    Ok(())
}

async fn events<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
    now_ms: i64,
) -> Result<(), WorkError> {
    let reach = now_ms.div_euclid(1000).saturating_sub(EVENTS_REACH_S);
    let window = Created { from: Some(recovery.from_unix_s.max(reach)), to: None };
    let List { data, has_more } = stripe.events_page(window, &page(recovery)).await?;
    let record = |event: &objects::Event| {
        let body = serde_json::to_vec(event).unwrap_or_default();
        recorded(&recovery.key.tenant, event, body, now_ms)
    };
    let taken = TakeEvents {
        key: recovery.key.clone(),
        cursor: recovery.cursor.clone(),
        next: data.last().map(|last| last.id.clone()).filter(|_| has_more),
        events: data.iter().map(record).filter(|it| it.hint != Hint::Nothing).collect(),
    };
    if let Some(now) = ledger.run(taken).await? {
        tracing::info!(
            tenant = %now.key.tenant, found = now.events_found, stage = now.stage.as_str(),
            "recovering: events"
        );
    }
    Ok(())
}

/// The session, if our notes on it say that it is this tenant's.
fn found(recovery: &Recovery, session: CheckoutSession, now_ms: i64) -> Option<FoundSession> {
    let note = |name: &str| session.metadata.get(name).map(|text| text.to_owned());
    let tenant = recovery.key.tenant.clone();
    let (status, is_paid) = stand(&session);
    let is_final = FoundSession::is_final(status, is_paid);
    if note(META_TENANT)? != tenant.as_str() || mode(session.livemode) != recovery.key.mode {
        return None;
    }
    Some(FoundSession {
        tenant,
        payment: PaymentId::parse(&note(META_PAYMENT)?).ok()?,
        number: note(META_ATTEMPT)?.parse().ok()?,
        status,
        is_paid,
        due_at_ms: if is_final { 0 } else { now_ms.saturating_add(check_again_ms(1)) },
        looks: 0,
        created_unix_s: session.created,
        expires_at_unix_s: session.expires_at,
        mode: recovery.key.mode,
        payment_type: recovery.key.payment_type.clone(),
        pin: recovery.pin(),
        session: session.id,
        url: session.url,
    })
}

/// How far a session is, and whether its money is there.
fn stand(session: &CheckoutSession) -> (SessionStatus, bool) {
    let status = match session.status {
        Some(objects::SessionStatus::Complete) => SessionStatus::Complete,
        Some(objects::SessionStatus::Expired) => SessionStatus::Expired,
        Some(objects::SessionStatus::Open | objects::SessionStatus::Other(_)) | None => {
            SessionStatus::Open
        }
    };
    (status, session.payment_status == SessionPaymentStatus::Paid)
}
