//! Objects against the API description of the pinned version: every required field is there, and
//! what is there is of the right kind. `schemas.json` is that description, cut down to the fields
//! that the sandbox writes; a field that is an ID or an object counts as an ID.

use super::*;

fn schemas() -> Value {
    serde_json::from_str(include_str!("schemas.json")).unwrap()
}

/// What is wrong with a value, with the place of each fault.
fn faults(schemas: &Value, shape: &Value, value: &Value, place: &str) -> Vec<String> {
    let named = shape["ref"].as_str();
    if let Some(name) = named {
        if value.is_null() && shape["nullable"] == true {
            return Vec::new();
        }
        // Schemas of features that the sandbox does not play are cut away.
        if schemas[name].is_null() {
            return Vec::new();
        }
        return object_faults(schemas, &schemas[name], value, &format!("{place}<{name}>"));
    }
    if value.is_null() {
        let allowed = shape["nullable"] == true || shape["type"].is_null();
        return if allowed { Vec::new() } else { vec![format!("{place} is null")] };
    }
    if let Some(words) = shape["enum"].as_array().filter(|words| !words.contains(value)) {
        return vec![format!("{place} is {value}, not one of {words:?}")];
    }
    let fits = match shape["type"].as_str() {
        // An expandable field counts as an ID, and may be the object.
        Some("string") => value.is_string() || value.is_object(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        return vec![format!("{place} is {value}")];
    }
    match value {
        Value::Array(entries) => {
            let each =
                |(at, entry)| faults(schemas, &shape["items"], entry, &format!("{place}[{at}]"));
            entries.iter().enumerate().flat_map(each).collect()
        }
        Value::Object(_) if shape["properties"].is_object() => {
            object_faults(schemas, shape, value, place)
        }
        _ => Vec::new(),
    }
}

fn object_faults(schemas: &Value, shape: &Value, value: &Value, place: &str) -> Vec<String> {
    if !value.is_object() {
        return vec![format!("{place} is no object")];
    }
    let required = shape["required"].as_array().unwrap().iter().filter_map(Value::as_str);
    let missing = required.filter(|field| value.get(field).is_none());
    let mut found: Vec<String> =
        missing.map(|field| format!("{place}.{field} is missing")).collect();
    for (field, shape) in shape["properties"].as_object().unwrap() {
        if let Some(value) = value.get(field) {
            found.extend(faults(schemas, shape, value, &format!("{place}.{field}")));
        }
    }
    found
}

#[track_caller]
fn check(schema: &str, value: &Value) {
    let schemas = schemas();
    let found = object_faults(&schemas, &schemas[schema], value, schema);
    assert!(found.is_empty(), "{found:#?}\n{value:#}");
}

/// Everything that a list answers with is of its kind.
fn check_list(desk: &mut Desk, schema: &str, path: &str) {
    let (status, list) = desk.get(path, "limit=100");
    assert_eq!(status, 200, "{list}");
    let entries = list["data"].as_array().unwrap();
    assert!(!entries.is_empty(), "{path} has nothing to check");
    assert!(list["has_more"].is_boolean() && list["url"].is_string());
    entries.iter().for_each(|entry| check(schema, entry));
}

/// A day on which everything happens.
fn eventful() -> Desk {
    let mut desk = Desk::with_endpoint();
    let id = desk.session();
    desk.pay(&id, "4000000000000002");
    desk.pay(&id, "4000002760003184");
    desk.core.answer_challenge(&id, ChallengeAnswer::Complete, desk.now_ms);
    let lost = desk.session();
    desk.post(&format!("/v1/checkout/sessions/{lost}/expire"), "");
    for card in [
        "visa",
        "refundFail",
        "pendingRefund",
        "createDispute",
        "createDisputeInquiry",
        "chargeDeclined",
        "threeDSecure2Required",
    ] {
        let (_, intent) = desk.intent(card, "");
        if intent["status"] == "succeeded" && !card.contains("Dispute") {
            let id = intent["id"].as_str().unwrap();
            let body = format!("payment_intent={id}&amount=100");
            desk.post("/v1/refunds", &body);
            desk.post("/v1/refunds", &format!("{body}&instructions_email=sam%40example.com"));
        }
    }
    let (_, held) = desk.intent("visa", "&capture_method=manual");
    desk.post(&format!("/v1/payment_intents/{}/cancel", held["id"].as_str().unwrap()), "");
    let (_, customer) = desk.post("/v1/customers", "email=a%40b.example&name=Ada&metadata[a]=b");
    let attach = format!("customer={}", customer["id"].as_str().unwrap());
    desk.post("/v1/payment_methods/pm_card_visa/attach", &attach);
    let (_, leaving) = desk.post("/v1/customers", "name=Bo");
    let path = format!("/v1/customers/{}", leaving["id"].as_str().unwrap());
    let delete = ApiRequest { method: "DELETE".into(), ..ApiRequest::get(&path, "", KEY) };
    assert_eq!(desk.core.handle(&delete, desk.now_ms).status, 200);
    desk.post("/v1/prices", "currency=usd&unit_amount=500&product_data[name]=Tea");
    desk.pass_ms(10_000);
    desk
}

#[test]
fn every_object_is_as_the_description_says() {
    let mut desk = eventful();
    for (schema, path) in [
        ("checkout.session", "/v1/checkout/sessions"),
        ("payment_intent", "/v1/payment_intents"),
        ("charge", "/v1/charges"),
        ("refund", "/v1/refunds"),
        ("dispute", "/v1/disputes"),
        ("event", "/v1/events"),
        ("webhook_endpoint", "/v1/webhook_endpoints"),
        ("balance_transaction", "/v1/balance_transactions"),
        ("customer", "/v1/customers"),
        ("product", "/v1/products"),
        ("price", "/v1/prices"),
    ] {
        check_list(&mut desk, schema, path);
    }
    check("account", &desk.get("/v1/account", "").1);
    check("balance", &desk.get("/v1/balance", "").1);
    check("payment_method", &desk.get("/v1/payment_methods/pm_card_visa", "").1);
}

/// What an event carries is the object that its type names.
#[test]
fn what_an_event_carries_is_whole_as_well() {
    let mut desk = eventful();
    let (_, events) = desk.get("/v1/events", "limit=100");
    for event in events["data"].as_array().unwrap() {
        let object = &event["data"]["object"];
        check(object["object"].as_str().unwrap(), object);
    }
}

#[test]
fn what_is_expanded_is_whole_as_well() {
    let mut desk = eventful();
    let expand = "expand[]=data.payment_intent.latest_charge.balance_transaction&expand[]=data.line_items\
                  &expand[]=data.payment_intent.payment_method&limit=100";
    let (status, sessions) = desk.get("/v1/checkout/sessions", expand);
    assert_eq!(status, 200, "{sessions}");
    let paid = &sessions["data"][1];
    check("payment_intent", &paid["payment_intent"]);
    check("payment_method", &paid["payment_intent"]["payment_method"]);
    let charge = &paid["payment_intent"]["latest_charge"];
    check("charge", charge);
    check("balance_transaction", &charge["balance_transaction"]);
    check("item", &paid["line_items"]["data"][0]);
    check("price", &paid["line_items"]["data"][0]["price"]);
    let id = paid["id"].as_str().unwrap();
    let path = format!("/v1/checkout/sessions/{id}/line_items");
    let (_, lines) = desk.get(&path, "expand[]=data.price.product");
    check("product", &lines["data"][0]["price"]["product"]);
    assert_eq!(lines["data"][0]["price"]["product"]["name"], "Parking fine");
}

#[test]
fn refusals_are_as_the_description_says() {
    let mut desk = Desk::new();
    check("api_errors", &desk.get("/v1/charges/ch_none", "").1["error"]);
    let (status, refused) = desk.intent("chargeDeclined", "");
    assert_eq!(status, 402);
    check("api_errors", &refused["error"]);
    check("payment_intent", &refused["error"]["payment_intent"]);
    check("payment_method", &refused["error"]["payment_method"]);
}
