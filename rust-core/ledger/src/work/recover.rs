//! Asking Stripe, page by page, what a restored ledger has lost.

use super::event::recorded;
use super::propose::{META_ATTEMPT, META_PAYMENT, META_TENANT, mode};
use super::{StripeCalls, WorkError};
use crate::recovery::{DISPUTES_REACH_S, EVENTS_REACH_S, FoundSession, Recovery, RecoveryStage};
use crate::schedule::check_again_ms;
use crate::store::Store;
use crate::{
    FollowFound, FoundSeen, Hint, PassList, PutOffRecovery, TakeEvents, TakeNamed, TakeSessions,
};
use holdfast_domain::{PaymentId, SessionStatus};
use holdfast_stripe::objects::{self, CheckoutSession, Expandable, List, SessionPaymentStatus};
use holdfast_stripe::{CallError, Created, Page};

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
        RecoveryStage::Events => events_or_what_may_be_read(ledger, stripe, recovery, now_ms).await,
        RecoveryStage::Refunds => refunds(ledger, stripe, recovery).await,
        RecoveryStage::Disputes => disputes_if_they_may_be_read(ledger, stripe, recovery).await,
        RecoveryStage::Done => Ok(()),
    };
    if let Err(error) = &outcome {
        let trouble = trouble(recovery.stage, error);
        ledger.run(PutOffRecovery { key: recovery.key.clone(), trouble }).await?;
    }
    outcome
}

/// What hinders, in words for the administrator.
fn trouble(stage: RecoveryStage, error: &WorkError) -> String {
    if !is_forbidden(error) {
        return error.to_string();
    }
    let lacks = match stage {
        RecoveryStage::Events => {
            "Events: Read, and Charges and Refunds: Read as well (one is enough)"
        }
        RecoveryStage::Refunds => "Charges and Refunds: Read",
        RecoveryStage::Disputes => "Disputes: Read",
        RecoveryStage::Sessions | RecoveryStage::Done => "Checkout Sessions: Read",
    };
    format!(
        "the restricted key lacks the permission {lacks}. Add it to the key in Stripe's Dashboard \
         (Developers, API keys); asking goes on by itself once it is there"
    )
}

fn is_forbidden(error: &WorkError) -> bool {
    matches!(error, WorkError::Stripe(CallError::PermissionMissing(_)))
}

/// Without "Events: Read" refunds and disputes are listed themselves, if at least the refunds may be:
/// no money goes back again that may be back already.
async fn events_or_what_may_be_read<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
    now_ms: i64,
) -> Result<(), WorkError> {
    match events(ledger, stripe, recovery, now_ms).await {
        Err(error) if is_forbidden(&error) => {
            stripe.refunds_page(since(recovery.from_unix_s), &Page::default()).await?;
            tracing::info!(tenant = %recovery.key.tenant, "recovering: the key may not read events");
            pass(ledger, recovery).await
        }
        outcome => outcome,
    }
}

/// A key that may not read disputes shows none here anyway.
async fn disputes_if_they_may_be_read<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
) -> Result<(), WorkError> {
    match disputes(ledger, stripe, recovery).await {
        Err(error) if is_forbidden(&error) => pass(ledger, recovery).await,
        outcome => outcome,
    }
}

async fn pass<L: Store>(ledger: &L, recovery: &Recovery) -> Result<(), WorkError> {
    ledger.run(PassList { key: recovery.key.clone(), stage: recovery.stage }).await?;
    Ok(())
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
    let window = since(recovery.from_unix_s);
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
    let window = since(recovery.from_unix_s.max(reach));
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

async fn refunds<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
) -> Result<(), WorkError> {
    let window = since(recovery.from_unix_s);
    let List { data, has_more } = stripe.refunds_page(window, &page(recovery)).await?;
    let last = data.last().map(|last| last.id.clone());
    let hints = data.iter().map(|refund| {
        let note = refund.metadata.get(META_PAYMENT).and_then(|text| PaymentId::parse(text).ok());
        let intent = refund.payment_intent.as_ref().map(Expandable::id);
        let object = intent.or_else(|| refund.charge.as_ref().map(Expandable::id));
        note.map_or_else(|| of_object(object), Hint::Payment)
    });
    take_named(ledger, recovery, hints.collect(), last.filter(|_| has_more)).await
}

async fn disputes<L: Store, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    recovery: &Recovery,
) -> Result<(), WorkError> {
    let window = since(recovery.from_unix_s.saturating_sub(DISPUTES_REACH_S));
    let List { data, has_more } = stripe.disputes_page(window, &page(recovery)).await?;
    let hints = data.iter().map(|dispute| {
        let intent = dispute.payment_intent.as_ref().map(Expandable::id);
        of_object(intent.or_else(|| Some(dispute.charge.id())))
    });
    let last = data.last().map(|last| last.id.clone());
    take_named(ledger, recovery, hints.collect(), last.filter(|_| has_more)).await
}

async fn take_named<L: Store>(
    ledger: &L,
    recovery: &Recovery,
    hints: Vec<Hint>,
    next: Option<String>,
) -> Result<(), WorkError> {
    let (key, stage, cursor) = (recovery.key.clone(), recovery.stage, recovery.cursor.clone());
    if let Some(now) = ledger.run(TakeNamed { key, stage, cursor, hints, next }).await? {
        tracing::info!(
            tenant = %now.key.tenant, found = now.events_found, stage = now.stage.as_str(),
            "recovering: refunds and disputes"
        );
    }
    Ok(())
}

fn of_object(id: Option<&str>) -> Hint {
    id.map_or(Hint::Nothing, |id| Hint::Object(id.to_owned()))
}

/// No end: whatever is newer counts, and what is known changes nothing.
fn since(from_unix_s: i64) -> Created {
    Created { from: Some(from_unix_s), to: None }
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
