use serde_json::json;

use super::*;

/// Fields, enum values and event types from the year 2030.
#[test]
fn a_session_from_a_newer_stripe_still_parses() {
    let session: CheckoutSession = serde_json::from_value(json!({
        "id": "cs_test_1", "object": "checkout.session", "created": 1, "expires_at": 2,
        "livemode": false, "mode": "rent", "payment_status": "half_paid", "status": "paused",
        "metadata": null, "hologram": {"x": [1, 2]}, "payment_intent": "pi_1"
    }))
    .unwrap();
    assert_eq!(session.status, Some(SessionStatus::Other("paused".into())));
    assert_eq!(session.payment_status.as_str(), "half_paid");
    assert_eq!(session.payment_intent.as_ref().map(Expandable::id), Some("pi_1"));
    assert!(session.metadata.is_empty());
}

#[test]
fn an_expanded_field_gives_its_object_and_its_id() {
    let session: CheckoutSession = serde_json::from_value(json!({
        "id": "cs_test_1", "created": 1, "expires_at": 2, "livemode": false, "mode": "payment",
        "payment_status": "paid", "status": "complete",
        "payment_intent": {
            "id": "pi_1", "amount": 1250, "created": 1, "currency": "usd", "livemode": false,
            "metadata": {"payment": "p1"}, "status": "succeeded",
            "latest_charge": {
                "id": "ch_1", "amount": 1250, "created": 1, "currency": "usd", "livemode": false,
                "status": "succeeded", "payment_method_details":
                    {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 12}}
            }
        }
    }))
    .unwrap();
    let intent = session.payment_intent.as_ref().unwrap();
    assert_eq!(intent.id(), "pi_1");
    let charge = intent.object().unwrap().latest_charge.as_ref().unwrap().object().unwrap();
    assert_eq!(charge.card().unwrap().last4.as_deref(), Some("4242"));
}

#[test]
fn an_event_says_what_it_is_about_and_no_more() {
    let event = |kind: &str, object: serde_json::Value| -> Event {
        serde_json::from_value(json!({
            "id": "evt_1", "created": 1, "livemode": false, "type": kind,
            "data": {"object": object}
        }))
        .unwrap()
    };
    let about = |kind, object| event(kind, object).subject();
    let id = || "x_1".to_owned();
    assert_eq!(
        about("checkout.session.completed", json!({"id": "x_1", "object": "checkout.session"})),
        Subject::Session { id: id() }
    );
    let charge = json!({"id": "x_1", "object": "charge", "payment_intent": {"id": "pi_1"}});
    assert_eq!(
        about("charge.refunded", charge),
        Subject::Charge { id: id(), payment_intent: Some("pi_1".into()) }
    );
    assert_eq!(about("moon.rose", json!({"id": "x_1", "object": "moon"})), Subject::Other);
    assert_eq!(about("moon.rose", json!(null)), Subject::Other);
    assert_eq!(about("moon.rose", json!("text")), Subject::Other);
    assert_eq!(event("moon.rose", json!({})).kind, EventType::Other("moon.rose".into()));
}

#[test]
fn a_webhook_secret_is_read_but_never_written() {
    let endpoint: WebhookEndpoint = serde_json::from_value(json!({
        "id": "we_1", "created": 1, "livemode": false, "status": "enabled", "url": "https://a",
        "enabled_events": ["*"], "secret": "whsec_0123456789abcdef"
    }))
    .unwrap();
    assert_eq!(endpoint.secret.as_ref().unwrap().expose(), "whsec_0123456789abcdef");
    assert!(!serde_json::to_string(&endpoint).unwrap().contains("0123456789"));
    assert!(!format!("{endpoint:?}").contains("0123456789"));
}

#[test]
fn an_error_object_keeps_codes_it_does_not_know() {
    let body: ErrorBody = serde_json::from_value(json!({
        "error": {"type": "cosmic_error", "code": "ray", "decline_code": "new", "x": 1}
    }))
    .unwrap();
    assert_eq!(body.error.kind, ErrorType::Other("cosmic_error".into()));
    assert_eq!(body.error.code, Some(ErrorCode::Other("ray".into())));
}
