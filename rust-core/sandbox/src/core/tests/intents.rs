//! PaymentIntents confirmed by the server, with every test card's name.

use super::*;

const PATH: &str = "/v1/payment_intents";

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

/// The decline table of Stripe's test mode, by call.
#[test]
fn each_declining_card_refuses_the_call_and_leaves_the_payment_intent_open() {
    for (card, code, decline_code, param, advice) in [
        ("visa_chargeDeclined", "card_declined", Some("generic_decline"), None, "try_again_later"),
        (
            "visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            Some("insufficient_funds"),
            None,
            "try_again_later",
        ),
        (
            "visa_chargeDeclinedLostCard",
            "card_declined",
            Some("lost_card"),
            None,
            "do_not_try_again",
        ),
        (
            "visa_chargeDeclinedStolenCard",
            "card_declined",
            Some("stolen_card"),
            None,
            "do_not_try_again",
        ),
        ("chargeDeclinedExpiredCard", "expired_card", None, Some("exp_month"), "confirm_card_data"),
        ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None, Some("cvc"), "confirm_card_data"),
        ("chargeDeclinedProcessingError", "processing_error", None, None, "try_again_later"),
    ] {
        let mut desk = Desk::new();
        let (status, refused) = desk.intent(card, "");
        let error = &refused["error"];
        assert_eq!(
            (status, &error["type"], &error["code"]),
            (402, &"card_error".into(), &code.into())
        );
        assert_eq!(error["decline_code"].as_str(), decline_code, "{card}");
        assert_eq!(error["param"].as_str(), param, "{card}");
        assert_eq!(error["advice_code"], advice, "{card}");
        assert!(error["doc_url"].as_str().unwrap().contains("error-codes/"), "{card}");
        let intent = &error["payment_intent"];
        assert_eq!(intent["status"], "requires_payment_method", "{card}");
        assert_eq!(intent["last_payment_error"]["code"], code, "{card}");
        assert_eq!(error["charge"], intent["latest_charge"], "{card}");
        let confirm = format!("{PATH}/{}/confirm", id(intent));
        let (status, paid) = desk.post(&confirm, "payment_method=pm_card_visa");
        assert_eq!((status, &paid["status"]), (200, &"succeeded".into()), "{card}");
        let statuses: Vec<bool> = desk.core.charges().map(|charge| charge.captured).collect();
        assert_eq!(statuses, [false, true], "{card}");
    }
}

#[test]
fn a_payment_intent_goes_its_way_step_by_step() {
    let mut desk = Desk::new();
    let (_, intent) = desk.post(PATH, "amount=1000&currency=usd&payment_method_types[]=card");
    assert_eq!(intent["status"], "requires_payment_method");
    let path = format!("{PATH}/{}", id(&intent));
    let (status, error) = desk.post(&format!("{path}/confirm"), "");
    assert_eq!((status, &error["error"]["code"]), (400, &"payment_intent_unexpected_state".into()));
    assert!(error["error"]["message"].as_str().unwrap().contains("missing a payment method"));
    let (_, intent) =
        desk.post(&path, "amount=1200&payment_method=pm_card_visa&metadata[a]=b&description=Tea");
    assert_eq!(
        (&intent["status"], &intent["amount"]),
        (&"requires_confirmation".into(), &1_200.into())
    );
    let (_, intent) = desk.post(&path, "metadata[a]=&metadata[c]=d&description=");
    assert_eq!(
        (&intent["metadata"], &intent["description"]),
        (&serde_json::json!({"c": "d"}), &Value::Null)
    );
    let (_, paid) = desk.post(&format!("{path}/confirm"), "");
    assert_eq!((&paid["status"], &paid["amount_received"]), (&"succeeded".into(), &1_200.into()));
    assert_eq!(paid["payment_method"], intent["payment_method"]);
    for (call, verb) in [("/confirm", "confirm"), ("/cancel", "cancel"), ("/capture", "capture")] {
        let (status, error) = desk.post(&format!("{path}{call}"), "");
        assert_eq!(
            (status, &error["error"]["code"]),
            (400, &"payment_intent_unexpected_state".into())
        );
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("You cannot {verb} this PaymentIntent")), "{message}");
        assert_eq!(error["error"]["payment_intent"]["status"], "succeeded");
    }
    let (status, _) = desk.post(&path, "amount=5");
    assert_eq!(status, 400);
    assert_eq!(desk.post(&path, "metadata[late]=yes").0, 200, "notes can always be made");
}

#[test]
fn a_way_back_is_asked_for_where_cards_are_not_the_only_choice() {
    let mut desk = Desk::new();
    let with = |more: &str| {
        format!("amount=1000&currency=usd&confirm=true&payment_method=pm_card_visa{more}")
    };
    let (status, error) = desk.post(PATH, &with(""));
    assert_eq!(status, 400);
    assert!(error["error"]["message"].as_str().unwrap().contains("`return_url`"));
    let never =
        "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";
    for more in ["&return_url=https%3A%2F%2Fpay.example", "&payment_method_types[]=card", never] {
        assert_eq!(desk.post(PATH, &with(more)).1["status"], "succeeded", "{more}");
    }
}

#[test]
fn money_can_be_reserved_and_taken_or_let_go() {
    let mut desk = Desk::new();
    let (_, held) = desk.intent("visa", "&capture_method=manual");
    assert_eq!(
        (&held["status"], &held["amount_capturable"]),
        (&"requires_capture".into(), &1_000.into())
    );
    let path = format!("{PATH}/{}", id(&held));
    let charge = format!("/v1/charges/{}", held["latest_charge"].as_str().unwrap());
    let (_, before) = desk.get(&charge, "");
    assert_eq!(
        (&before["captured"], &before["balance_transaction"]),
        (&false.into(), &Value::Null)
    );
    assert_eq!(desk.post("/v1/refunds", &format!("payment_intent={}", id(&held))).0, 400);
    let (status, error) = desk.post(&format!("{path}/capture"), "amount_to_capture=1001");
    assert_eq!((status, &error["error"]["param"]), (400, &"amount_to_capture".into()));
    let (_, taken) = desk.post(&format!("{path}/capture"), "amount_to_capture=700");
    assert_eq!((&taken["status"], &taken["amount_received"]), (&"succeeded".into(), &700.into()));
    let (_, after) = desk.get(&charge, "expand[]=balance_transaction");
    assert_eq!((&after["captured"], &after["amount_captured"]), (&true.into(), &700.into()));
    assert_eq!(after["balance_transaction"]["amount"], 700);

    let (_, held) = desk.intent("visa", "&capture_method=manual");
    let (_, gone) = desk.post(&format!("{PATH}/{}/cancel", id(&held)), "");
    assert_eq!(gone["status"], "canceled");
    let (_, charge) =
        desk.get(&format!("/v1/charges/{}", gone["latest_charge"].as_str().unwrap()), "");
    assert_eq!((&charge["refunded"], &charge["amount_refunded"]), (&true.into(), &1_000.into()));

    let (_, held) = desk.intent("visa", "&capture_method=manual");
    desk.pass_ms(7 * 24 * 3_600_000);
    let (_, lapsed) = desk.get(&format!("{PATH}/{}", id(&held)), "");
    assert_eq!(
        (&lapsed["status"], &lapsed["cancellation_reason"]),
        (&"canceled".into(), &"automatic".into())
    );
}

#[test]
fn the_bank_asks_and_its_answer_decides() {
    for (card, answer, status) in [
        ("threeDSecure2Required", ChallengeAnswer::Complete, "succeeded"),
        ("authenticationRequired", ChallengeAnswer::Fail, "requires_payment_method"),
        (
            "authenticationRequiredChargeDeclinedInsufficientFunds",
            ChallengeAnswer::Complete,
            "requires_payment_method",
        ),
    ] {
        let mut desk = Desk::new();
        let (_, waiting) =
            desk.intent(card, "&return_url=https%3A%2F%2Fpay.example%2Fback%3Fa%3D1");
        assert_eq!(waiting["status"], "requires_action", "{card}");
        assert_eq!(waiting["next_action"]["type"], "redirect_to_url");
        let answered = desk.core.answer_authentication(id(&waiting), answer, desk.now_ms);
        let Answered::Noted { return_url: Some(url) } = answered else { panic!("{answered:?}") };
        assert!(url.starts_with("https://pay.example/back?a=1&payment_intent=pi_"), "{url}");
        let (_, after) = desk.get(&format!("{PATH}/{}", id(&waiting)), "");
        assert_eq!(
            (&after["status"], &after["next_action"]),
            (&status.into(), &Value::Null),
            "{card}"
        );
        let again = desk.core.answer_authentication(id(&waiting), answer, desk.now_ms);
        assert_eq!(again, Answered::NotAsked);
    }
    let mut desk = Desk::new();
    let (status, refused) = desk.intent("authenticationRequired", "&off_session=true");
    assert_eq!((status, &refused["error"]["code"]), (402, &"authentication_required".into()));
    let (_, sdk) = desk.intent("authenticationRequired", "");
    assert_eq!(sdk["next_action"]["type"], "use_stripe_sdk");
}

#[test]
fn a_server_that_sends_a_card_number_is_told_off() {
    let mut desk = Desk::new();
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=34";
    let (status, refused) = desk.post("/v1/payment_methods", card);
    assert_eq!(status, 402);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Sending credit card numbers directly to the Stripe API"));
    assert!(!refused.to_string().contains("4242424242424242"));
}

#[test]
fn a_payment_method_belongs_to_one_customer_at_a_time() {
    let mut desk = Desk::new();
    let (_, customer) = desk.post("/v1/customers", "name=Ada");
    let (_, other) = desk.post("/v1/customers", "name=Bo");
    let (_, method) = desk.post("/v1/payment_methods", "type=card&card[token]=tok_mastercard");
    assert_eq!((&method["card"]["last4"], &method["customer"]), (&"4444".into(), &Value::Null));
    let path = format!("/v1/payment_methods/{}", id(&method));
    let attach = |desk: &mut Desk, customer: &Value| {
        desk.post(&format!("{path}/attach"), &format!("customer={}", id(customer)))
    };
    assert_eq!(attach(&mut desk, &customer).1["customer"], customer["id"]);
    assert_eq!(attach(&mut desk, &other).0, 400);
    let body = format!("amount=1000&currency=usd&payment_method={}", id(&method));
    assert_eq!(desk.post(PATH, &body).0, 400, "the customer must be named");
    assert_eq!(desk.post(PATH, &format!("{body}&customer={}", id(&customer))).0, 200);
    let query = format!("customer={}", id(&customer));
    assert_eq!(desk.get("/v1/payment_methods", &query).1["data"][0]["id"], method["id"]);
    assert_eq!(desk.post(&format!("{path}/detach"), "").1["customer"], Value::Null);
    assert_eq!(desk.post(&format!("{path}/detach"), "").0, 400);
    assert_eq!(desk.get("/v1/payment_methods", &query).1["data"].as_array().unwrap().len(), 0);
    assert_eq!(desk.get(PATH, &query).1["data"].as_array().unwrap().len(), 1);
}

#[test]
fn amounts_have_the_least_and_the_most_of_their_currency() {
    let mut desk = Desk::new();
    for (body, code) in [
        ("amount=49&currency=usd", "amount_too_small"),
        ("amount=29&currency=gbp", "amount_too_small"),
        ("amount=49&currency=jpy", "amount_too_small"),
        ("amount=100000000&currency=usd", "amount_too_large"),
        ("amount=0&currency=usd", "parameter_invalid_integer"),
        ("amount=10.5&currency=usd", "parameter_invalid_integer"),
        ("amount=1005&currency=kwd", ""),
        ("amount=150&currency=isk", ""),
        ("amount=100&currency=zzz", ""),
    ] {
        let (status, refused) = desk.post(PATH, body);
        assert_eq!(status, 400, "{body}");
        assert_eq!(
            refused["error"]["code"].as_str().unwrap_or_default(),
            code,
            "{body}: {refused}"
        );
    }
    for body in ["amount=50&currency=jpy", "amount=50&currency=usd", "amount=1000&currency=kwd"] {
        assert_eq!(desk.post(PATH, body).0, 200, "{body}");
    }
}
