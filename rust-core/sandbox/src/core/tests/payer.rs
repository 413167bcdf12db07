use holdfast_stripe::objects::{CheckoutSession, IntentStatus, PaymentIntent, SessionStatus};

use super::*;

const EXPAND: &str = "expand[]=payment_intent&expand[]=payment_intent.latest_charge";

#[test]
fn a_payer_pays_and_the_session_tells_all_of_it() {
    let mut desk = Desk::new();
    let id = desk.session();
    let page = desk.core.hosted_page(&id, desk.now_ms).unwrap();
    assert_eq!((page.total.as_str(), page.lines[0].amount.as_str()), ("USD 25.00", "USD 25.00"));
    assert!(desk.core.intents().next().is_none(), "made at confirmation, not before");

    let outcome = desk.pay(&id, "4242 4242 4242 4242");
    let redirect = format!("https://pay.example/return?s={id}");
    assert_eq!(outcome, PayOutcome::Paid { redirect: redirect.clone() });

    let (_, value) = desk.get(&format!("/v1/checkout/sessions/{id}"), EXPAND);
    let session: CheckoutSession = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(session.status, Some(SessionStatus::Complete));
    assert_eq!(session.payment_status.as_str(), "paid");
    assert_eq!((session.url, session.amount_total), (None, Some(2_500)));
    let intent = session.payment_intent.as_ref().unwrap().object().unwrap();
    assert_eq!((intent.status.clone(), intent.amount_received), (IntentStatus::Succeeded, 2_500));
    assert_eq!(intent.metadata["payment"], "p-1");
    let charge = intent.latest_charge.as_ref().unwrap().object().unwrap();
    let card = charge.card().unwrap();
    assert_eq!((card.brand.as_deref(), card.last4.as_deref()), (Some("visa"), Some("4242")));
    assert!(charge.balance_transaction.is_some() && charge.receipt_url.is_some());
    assert!(desk.core.receipt(&charge.id).unwrap().amount == "USD 25.00");
    assert_eq!(
        desk.kinds(),
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
    assert_eq!(desk.pay(&id, "4242424242424242"), PayOutcome::AlreadyPaid { redirect });
    assert_eq!(desk.core.charges().count(), 1, "a second press charges nothing");
}

#[test]
fn a_declined_card_leaves_the_session_open_for_another() {
    let mut desk = Desk::new();
    let id = desk.session();
    let message = "Your card has insufficient funds.";
    assert_eq!(desk.pay(&id, "4000000000009995"), PayOutcome::Declined { message });

    let (_, value) = desk.get(&format!("/v1/checkout/sessions/{id}"), EXPAND);
    assert_eq!((&value["status"], &value["payment_status"]), (&"open".into(), &"unpaid".into()));
    let intent: PaymentIntent = serde_json::from_value(value["payment_intent"].clone()).unwrap();
    assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
    let error = intent.last_payment_error.unwrap();
    assert_eq!(error.decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!(error.charge.as_deref(), intent.latest_charge.as_ref().map(|c| c.id()));
    assert_eq!(value["payment_intent"]["last_payment_error"]["advice_code"], "try_again_later");

    assert!(matches!(desk.pay(&id, "4242424242424242"), PayOutcome::Paid { .. }));
    assert_eq!(desk.core.intents().count(), 1, "the same PaymentIntent takes the other card");
    let (_, charges) = desk.get("/v1/charges", &format!("payment_intent={}", intent.id));
    let statuses: Vec<&str> =
        charges["data"].as_array().unwrap().iter().filter_map(|c| c["status"].as_str()).collect();
    assert_eq!(statuses, ["succeeded", "failed"]);
    assert_eq!(
        desk.kinds()[..3],
        ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    );
}

#[test]
fn a_bank_that_asks_is_answered_yes_or_no() {
    let mut desk = Desk::new();
    let id = desk.session();
    assert_eq!(desk.pay(&id, "4000002760003184"), PayOutcome::Challenge);
    assert!(desk.core.hosted_page(&id, desk.now_ms).unwrap().challenged);
    let intent = desk.core.intents().next().unwrap().clone();
    let (_, value) = desk.get(&format!("/v1/payment_intents/{}", intent.id), "");
    assert_eq!(value["status"], "requires_action");
    assert!(value["next_action"].is_object());

    let no = desk.core.answer_challenge(&id, ChallengeAnswer::Fail, desk.now_ms);
    assert_eq!(no, PayOutcome::NotAuthenticated);
    let (_, value) = desk.get(&format!("/v1/payment_intents/{}", intent.id), "");
    assert_eq!(value["last_payment_error"]["code"], "payment_intent_authentication_failure");
    assert_eq!(desk.core.charges().count(), 0);

    assert_eq!(desk.pay(&id, "4000000000003220"), PayOutcome::Challenge);
    let yes = desk.core.answer_challenge(&id, ChallengeAnswer::Complete, desk.now_ms);
    assert!(matches!(yes, PayOutcome::Paid { .. }));
    let again = desk.core.answer_challenge(&id, ChallengeAnswer::Complete, desk.now_ms);
    assert!(matches!(again, PayOutcome::AlreadyPaid { .. }));
    assert_eq!(desk.core.charges().count(), 1);
}

#[test]
fn a_typing_mistake_reaches_no_bank() {
    let mut desk = Desk::new();
    let id = desk.session();
    assert_eq!(desk.pay(&id, "4242424242424241"), PayOutcome::Invalid(CardFault::Number));
    assert_eq!(desk.pay(&id, "4111111111111111"), PayOutcome::Invalid(CardFault::NotATestCard));
    assert_eq!((desk.core.intents().count(), desk.core.events().count()), (0, 0));
}

#[test]
fn a_session_expires_by_itself_and_takes_its_payment_intent_along() {
    let mut desk = Desk::new();
    let id = desk.session();
    desk.pay(&id, "4000000000000002");
    assert_eq!(desk.core.next_wake_ms(), Some(START_MS + 24 * 3_600_000));
    desk.pass_ms(24 * 3_600_000 - 1);
    assert!(desk.core.hosted_page(&id, desk.now_ms).unwrap().status == SessionStatus::Open);
    desk.pass_ms(1);
    assert_eq!(desk.pay(&id, "4242424242424242"), PayOutcome::Expired);
    let (_, value) = desk.get(&format!("/v1/checkout/sessions/{id}"), "expand[]=payment_intent");
    assert_eq!((&value["status"], &value["url"]), (&"expired".into(), &Value::Null));
    assert_eq!(value["payment_intent"]["status"], "canceled");
    let kinds = desk.kinds();
    assert_eq!(kinds[kinds.len() - 2..], ["payment_intent.canceled", "checkout.session.expired"]);
    assert_eq!(desk.pay("cs_test_none", "4242424242424242"), PayOutcome::Missing);
}

#[test]
fn an_event_keeps_its_object_as_it_was() {
    let mut desk = Desk::new();
    let id = desk.session();
    desk.pay(&id, "4000000000000002");
    desk.pay(&id, "4242424242424242");
    let (_, events) = desk.get("/v1/events", "type=payment_intent.*&limit=100");
    let statuses: Vec<&str> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["data"]["object"]["status"].as_str())
        .collect();
    assert_eq!(statuses, ["succeeded", "requires_payment_method", "requires_payment_method"]);
}
