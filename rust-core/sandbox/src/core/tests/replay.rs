use super::*;

/// A day at the desk: every kind of input, and reading in between.
fn busy_desk() -> Desk {
    let mut desk = Desk::with(|config| config.recorded = true);
    desk.core.set_targets(&[target("http://127.0.0.1:1/hook")], START_MS);
    let id = desk.session();
    desk.pay(&id, "4000000000009995");
    desk.get("/v1/events", "");
    desk.pay(&id, "4242424242424241");
    desk.pay(&id, "4000002760003184");
    desk.core.answer_challenge(&id, ChallengeAnswer::Complete, desk.now_ms);
    let intent = desk.core.intents().next().unwrap().id.clone();
    desk.post("/v1/refunds", &format!("payment_intent={intent}&amount=100"));
    desk.post("/v1/refunds", "amount=100&colour=red");
    for delivery in desk.core.due_deliveries(desk.now_ms) {
        let result = SendResult::Answered { status: 200, body: String::new() };
        desk.core.delivery_result(delivery.id, result, desk.now_ms);
    }
    desk.session();
    desk.pass_ms(25 * 3_600_000);
    desk.get("/v1/account", "");
    desk.core.set_targets(&[target("http://127.0.0.1:2/hook")], desk.now_ms);
    desk.session();
    desk
}

/// Everything that a client can see.
fn view(desk: &mut Desk) -> Vec<Value> {
    let lists = [
        "checkout/sessions",
        "payment_intents",
        "charges",
        "refunds",
        "events",
        "webhook_endpoints",
    ];
    lists.map(|list| desk.get(&format!("/v1/{list}"), "limit=100").1).into()
}

fn written(inputs: Vec<Input>) -> Vec<Input> {
    let text: Vec<String> = inputs.iter().map(|i| serde_json::to_string(i).unwrap()).collect();
    text.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn replayed_inputs_give_the_same_state() {
    let mut before = busy_desk();
    let inputs = written(before.core.take_inputs());
    let mut after = Desk::with(|config| config.recorded = true);
    after.core.replay(inputs).unwrap();
    after.now_ms = before.now_ms;
    assert_eq!(view(&mut after), view(&mut before));
    let states = |desk: &Desk| -> Vec<(DeliveryState, usize)> {
        desk.core.deliveries().iter().map(|d| (d.state, d.attempts.len())).collect()
    };
    assert_eq!(states(&after), states(&before));
    assert!(after.core.take_inputs().is_empty(), "what was replayed is kept already");
    assert_eq!(before.session(), after.session());
    let last_key = format!("k{}", before.keys_used - 1);
    let repeated = after.post_under(&last_key, "/v1/checkout/sessions", SESSION);
    assert_eq!(repeated.header("Idempotent-Replayed"), Some("true"), "keys are kept as well");
}

#[test]
fn inputs_of_another_seed_or_version_are_found_out() {
    let inputs = busy_desk().core.take_inputs();
    let mut other = Core::new(Config::new(8, "http://127.0.0.1:4010"), START_MS);
    assert_eq!(other.replay(inputs), Err(ReplayError::OtherVersion));
}

#[test]
fn neither_a_rejected_card_number_nor_an_api_key_is_ever_noted() {
    let mut desk = Desk::with(|config| config.recorded = true);
    let id = desk.session();
    desk.pay(&id, "4111111111111111");
    let inputs = desk.core.take_inputs();
    assert_eq!(inputs.len(), 1, "the session, and nothing of the card");
    assert!(!serde_json::to_string(&inputs).unwrap().contains(KEY));
}
