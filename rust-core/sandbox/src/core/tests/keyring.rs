//! Who may do what: lists of keys, restricted keys, browsers, and how often.

use super::*;

fn as_key(desk: &mut Desk, key: &str, path: &str, body: &str) -> (u16, Value) {
    let request = match body {
        "" => ApiRequest::get(path, "", key),
        body => ApiRequest { idempotency_key: None, ..ApiRequest::post(path, body, key, "") },
    };
    let response = desk.core.handle(&request, desk.now_ms);
    (response.status, json(&response))
}

#[test]
fn a_restricted_key_may_do_what_it_was_allowed() {
    let grant = "rk_test_clerk12345678=charge_read,payment_intent_write".parse().unwrap();
    let mut desk = Desk::with(|config| config.api_keys = vec![grant]);
    let key = "rk_test_clerk12345678";
    assert_eq!(as_key(&mut desk, key, "/v1/charges", "").0, 200);
    assert_eq!(
        as_key(&mut desk, key, "/v1/payment_intents", "").0,
        200,
        "writing includes reading"
    );
    assert_eq!(as_key(&mut desk, key, "/v1/payment_intents", "amount=100&currency=usd").0, 200);
    let (status, refused) = as_key(&mut desk, key, "/v1/refunds", "charge=ch_1");
    assert_eq!(status, 403);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("'rak_charge_write'") && message.contains("acct_"), "{message}");
    assert_eq!(as_key(&mut desk, KEY, "/v1/charges", "").0, 401, "it is not on the list");
}

#[test]
fn without_a_list_any_test_key_is_good() {
    let mut desk = Desk::new();
    for (key, status) in
        [("sk_test_a", 200), ("rk_test_a", 200), ("pk_test_a", 401), ("sk_live_a", 401)]
    {
        assert_eq!(as_key(&mut desk, key, "/v1/charges", "").0, status, "{key}");
    }
}

#[test]
fn a_browser_is_let_at_one_payment_intent_by_its_secret() {
    let mut desk = Desk::new();
    let (_, made) =
        desk.post("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card");
    let path = format!("/v1/payment_intents/{}", made["id"].as_str().unwrap());
    let secret = made["client_secret"].as_str().unwrap();
    let typed =
        "type=card&card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=34&card[cvc]=123";
    let (status, method) = as_key(&mut desk, "pk_test_a", "/v1/payment_methods", typed);
    assert_eq!(status, 200, "{method}");
    let method = method["id"].as_str().unwrap();
    let confirm = |secret: &str| format!("payment_method={method}{secret}");
    let (status, refused) =
        as_key(&mut desk, "pk_test_a", &format!("{path}/confirm"), &confirm(""));
    assert_eq!((status, &refused["error"]["param"]), (400, &"client_secret".into()));
    let wrong = confirm(&format!("&client_secret={secret}x"));
    assert_eq!(as_key(&mut desk, "pk_test_a", &format!("{path}/confirm"), &wrong).0, 400);
    let right = confirm(&format!("&client_secret={secret}"));
    let (_, paid) = as_key(&mut desk, "pk_test_a", &format!("{path}/confirm"), &right);
    assert_eq!(paid["status"], "succeeded");
    let refused = as_key(&mut desk, "pk_test_a", "/v1/payment_intents", "amount=1&currency=usd");
    assert_eq!(refused.1["error"]["code"], "secret_key_required");
}

#[test]
fn more_than_the_limit_in_one_second_is_too_many() {
    let mut desk = Desk::with(|config| config.rate_limit_per_s = Some(25));
    let statuses: Vec<u16> = (0..30).map(|_| desk.get("/v1/charges", "").0).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 5);
    desk.pass_ms(1_000);
    assert_eq!(desk.get("/v1/charges", "").0, 200);
}
