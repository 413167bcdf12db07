use super::*;

const INTENT: &str = "amount=1000&currency=usd";
const PATH: &str = "/v1/payment_intents";

#[test]
fn a_repeated_request_gets_the_same_answer_and_does_nothing() {
    let mut desk = Desk::new();
    let first = desk.post_under("k", PATH, INTENT);
    desk.pass_ms(KEY_LIFETIME_MS - 1);
    let again = desk.post_under("k", PATH, INTENT);
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(first.header("Idempotent-Replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("Original-Request"), first.header("Request-Id"));
    assert_ne!(again.header("Request-Id"), first.header("Request-Id"));
    assert_eq!(desk.core.intents().count(), 1);
}

#[test]
fn a_replay_shows_the_object_as_it_was() {
    let mut desk = Desk::new();
    let first = desk.post_under("k", "/v1/checkout/sessions", SESSION);
    let id = json(&first)["id"].as_str().unwrap().to_owned();
    desk.pay(&id, "4242424242424242");
    let again = desk.post_under("k", "/v1/checkout/sessions", SESSION);
    assert_eq!(first.body, again.body);
    assert_eq!(json(&again)["status"], "open");
}

#[test]
fn after_a_day_a_key_is_forgotten() {
    let mut desk = Desk::new();
    desk.post_under("k", PATH, INTENT);
    desk.pass_ms(KEY_LIFETIME_MS);
    desk.post_under("k", PATH, INTENT);
    assert_eq!(desk.core.intents().count(), 2);
}

#[test]
fn a_key_is_good_for_one_body_and_one_address() {
    let mut desk = Desk::new();
    desk.post_under("k", PATH, INTENT);
    for (path, body) in [(PATH, "amount=1001&currency=usd"), ("/v1/refunds", INTENT)] {
        let response = desk.post_under("k", path, body);
        assert_eq!(response.status, 400);
        assert_eq!(json(&response)["error"]["type"], "idempotency_error");
        assert_eq!(response.header("Idempotent-Replayed"), None);
    }
    assert_eq!(desk.core.intents().count(), 1);
}

#[test]
fn a_request_that_failed_validation_may_be_repaired_under_its_key() {
    let mut desk = Desk::new();
    assert_eq!(desk.post_under("k", PATH, "amount=ten&currency=usd").status, 400);
    assert_eq!(desk.post_under("k", PATH, INTENT).status, 200);
}

#[test]
fn a_refusal_by_state_is_kept() {
    let mut desk = Desk::new();
    let (_, intent) = desk.post(PATH, INTENT);
    let cancel = format!("{PATH}/{}/cancel", intent["id"].as_str().unwrap());
    assert_eq!(desk.post(&cancel, "").0, 200);
    let refused = desk.post_under("k", &cancel, "");
    assert_eq!(json(&refused)["error"]["code"], "payment_intent_unexpected_state");
    let again = desk.post_under("k", &cancel, "");
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(again.body, refused.body);
}

#[test]
fn while_the_first_request_is_in_flight_its_key_is_busy() {
    let mut desk = Desk::with(|config| config.answer_time_ms = 2_000);
    let first = desk.post_under("k", PATH, INTENT);
    assert_eq!(first.ready_at_ms, START_MS + 2_000);
    desk.pass_ms(1_999);
    let busy = desk.post_under("k", PATH, INTENT);
    assert_eq!((busy.status, busy.header("Stripe-Should-Retry")), (409, Some("true")));
    assert_eq!(json(&busy)["error"]["code"], "idempotency_key_in_use");
    desk.pass_ms(1);
    assert_eq!(desk.post_under("k", PATH, INTENT).body, first.body);
    assert_eq!(desk.core.intents().count(), 1);
}

#[test]
fn a_wrong_key_is_refused_before_its_idempotency_key_is_looked_at() {
    let mut desk = Desk::new();
    desk.post_under("k", PATH, INTENT);
    let foreign = ApiRequest::post(PATH, INTENT, "sk_live_1", "k");
    let response = desk.core.handle(&foreign, desk.now_ms);
    assert_eq!((response.status, response.header("Idempotent-Replayed")), (401, None));
    let long = desk.post_under(&"k".repeat(256), PATH, INTENT);
    assert_eq!(long.status, 400);
}
