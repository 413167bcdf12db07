//! Asking Stripe how a payment stands, and telling the ledger what was seen.

use super::refund::key_of;
use super::{Reads, StripeCalls, WorkError, mode};
use crate::observe::{ChargeSeen, Lesson, SessionSeen, lesson};
use crate::rows::{Attempt, AttemptState, Payment, Source};
use crate::store::Store;
use crate::{Learn, LearnOutcome, RefundMade};
use holdfast_domain as domain;
use holdfast_domain::{AttentionReason, DeclineReason, Evidence, Money, PaymentState};
use holdfast_stripe::objects::{
    Charge, ChargeStatus, CheckoutSession, DisputeStatus, ErrorCode, Expandable, PaymentIntent,
    Refund, RefundStatus, SessionStatus,
};
use holdfast_stripe::{CallError, amount, request};

/// Sessions of one payment that are asked for in one look, newest first. More attempts than this
/// are old and over; their evidence is in the ledger.
const SESSIONS_MAX: usize = 3;

/// Looks at the sessions of a payment and learns from them. The payment as it stands afterwards.
pub async fn look<L: Store + Reads, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    payment: &Payment,
    source: Source,
) -> Result<Payment, WorkError> {
    Ok(look_closely(ledger, stripe, payment, source).await?.0)
}

/// The same; true if a session is open at Stripe, whatever the ledger takes it for: a page that a
/// restored ledger believes to be over may still be paid on.
pub(super) async fn look_closely<L: Store + Reads, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    payment: &Payment,
    source: Source,
) -> Result<(Payment, bool), WorkError> {
    let attempts = ledger.attempts(&payment.tenant, payment.payment).await?;
    end_what_nobody_wants(stripe, payment, &attempts).await?;
    let sessions: Vec<&str> =
        attempts.iter().rev().filter_map(|it| it.session.as_deref()).take(SESSIONS_MAX).collect();
    let mut found = Lesson::default();
    let mut any_open = false;
    for session in sessions {
        let seen = stripe.checkout_session(session).await?;
        any_open |= seen.status == Some(SessionStatus::Open);
        let (learned, refunds) = learn_from(stripe, payment, &attempts, &seen).await?;
        claim(ledger, payment, refunds, source).await?;
        found.evidence.extend(learned.evidence);
        found.objects.extend(learned.objects);
    }
    let learn = Learn {
        tenant: payment.tenant.clone(),
        payment: payment.payment,
        source,
        evidence: found.evidence,
        objects: found.objects,
    };
    match ledger.run(learn).await? {
        LearnOutcome::Known { payment, order_made } => {
            if order_made {
                tracing::info!(payment = %payment.payment, ?source, "paid; the order was made");
            }
            Ok((*payment, any_open))
        }
        LearnOutcome::Unknown => Ok((payment.clone(), any_open)),
    }
}

/// Refunds that a request of ours made are told as its answer, which may have been lost.
async fn claim<L: Store>(
    ledger: &L,
    payment: &Payment,
    refunds: Vec<Refund>,
    source: Source,
) -> Result<(), WorkError> {
    for refund in refunds {
        let Some(key) = key_of(&refund) else { continue };
        let made = RefundMade {
            tenant: payment.tenant.clone(),
            payment: payment.payment,
            key,
            refund: refund.id.clone(),
            evidence: refund_evidence(refund),
            source,
        };
        ledger.run(made).await?;
    }
    Ok(())
}

/// A payment that was canceled, withdrawn or settled by another must not be paid any more: its open
/// session is expired. Stripe
/// refuses that once the payer has finished, and the look that follows tells which it was.
async fn end_what_nobody_wants<S: StripeCalls>(
    stripe: &S,
    payment: &Payment,
    attempts: &[Attempt],
) -> Result<(), WorkError> {
    use PaymentState as S;
    if !matches!(payment.state, S::CancelRequested | S::Withdrawn | S::AlreadyPaid) {
        return Ok(());
    }
    for attempt in attempts.iter().filter(|it| it.state == AttemptState::Opened) {
        let Some(session) = attempt.session.as_deref() else { continue };
        let key = format!("{}-expire", attempt.idempotency_key);
        let frozen = request::expire_session(session, &key)?;
        match stripe.send_for_session(&frozen).await {
            Ok(_) | Err(CallError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What one session teaches, with its PaymentIntent and the latest charge of that.
async fn learn_from<S: StripeCalls>(
    client: &S,
    payment: &Payment,
    attempts: &[Attempt],
    session: &CheckoutSession,
) -> Result<(Lesson, Vec<Refund>), WorkError> {
    let intent = session.payment_intent.as_ref();
    // Asked for with `expand`; a Stripe that answers with the ID alone is asked again.
    let fetched = match intent {
        Some(Expandable::Id(id)) => Some(client.payment_intent(id).await?),
        Some(Expandable::Object(_)) | None => None,
    };
    let object = fetched.as_ref().or_else(|| intent.and_then(Expandable::object));
    let latest = object.and_then(|intent| intent.latest_charge.as_ref());
    let fetched_charge = match latest {
        Some(Expandable::Id(id)) => Some(client.charge(id).await?),
        Some(Expandable::Object(_)) | None => None,
    };
    let charge = fetched_charge.as_ref().or_else(|| latest.and_then(Expandable::object));
    let seen = SessionSeen { account: client.account(), ..session_seen(session, object, charge) };
    let mut learned = lesson(payment, attempts, &seen);
    let mut refunds = Vec::new();
    // Money that came may have gone back; before that there is nothing to ask for.
    if let (Some(intent), Some(charge)) = (object, charge.filter(|charge| charge.captured)) {
        refunds = client.refunds_of(&intent.id).await?;
        let money_back = back(client, &refunds, &intent.id, charge).await?;
        learned.evidence.extend(money_back.evidence);
        learned.objects.extend(money_back.objects);
    }
    Ok((learned, refunds))
}

/// Refunds and disputes of a charge. A refund that failed, perhaps after it had succeeded, is on
/// Stripe's list only, no more in the charge's own sum: so the list is asked for.
async fn back<S: StripeCalls>(
    client: &S,
    refunds: &[Refund],
    intent: &str,
    charge: &Charge,
) -> Result<Lesson, WorkError> {
    let mut learned = Lesson::default();
    for refund in refunds {
        learned.objects.push(refund.id.clone());
        learned.evidence.push(refund_evidence(refund.clone()));
    }
    if charge.disputed || charge.dispute.is_some() {
        for (dispute, outcome) in disputes(client, intent, charge).await? {
            learned.objects.push(dispute.clone());
            learned.evidence.push(Evidence::Dispute { dispute, outcome });
        }
    }
    Ok(learned)
}

/// The disputes of a charge. A restricted key that may not read them knows from the charge that there
/// is one, and not how it ended.
async fn disputes<S: StripeCalls>(
    client: &S,
    intent: &str,
    charge: &Charge,
) -> Result<Vec<(String, domain::DisputeOutcome)>, WorkError> {
    match client.disputes_of(intent).await {
        Ok(found) => Ok(found.into_iter().map(|it| (it.id, dispute_outcome(&it.status))).collect()),
        Err(CallError::PermissionMissing(_)) => {
            let named = charge.dispute.as_ref().map(|it| it.id().to_owned());
            Ok(named.map(|id| (id, domain::DisputeOutcome::Open)).into_iter().collect())
        }
        Err(error) => Err(error.into()),
    }
}

/// A refund as evidence.
pub(super) fn refund_evidence(refund: Refund) -> Evidence {
    match money(Some(refund.amount), Some(&refund.currency)) {
        Some(amount) => Evidence::Refund {
            created: refund.created,
            status: refund_status(refund.status.as_ref()),
            amount,
            refund: refund.id,
        },
        None => Evidence::Misfit { reason: AttentionReason::AmountDiffers },
    }
}

fn refund_status(status: Option<&RefundStatus>) -> domain::RefundStatus {
    match status {
        Some(RefundStatus::Succeeded) => domain::RefundStatus::Succeeded,
        Some(RefundStatus::Failed) => domain::RefundStatus::Failed,
        Some(RefundStatus::Canceled) => domain::RefundStatus::Canceled,
        Some(RefundStatus::RequiresAction) => domain::RefundStatus::RequiresAction,
        // A status newer than this program is not known to have moved money.
        Some(RefundStatus::Pending | RefundStatus::Other(_)) | None => {
            domain::RefundStatus::Pending
        }
    }
}

/// A bank's inquiry takes no money until it becomes a dispute; it is followed all the same.
fn dispute_outcome(status: &DisputeStatus) -> domain::DisputeOutcome {
    match status {
        DisputeStatus::Won | DisputeStatus::Prevented | DisputeStatus::WarningClosed => {
            domain::DisputeOutcome::Won
        }
        DisputeStatus::Lost => domain::DisputeOutcome::Lost,
        DisputeStatus::NeedsResponse
        | DisputeStatus::UnderReview
        | DisputeStatus::WarningNeedsResponse
        | DisputeStatus::WarningUnderReview
        | DisputeStatus::Other(_) => domain::DisputeOutcome::Open,
    }
}

fn session_seen(
    session: &CheckoutSession,
    intent: Option<&PaymentIntent>,
    charge: Option<&Charge>,
) -> SessionSeen {
    SessionSeen {
        session: session.id.clone(),
        mode: mode(session.livemode),
        account: None,
        status: match session.status {
            Some(SessionStatus::Complete) => domain::SessionStatus::Complete,
            Some(SessionStatus::Expired) => domain::SessionStatus::Expired,
            // An unknown status is no proof that it takes no money any more.
            Some(SessionStatus::Open | SessionStatus::Other(_)) | None => {
                domain::SessionStatus::Open
            }
        },
        amount: money(session.amount_total, session.currency.as_deref()),
        client_reference: session.client_reference_id.clone(),
        intent: intent.map(|intent| intent.id.clone()),
        charge: charge.map(|charge| charge_seen(charge, intent)),
    }
}

fn charge_seen(charge: &Charge, intent: Option<&PaymentIntent>) -> ChargeSeen {
    let outcome = match charge.status {
        ChargeStatus::Succeeded if charge.captured => domain::ChargeOutcome::Succeeded,
        ChargeStatus::Failed => domain::ChargeOutcome::Failed(decline(charge, intent)),
        // Reserved and not taken, or a status newer than this program: not known yet.
        ChargeStatus::Succeeded | ChargeStatus::Pending | ChargeStatus::Other(_) => {
            domain::ChargeOutcome::Pending
        }
    };
    // What was taken counts; before that, what was asked for.
    let units = if charge.captured { charge.amount_captured.max(0) } else { charge.amount };
    ChargeSeen {
        charge: charge.id.clone(),
        created_unix_s: charge.created,
        outcome,
        amount: money(Some(units), Some(&charge.currency)),
    }
}

/// The bank's reason stands in the charge's outcome, or in the intent's last error.
fn decline(charge: &Charge, intent: Option<&PaymentIntent>) -> DeclineReason {
    let error = intent.and_then(|intent| intent.last_payment_error.as_deref());
    let code = error.and_then(|error| error.code.as_ref()).map(ErrorCode::as_str);
    let decline_code = error.and_then(|error| error.decline_code.as_deref());
    let outcome = charge.outcome.as_ref().and_then(|outcome| outcome.reason.as_deref());
    DeclineReason::from_stripe(code.or(charge.failure_code.as_deref()), decline_code.or(outcome))
}

fn money(units: Option<i64>, currency: Option<&str>) -> Option<Money> {
    amount::money(units?, currency?).ok()
}
