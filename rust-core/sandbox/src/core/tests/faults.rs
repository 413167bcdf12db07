use std::collections::BTreeSet;

use super::*;

const PATH: &str = "/v1/payment_intents";
const INTENT: &str = "amount=1000&currency=usd";

fn desk(rule: &str) -> Desk {
    let mut desk = Desk::with_endpoint();
    desk.core.set_faults(vec![rule.parse().unwrap()], START_MS);
    desk
}

fn made(desk: &Desk) -> usize {
    desk.core.intents().count()
}

/// Each rule once: status, how the answer arrives, whether the effect is there, whether the same
/// request then gets the stored answer.
#[test]
fn each_fault_does_what_its_row_says() {
    for (rule, status, arrival, effect, again) in [
        ("409 x1", 409, Arrival::Whole, false, (200, None)),
        ("429 x1", 429, Arrival::Whole, false, (200, None)),
        ("500 x1", 500, Arrival::Whole, false, (200, None)),
        ("503 x1", 503, Arrival::Whole, false, (200, None)),
        ("500-stored x1", 500, Arrival::Whole, false, (500, Some("true"))),
        ("500-after x1", 500, Arrival::Whole, true, (500, Some("true"))),
        ("drop x1", 500, Arrival::Dropped, false, (200, None)),
        ("drop-after x1", 200, Arrival::Dropped, true, (200, Some("true"))),
        ("truncate x1", 500, Arrival::Truncated, false, (200, None)),
        ("truncate-after x1", 200, Arrival::Truncated, true, (200, Some("true"))),
        ("duplicate x1", 200, Arrival::Whole, true, (200, Some("true"))),
        ("delay-after=900 x1", 200, Arrival::Whole, true, (200, Some("true"))),
    ] {
        let mut desk = desk(rule);
        let first = desk.post_under("k", PATH, INTENT);
        assert_eq!((first.status, first.arrival), (status, arrival), "{rule}");
        assert_eq!(made(&desk), usize::from(effect), "{rule}");
        let second = desk.post_under("k", PATH, INTENT);
        assert_eq!((second.status, second.header("Idempotent-Replayed")), again, "{rule}");
        assert_eq!(second.arrival, Arrival::Whole, "{rule}");
    }
}

#[test]
fn a_late_answer_says_when_it_is_due() {
    let late = desk("delay-after=900").post_under("k", PATH, INTENT);
    assert_eq!(late.ready_at_ms, START_MS + 900);
}

#[test]
fn a_replayed_server_error_stays_until_its_key_is_forgotten() {
    let mut desk = desk("500-after x1");
    desk.post_under("k", PATH, INTENT);
    desk.pass_ms(KEY_LIFETIME_MS - 1);
    assert_eq!(desk.post_under("k", PATH, INTENT).status, 500);
    desk.pass_ms(1);
    assert_eq!(desk.post_under("k", PATH, INTENT).status, 200);
    assert_eq!(made(&desk), 2, "what a key no longer protects is done again");
}

#[test]
fn a_wrong_key_comes_before_any_fault_of_the_call() {
    let mut desk = desk("500-stored");
    let foreign = ApiRequest::post(PATH, INTENT, "sk_live_1", "k");
    assert_eq!(desk.core.handle(&foreign, START_MS).status, 401);
}

#[test]
fn a_rule_strikes_only_where_it_says_and_as_often() {
    let mut desk = desk("POST /v1/refunds 503 x2");
    assert_eq!(desk.post(PATH, INTENT).0, 200);
    assert_eq!(desk.get("/v1/refunds", "").0, 200);
    let struck: Vec<u16> = (0..3).map(|_| desk.post("/v1/refunds", "charge=ch_0").0).collect();
    assert_eq!(struck, [503, 503, 404]);
}

#[test]
fn a_chance_is_drawn_the_same_way_from_the_same_seed() {
    let run = || {
        let mut desk = desk("429 40%");
        (0..200).map(|_| desk.get("/v1/account", "").0).collect::<Vec<_>>()
    };
    let struck = run().iter().filter(|status| **status == 429).count();
    assert!((50..110).contains(&struck), "{struck} of 200");
    assert_eq!(run(), run());
}

/// The kinds of what is sent at each of these times after the start.
fn heard(desk: &mut Desk, at_ms: &[i64]) -> Vec<usize> {
    let send = |ms: &i64| {
        let due = desk.core.due_deliveries(START_MS + ms);
        for delivery in &due {
            let took = SendResult::Answered { status: 200, body: String::new() };
            desk.core.delivery_result(delivery.id, took, START_MS + ms);
        }
        due.len()
    };
    at_ms.iter().map(send).collect()
}

#[test]
fn deliveries_are_lost_doubled_and_late_as_asked() {
    for (rule, counts) in [
        ("webhook-drop x1", [0, 1, 0]),
        ("webhook-lose x1", [0, 0, 0]),
        ("webhook-duplicate x1", [2, 0, 0]),
        ("webhook-delay=3000 x1", [0, 1, 0]),
        ("charge.* webhook-lose", [1, 0, 0]),
    ] {
        let mut desk = desk(rule);
        desk.post(PATH, INTENT);
        assert_eq!(heard(&mut desk, &[0, 3_000, 60_000]), counts, "{rule}");
    }
}

#[test]
fn reordered_deliveries_overtake_each_other_and_all_arrive() {
    let mut desk = desk("webhook-reorder=4000");
    for _ in 0..20 {
        desk.post(PATH, INTENT);
    }
    let made: Vec<Id> = desk.core.events().map(|event| event.id.clone()).collect();
    let due = desk.core.due_deliveries(START_MS + 4_000);
    let sent: Vec<Id> = due.into_iter().map(|delivery| delivery.event).collect();
    assert_ne!(made, sent);
    assert_eq!(made.iter().collect::<BTreeSet<_>>(), sent.iter().collect::<BTreeSet<_>>());
}

#[test]
fn faults_and_what_they_did_survive_a_restart() {
    let busy = || {
        let mut desk = Desk::with(|config| config.recorded = true);
        desk.core.set_targets(&[target("http://127.0.0.1:1/hook")], START_MS);
        let rules = ["POST 500-after 50%", "webhook-reorder=2000"];
        desk.core.set_faults(rules.map(|rule| rule.parse().unwrap()).into(), START_MS);
        for n in 0..20 {
            desk.get("/v1/account", "");
            desk.post_under(&format!("k{n}"), PATH, INTENT);
        }
        desk
    };
    let mut before = busy();
    let mut after = Desk::with(|config| config.recorded = true);
    after.core.replay(before.core.take_inputs()).unwrap();
    after.core.set_faults(Vec::new(), START_MS);
    before.core.set_faults(Vec::new(), START_MS);
    for n in 0..20 {
        let key = format!("k{n}");
        let answers = [&mut before, &mut after].map(|desk| desk.post_under(&key, PATH, INTENT));
        assert_eq!(answers[0].status, answers[1].status, "{key}");
    }
    let due = [before, after].map(|mut desk| {
        let due = desk.core.due_deliveries(START_MS + 2_000);
        due.into_iter().map(|delivery| delivery.event).collect::<Vec<_>>()
    });
    assert_eq!(due[0], due[1]);
}
