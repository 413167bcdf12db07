use holdfast_stripe::objects::EventType;
use holdfast_stripe::webhook::{TOLERANCE_S, verify};

use super::*;

fn endpoint(desk: &Desk) -> Id {
    desk.core.webhook_endpoints().next().unwrap().id.clone()
}

fn secrets_of(desk: &mut Desk) -> Vec<WebhookSecret> {
    let now_s = desk.now_ms / 1_000;
    desk.core.webhook_endpoints().next().unwrap().signing_secrets(now_s)
}

#[test]
fn during_a_roll_both_secrets_sign_and_afterwards_the_new_one_alone() {
    let mut desk = Desk::with_endpoint();
    let id = endpoint(&desk);
    assert!(desk.core.roll_secret(&id, 3_600, START_MS));
    let [new, old] = secrets_of(&mut desk).try_into().unwrap();
    assert_eq!(old.expose(), SECRET);
    for (after_ms, count) in [(0, 2), (3_600_000, 1)] {
        desk.now_ms = START_MS + after_ms;
        desk.post("/v1/payment_intents", "amount=1000&currency=usd");
        let due = desk.core.due_deliveries(desk.now_ms).pop().unwrap();
        assert_eq!(due.signature.matches(",v1=").count(), count);
        let now_s = desk.now_ms / 1_000;
        let good = |secret: &WebhookSecret| {
            let secrets = std::slice::from_ref(secret);
            verify(&due.body, Some(&due.signature), secrets, now_s, TOLERANCE_S).is_ok()
        };
        assert_eq!((good(&new), good(&old)), (true, count == 2));
    }
    assert!(!desk.core.roll_secret("we_none", 0, START_MS));
}

#[test]
fn a_delivery_can_be_sent_again_with_the_same_event() {
    let mut desk = Desk::with_endpoint();
    desk.post("/v1/payment_intents", "amount=1000&currency=usd");
    let first = desk.core.due_deliveries(START_MS).pop().unwrap();
    assert!(!desk.core.resend(first.id, START_MS), "it is on its way");
    desk.core.delivery_result(
        first.id,
        SendResult::Answered { status: 200, body: String::new() },
        START_MS,
    );
    assert!(desk.core.resend(first.id, START_MS));
    let again = desk.core.due_deliveries(START_MS).pop().unwrap();
    assert_eq!((again.event, again.endpoint), (first.event, first.endpoint));
}

#[test]
fn whoever_listens_hears_what_was_asked_for_until_they_stop() {
    let mut desk = Desk::new();
    let (id, _) = desk.core.listen(&[EventType::IntentSucceeded], START_MS).unwrap();
    desk.intent("visa", "");
    let due = desk.core.due_deliveries(START_MS);
    assert_eq!(
        due.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>(),
        ["payment_intent.succeeded"]
    );
    assert_eq!((&due[0].url[..], &due[0].endpoint), (LISTENER_URL, &id));
    desk.core.stop_listening(&id, START_MS);
    desk.intent("visa", "");
    assert!(desk.core.due_deliveries(START_MS).is_empty());
}

#[test]
fn each_trigger_makes_its_event_happen() {
    for kind in TRIGGERS {
        let mut desk = Desk::new();
        let made = desk.core.trigger(kind, START_MS).unwrap();
        assert_eq!(made.len(), desk.core.events().count(), "{kind}");
        assert!(desk.kinds().iter().any(|it| it == kind), "{kind}: {:?}", desk.kinds());
        let events = desk.get("/v1/events", &format!("type={kind}")).1;
        assert_eq!(events["data"].as_array().unwrap().len(), 1, "{kind}");
    }
    assert_eq!(Desk::new().core.trigger("moon.full", START_MS), Err(UnknownTrigger));
}

#[test]
fn what_was_done_from_outside_survives_a_restart() {
    let mut before = Desk::with(|config| config.recorded = true);
    before.core.set_targets(&[target("http://127.0.0.1:1/hook")], START_MS);
    let id = endpoint(&before);
    before.core.roll_secret(&id, 60, START_MS);
    before.core.listen(&[], START_MS).unwrap();
    for kind in TRIGGERS {
        before.core.trigger(kind, START_MS).unwrap();
    }
    let due = before.core.due_deliveries(START_MS);
    before.core.delivery_result(
        due[0].id,
        SendResult::Answered { status: 200, body: String::new() },
        START_MS,
    );
    before.core.resend(due[0].id, START_MS);
    let mut after = Desk::with(|config| config.recorded = true);
    after.core.replay(before.core.take_inputs()).unwrap();
    assert_eq!(after.kinds(), before.kinds());
    assert_eq!(secrets_of(&mut after), secrets_of(&mut before));
    assert_eq!(after.core.deliveries().len(), before.core.deliveries().len());
}
