//! An event of Stripe's as the ledger stores it, whether a webhook or a list brought it.

use super::propose::{META_PAYMENT, mode};
use crate::RecordEvent;
use crate::rows::{Event, Hint};
use holdfast_domain::{PaymentId, TenantSlug};
use holdfast_stripe::objects::{self, EventType, Subject};

/// The events that are followed, and that a webhook is registered for. Any other is stored and ignored.
pub const FOLLOWED: [EventType; 14] = [
    EventType::SessionCompleted,
    EventType::SessionExpired,
    EventType::SessionAsyncSucceeded,
    EventType::SessionAsyncFailed,
    EventType::IntentSucceeded,
    EventType::IntentFailed,
    EventType::IntentCanceled,
    EventType::IntentProcessing,
    EventType::RefundCreated,
    EventType::RefundUpdated,
    EventType::RefundFailed,
    EventType::ChargeRefunded,
    EventType::DisputeCreated,
    EventType::DisputeClosed,
];

/// The event with what it is about, to be recorded.
pub fn recorded(
    tenant: &TenantSlug,
    event: &objects::Event,
    body: Vec<u8>,
    now_ms: i64,
) -> RecordEvent {
    let object = match event.subject() {
        Subject::Session { id }
        | Subject::PaymentIntent { id }
        | Subject::Charge { id, .. }
        | Subject::Refund { id, .. }
        | Subject::Dispute { id, .. } => id,
        Subject::Other => String::new(),
    };
    let stored = Event {
        tenant: tenant.clone(),
        mode: mode(event.livemode),
        account: event.account.clone().unwrap_or_default(),
        event: event.id.clone(),
        kind: event.kind.as_str().to_owned(),
        object,
        received_at_ms: now_ms,
        body,
        payment: None,
        waiting_for: None,
    };
    RecordEvent { event: stored, hint: hint(event) }
}

/// What an event is about. Our own note on the object comes first: it is there even before we
/// know the object.
pub fn hint(event: &objects::Event) -> Hint {
    if !FOLLOWED.contains(&event.kind) {
        return Hint::Nothing;
    }
    let object = &event.data.object;
    let note = object.get("metadata").and_then(|notes| notes.get(META_PAYMENT));
    let reference = note.or_else(|| object.get("client_reference_id"));
    let reference = reference.and_then(serde_json::Value::as_str);
    if let Some(payment) = reference.and_then(|text| PaymentId::parse(text).ok()) {
        return Hint::Payment(payment);
    }
    match event.subject() {
        Subject::Session { id } | Subject::PaymentIntent { id } => Hint::Object(id),
        Subject::Charge { id, payment_intent }
        | Subject::Refund { id, payment_intent }
        | Subject::Dispute { id, payment_intent } => Hint::Object(payment_intent.unwrap_or(id)),
        Subject::Other => Hint::Nothing,
    }
}
