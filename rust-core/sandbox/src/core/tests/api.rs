use super::*;

const SESSIONS: &str = "/v1/checkout/sessions";

fn refusal(body: &str) -> Value {
    let (status, value) = Desk::new().post(SESSIONS, body);
    assert_eq!(status, 400, "{body}");
    value["error"].clone()
}

/// The session above with one parameter changed or added.
fn session_with(name: &str, value: &str) -> String {
    let others = SESSION.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
    let added = Some(format!("{name}={value}")).filter(|_| !value.is_empty());
    others.map(str::to_owned).chain(added).collect::<Vec<_>>().join("&")
}

#[test]
fn what_is_wrong_with_a_session_is_named() {
    let price = |field: &str| format!("line_items[0][price_data]{field}");
    let soon = (START_MS / 1_000 + 1_799).to_string();
    let late = (START_MS / 1_000 + 86_401).to_string();
    for (name, value, param, code) in [
        ("colour", "red", "colour", "parameter_unknown"),
        ("mode", "", "mode", "parameter_missing"),
        ("mode", "setup", "mode", ""),
        ("mode", "gift", "mode", ""),
        ("success_url", "", "success_url", "parameter_missing"),
        ("success_url", "pay.example", "success_url", "url_invalid"),
        ("cancel_url", "javascript:alert(1)", "cancel_url", "url_invalid"),
        (&price("[unit_amount]"), "1.5", &price("[unit_amount]"), "parameter_invalid_integer"),
        (&price("[unit_amount]"), "-5", &price("[unit_amount]"), ""),
        (&price("[unit_amount]"), "", &price("[unit_amount]"), "parameter_missing"),
        (&price("[currency]"), "zzz", &price("[currency]"), ""),
        (&price("[product_data][name]"), "", &price("[product_data]"), "parameter_missing"),
        (&price("[colour]"), "red", &price("[colour]"), "parameter_unknown"),
        ("line_items[0][quantity]", "0", "line_items[0][quantity]", ""),
        ("expires_at", &soon, "expires_at", ""),
        ("expires_at", &late, "expires_at", ""),
        ("expand[]", "colour", "expand", ""),
        ("shipping_options", "x", "shipping_options", ""),
        ("payment_method_types[0]", "bacs_debit", "payment_method_types", ""),
    ] {
        let error = refusal(&session_with(name, value));
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["param"], param, "{name}={value}: {error}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{name}={value}: {error}");
    }
    let small = refusal(&session_with("line_items[0][price_data][unit_amount]", "24"));
    assert_eq!(small["code"], "amount_too_small");
    let large = refusal(&session_with("line_items[0][price_data][unit_amount]", "50000000"));
    assert_eq!(large["code"], "amount_too_large");
    let huge = refusal(&session_with("line_items[0][quantity]", &i64::MAX.to_string()));
    assert_eq!(huge["code"], "amount_too_large");
    let unknown = refusal(&session_with("colour", "red"));
    assert_eq!(unknown["message"], "Received unknown parameter: colour");
    assert!(unknown["doc_url"].as_str().unwrap().ends_with("/parameter-unknown"));
    assert!(unknown["request_log_url"].as_str().unwrap().contains("/req_"));
}

#[test]
fn a_refused_request_changes_nothing() {
    let mut desk = Desk::new();
    desk.post(SESSIONS, &session_with("colour", "red"));
    assert_eq!((desk.core.sessions().count(), desk.core.events().count()), (0, 0));
    assert_eq!(desk.core.next_wake_ms(), None);
}

#[test]
fn keys_and_addresses_are_refused_in_stripes_words() {
    let mut desk = Desk::with(|config| {
        config.api_keys = vec![KEY.parse().unwrap()];
    });
    let mut answer = |request: &ApiRequest| {
        let response = desk.core.handle(request, START_MS);
        (response.status, json(&response)["error"]["message"].as_str().unwrap_or("").to_owned())
    };
    let with = |key: &str| ApiRequest::get("/v1/account", "", key);
    let none = ApiRequest { authorization: None, ..with(KEY) };
    assert!(answer(&none).1.starts_with("You did not provide an API key."));
    let (status, message) = answer(&with("sk_test_anotherkey1234"));
    assert_eq!(
        (status, message.as_str()),
        (401, "Invalid API Key provided: sk_test_**********1234")
    );
    assert!(answer(&with("pk_test_1")).1.contains("publishable API key"));
    assert_eq!(answer(&with("nonsense")).0, 401);
    assert_eq!(answer(&with(KEY)).0, 200);

    let (status, message) = answer(&ApiRequest::get("/v1/moons", "", KEY));
    assert_eq!(status, 404);
    assert!(message.starts_with("Unrecognized request URL (GET: /v1/moons)."), "{message}");
    let (status, message) = answer(&ApiRequest::get("/v1/payment_intents/pi_none", "", KEY));
    assert_eq!((status, message.as_str()), (404, "No such payment_intent: 'pi_none'"));

    let old = ApiRequest { stripe_version: Some("tomorrow".into()), ..with(KEY) };
    assert_eq!(answer(&old).0, 400);
    let json_body = ApiRequest {
        content_type: Some("application/json".into()),
        ..ApiRequest::post(SESSIONS, "{}", KEY, "k")
    };
    assert!(answer(&json_body).1.contains("form-encoded"));
    let broken =
        ApiRequest { body: b"a=%ff".to_vec(), ..ApiRequest::post(SESSIONS, "", KEY, "k2") };
    assert_eq!(answer(&broken).0, 400);
}

#[test]
fn sessions_are_listed_by_the_window_of_their_creation() {
    let mut desk = Desk::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(desk.session());
        desk.pass_ms(1_000);
    }
    let second = START_MS / 1_000;
    let query = format!("created[gte]={}&created[lte]={}&limit=2", second + 1, second + 3);
    let (_, page) = desk.get(SESSIONS, &query);
    let listed = |page: &Value| -> Vec<String> {
        let entries = page["data"].as_array().unwrap().iter();
        entries.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (listed(&page), &page["has_more"]),
        (vec![ids[3].clone(), ids[2].clone()], &true.into())
    );
    let (_, page) = desk.get(SESSIONS, &format!("{query}&starting_after={}", ids[2]));
    assert_eq!((listed(&page), &page["has_more"]), (vec![ids[1].clone()], &false.into()));
    let (status, _) = desk.get(SESSIONS, "starting_after=cs_test_none");
    assert_eq!(status, 404);
    let (status, error) = desk.get(SESSIONS, "client_reference_id=p-1");
    assert_eq!((status, &error["error"]["code"]), (400, &"parameter_unknown".into()));
}

#[test]
fn line_items_are_there_when_asked_for() {
    let mut desk = Desk::new();
    let id = desk.session();
    let (_, plain) = desk.get(&format!("{SESSIONS}/{id}"), "");
    assert!(plain.get("line_items").is_none());
    let (_, expanded) = desk.get(&format!("{SESSIONS}/{id}"), "expand[]=line_items");
    let (_, list) = desk.get(&format!("{SESSIONS}/{id}/line_items"), "");
    assert_eq!(expanded["line_items"], list);
    assert_eq!(list["data"][0]["amount_total"], 2_500);
    assert_eq!(list["data"][0]["description"], "Parking fine");
}

#[test]
fn an_open_session_can_be_expired_once() {
    let mut desk = Desk::new();
    let id = desk.session();
    let path = format!("{SESSIONS}/{id}/expire");
    let (status, session) = desk.post(&path, "");
    assert_eq!((status, &session["status"]), (200, &"expired".into()));
    assert_eq!(desk.kinds(), ["checkout.session.expired"]);
    let (status, error) = desk.post(&path, "");
    assert_eq!(status, 400);
    assert!(error["error"]["message"].as_str().unwrap().contains("status of `expired`"));
}

#[test]
fn the_payment_intent_of_a_session_is_not_canceled_by_the_server() {
    let mut desk = Desk::new();
    let id = desk.session();
    desk.pay(&id, "4000000000000002");
    let intent = desk.core.intents().next().unwrap().id.clone();
    let (status, error) = desk.post(&format!("/v1/payment_intents/{intent}/cancel"), "");
    assert_eq!(status, 400);
    assert_eq!(error["error"]["code"], "payment_intent_unexpected_state");
}

#[test]
fn never_more_is_refunded_than_was_paid() {
    let mut desk = Desk::new();
    let id = desk.session();
    desk.pay(&id, "4242424242424242");
    let charge = desk.core.charges().next().unwrap().clone();
    let refund = |desk: &mut Desk, amount: &str| {
        desk.post("/v1/refunds", &format!("payment_intent={}{amount}", charge.intent))
    };
    let (status, part) = refund(&mut desk, "&amount=1000&reason=requested_by_customer");
    assert_eq!(
        (status, &part["status"], &part["amount"]),
        (200, &"succeeded".into(), &1_000.into())
    );
    let (status, error) = refund(&mut desk, "&amount=1501");
    assert_eq!((status, &error["error"]["param"]), (400, &"amount".into()));
    assert_eq!(refund(&mut desk, "").1["amount"], 1_500);
    let (_, error) = refund(&mut desk, "");
    assert_eq!(error["error"]["code"], "charge_already_refunded");
    let (_, value) = desk.get(&format!("/v1/charges/{}", charge.id), "");
    assert_eq!((&value["refunded"], &value["amount_refunded"]), (&true.into(), &2_500.into()));
    let (_, list) = desk.get("/v1/refunds", &format!("charge={}", charge.id));
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    let kinds = desk.kinds();
    assert_eq!(kinds[kinds.len() - 2..], ["refund.created", "charge.refunded"]);
}
