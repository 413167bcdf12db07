use holdfast_stripe::objects::Event;
use holdfast_stripe::webhook::{self, TOLERANCE_S};

use super::*;

fn took() -> SendResult {
    SendResult::Answered { status: 200, body: "ok".into() }
}

fn failed() -> SendResult {
    SendResult::Answered { status: 500, body: "no".into() }
}

#[test]
fn a_delivery_is_signed_over_its_exact_bytes() {
    let mut desk = Desk::with_endpoint();
    let id = desk.session();
    desk.pay(&id, "4242424242424242");
    let due = desk.core.due_deliveries(desk.now_ms);
    assert_eq!(due.len(), 4);
    let secret = WebhookSecret::parse(SECRET).unwrap();
    for delivery in &due {
        let header = Some(delivery.signature.as_str());
        let now_s = desk.now_ms / 1_000;
        let secrets = std::slice::from_ref(&secret);
        webhook::verify(&delivery.body, header, secrets, now_s, TOLERANCE_S).unwrap();
        assert!(delivery.signature.contains(",v0="), "test mode sends a decoy");
        let event: Event = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!((event.pending_webhooks, event.livemode), (1, false));
        assert_eq!(event.api_version.as_deref(), Some(API_VERSION));
    }
    assert!(desk.core.due_deliveries(desk.now_ms).is_empty(), "handed out once");
}

#[test]
fn a_failed_delivery_is_tried_again_with_a_new_signature_and_given_up_at_last() {
    let mut desk = Desk::with_endpoint();
    let id = desk.session();
    desk.post(&format!("/v1/checkout/sessions/{id}/expire"), "");
    let mut signatures = Vec::new();
    let mut waits_ms = Vec::new();
    loop {
        let due = desk.core.due_deliveries(desk.now_ms);
        signatures.push(due[0].signature.clone());
        desk.core.delivery_result(due[0].id, failed(), desk.now_ms);
        let Some(at_ms) = desk.core.next_wake_ms() else { break };
        waits_ms.push(at_ms - desk.now_ms);
        desk.now_ms = at_ms;
    }
    assert!(waits_ms.is_sorted() && waits_ms[0] == 3_000, "{waits_ms:?}");
    signatures.dedup();
    assert_eq!(signatures.len(), waits_ms.len() + 1);
    let delivery = &desk.core.deliveries()[0];
    assert_eq!((delivery.state, delivery.attempts.len()), (DeliveryState::Failed, 9));
    let (_, undelivered) = desk.get("/v1/events", "delivery_success=false");
    assert_eq!(undelivered["data"][0]["pending_webhooks"], 1);
}

#[test]
fn a_redirect_is_no_delivery_and_a_later_2xx_is() {
    let mut desk = Desk::with_endpoint();
    let id = desk.session();
    desk.post(&format!("/v1/checkout/sessions/{id}/expire"), "");
    let due = desk.core.due_deliveries(desk.now_ms);
    let moved = SendResult::Answered { status: 302, body: String::new() };
    desk.core.delivery_result(due[0].id, moved, desk.now_ms);
    desk.pass_ms(3_000);
    let due = desk.core.due_deliveries(desk.now_ms);
    desk.core.delivery_result(due[0].id, took(), desk.now_ms);
    desk.core.delivery_result(due[0].id, failed(), desk.now_ms);
    assert_eq!(desk.core.deliveries()[0].state, DeliveryState::Delivered);
    let (_, undelivered) = desk.get("/v1/events", "delivery_success=false");
    assert_eq!(undelivered["data"].as_array().unwrap().len(), 0);
    let (_, delivered) = desk.get("/v1/events", "delivery_success=true");
    assert_eq!(delivered["data"][0]["pending_webhooks"], 0);
}

#[test]
fn endpoints_get_the_types_they_asked_for_until_they_are_deleted() {
    let mut desk = Desk::with_endpoint();
    let (status, endpoint) = desk.post(
        "/v1/webhook_endpoints",
        "url=https%3A%2F%2Fpay.example%2Fhook&enabled_events[]=checkout.session.completed",
    );
    assert_eq!(status, 200);
    let secret = WebhookSecret::parse(endpoint["secret"].as_str().unwrap()).unwrap();
    let path = format!("/v1/webhook_endpoints/{}", endpoint["id"].as_str().unwrap());
    assert!(desk.get(&path, "").1.get("secret").is_none(), "shown once");

    let id = desk.session();
    desk.pay(&id, "4242424242424242");
    let due = desk.core.due_deliveries(desk.now_ms);
    assert_eq!(due.len(), 5);
    let ours: Vec<_> = due.iter().filter(|d| d.url == "https://pay.example/hook").collect();
    assert_eq!(ours.len(), 1);
    let header = Some(ours[0].signature.as_str());
    let verified = webhook::verify(&ours[0].body, header, &[secret], desk.now_ms / 1_000, 0);
    assert!(verified.is_ok());
    let event: Event = serde_json::from_slice(&ours[0].body).unwrap();
    assert_eq!(event.pending_webhooks, 2);

    let delete = ApiRequest { method: "DELETE".into(), ..ApiRequest::get(&path, "", KEY) };
    assert_eq!(desk.core.handle(&delete, desk.now_ms).status, 200);
    assert_eq!(desk.core.handle(&delete, desk.now_ms).status, 404);
    let id = desk.session();
    desk.pay(&id, "4242424242424242");
    assert_eq!(desk.core.due_deliveries(desk.now_ms).len(), 4);
}

#[test]
fn an_event_names_the_request_that_caused_it_and_the_payer_is_none() {
    let mut desk = Desk::new();
    let response = desk.post_under("key-1", "/v1/payment_intents", "amount=100&currency=usd");
    let event = desk.core.events().next().unwrap().clone();
    let cause = event.cause.as_ref().unwrap();
    assert_eq!(Some(&cause.request[..]), response.header("Request-Id"));
    assert_eq!(cause.idempotency_key.as_deref(), Some("key-1"));
    let id = desk.session();
    desk.pay(&id, "4242424242424242");
    assert!(desk.core.events().last().unwrap().cause.is_none());
}

/// Equal seeds and inputs give equal bytes: what a seeded simulation rests on.
#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = || {
        let mut desk = Desk::with_endpoint();
        let id = desk.session();
        desk.pay(&id, "4000000000009995");
        desk.pass_ms(1_000);
        desk.pay(&id, "4242424242424242");
        let due = desk.core.due_deliveries(desk.now_ms);
        due.into_iter().map(|d| (d.signature, d.body)).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
