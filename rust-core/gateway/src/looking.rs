//! Asking Stripe how a payment stands, and telling the ledger what was seen.

use crate::core::Core;
use crate::payments;
use crate::processors::{Clients, CredentialsError};
use crate::store::StoreError;
use holdfast_domain as domain;
use holdfast_domain::{DeclineReason, Mode, Money};
use holdfast_ledger::observe::{ChargeSeen, Lesson, SessionSeen, lesson};
use holdfast_ledger::{Attempt, Learn, LearnOutcome, Payment, Source, Store};
use holdfast_stripe::objects::{
    Charge, ChargeStatus, CheckoutSession, ErrorCode, Expandable, PaymentIntent, SessionStatus,
};
use holdfast_stripe::{CallError, Client, amount};

/// Sessions of one payment that are asked for in one look, newest first. More attempts than this
/// are old and over; their evidence is in the ledger.
const SESSIONS_MAX: usize = 3;

/// Why a look failed. Nothing follows from that: the payment stands as it stood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Stripe(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] holdfast_ledger::StoreError),
}

/// Looks at the sessions of a payment and learns from them. The payment as it stands afterwards.
pub(crate) async fn look(
    core: &Core,
    clients: &Clients,
    payment: &Payment,
    source: Source,
) -> Result<Payment, LookError> {
    let attempts = payments::attempts(core, &payment.tenant, payment.payment).await?;
    let sessions: Vec<&str> =
        attempts.iter().rev().filter_map(|it| it.session.as_deref()).take(SESSIONS_MAX).collect();
    if sessions.is_empty() {
        return Ok(payment.clone());
    }
    let client = clients.of(core, payment).await?;
    let mut found = Lesson::default();
    for session in sessions {
        let seen = client.checkout_session(session).await?;
        let learned = learn_from(&client, payment, &attempts, &seen).await?;
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
    match core.store.run(learn).await? {
        LearnOutcome::Known { payment, order_made } => {
            if order_made {
                tracing::info!(payment = %payment.payment, ?source, "paid; the order was made");
            }
            Ok(*payment)
        }
        LearnOutcome::Unknown => Ok(payment.clone()),
    }
}

/// What one session teaches, with its PaymentIntent and the latest charge of that.
async fn learn_from(
    client: &Client,
    payment: &Payment,
    attempts: &[Attempt],
    session: &CheckoutSession,
) -> Result<Lesson, LookError> {
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
    Ok(lesson(payment, attempts, &session_seen(session, object, charge)))
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

pub(crate) fn mode(livemode: bool) -> Mode {
    if livemode { Mode::Live } else { Mode::Test }
}
