//! Exactly one, over real HTTP on SQLite and the sandbox: everything that may tell of a payment at
//! once, one event a hundred times at once, and a whole life told in many orders.

use crate::handheld::{Handheld, path_of, submit};
use crate::money_back::REFUND_FAILS_CARD;
use crate::world::{GOOD_CARD, POOR_CARD, SECRET_KEY, Setup, WEBHOOK_SECRET, World};
use futures_util::future::{join, join_all};
use futures_util::stream::{self, StreamExt};
use holdfast_sandbox::core::PayOutcome;
use holdfast_stripe::{WebhookSecret, webhook};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const HOOK: &str = "/api/demo/qr/payment/webhook";
const QUIET: &str = "SELECT COUNT(*) FROM jobs WHERE kind = 'check_session'";
/// Lives that are lived at once.
const AT_ONCE: usize = 8;
/// In how many orders six events can be told.
const ORDERS: usize = 720;
/// Every thirtieth order is lived here, because a test key makes 25 calls a second at most; the ledger's
/// own suite goes through all of them.
const SAMPLE: usize = 30;
const LIVED: i64 = 24;

async fn deliver(world: &World, body: &str) {
    let secrets = [WebhookSecret::parse(WEBHOOK_SECRET).unwrap()];
    let signature = webhook::sign(body.as_bytes(), &secrets, world.now_ms() / 1000);
    let headers = [("stripe-signature", signature.as_str()), ("content-type", "application/json")];
    let answer = world.post(HOOK, &headers, body.as_bytes().to_vec()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn stripe(world: &World, method: Method, path: &str, body: &str) -> Value {
    let key = format!("Bearer {SECRET_KEY}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let headers = [("authorization", key.as_str()), form];
    let address = format!("{}{path}", world.sandbox.url());
    world.send(method, &address, &headers, body.as_bytes().to_vec()).await.json()
}

/// Stripe's events, newest first, as a webhook would bring them.
async fn events(world: &World) -> Vec<Value> {
    let found = stripe(world, Method::GET, "/v1/events?limit=100", "").await;
    found["data"].as_array().unwrap().clone()
}

fn way_back(world: &World, outcome: PayOutcome) -> String {
    match outcome {
        PayOutcome::Paid { redirect } => redirect.strip_prefix(&world.url("")).unwrap().to_owned(),
        other => panic!("not paid: {other:?}"),
    }
}

#[tokio::test]
async fn webhook_redirect_poll_reconciler_and_a_carried_order_at_once_make_one_order() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let id = order.payload().payment.to_string();
    // The payer's phone brought the order; the handheld sends it while everything else happens.
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    let back = way_back(&world, world.type_card(&page, GOOD_CARD));
    let told = events(&world).await;
    world.clock.skip_ahead(Duration::from_secs(120));
    let returns = join_all((0..8).map(|_| world.get(&back)));
    let sent = join_all((0..8).map(|_| submit(&world, order.to_bytes())));
    let pressed = (0..8).map(|_| format!("{}/pay", path_of(&order)));
    let pressed = join_all(pressed.map(async |path| world.post(&path, &[], vec![]).await));
    let repeated = told.iter().cycle().take(told.len() * 3).map(Value::to_string);
    let hooks = join_all(repeated.map(async |body| deliver(&world, &body).await));
    let live = format!("/pay/{id}");
    let looks = join_all((0..8).map(|_| world.get(&live)));
    let (_, sent, _, _, _) = tokio::join!(returns, sent, pressed, hooks, looks);
    assert!(sent.iter().all(|answer| answer.status == 200));
    world.page_says(&id, "receipt-order-id").await;
    world.until(QUIET, 0).await;
    for (sql, wanted) in [
        ("SELECT COUNT(*) FROM payments", 1),
        ("SELECT COUNT(*) FROM attempts", 1),
        ("SELECT COUNT(*) FROM orders", 1),
        ("SELECT COUNT(DISTINCT receipt_order_id) FROM payments WHERE state = 'paid'", 1),
    ] {
        assert_eq!(world.count(sql).await, wanted, "{sql}");
    }
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn one_event_a_hundred_times_at_once_makes_one_order() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    let told = events(&world).await;
    let is_it = |event: &&Value| event["type"] == "checkout.session.completed";
    let body = told.iter().find(is_it).unwrap().to_string();
    join_all((0..100).map(|_| deliver(&world, &body))).await;
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    world.until(QUIET, 0).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
    let delivered = "SELECT COUNT(*) FROM deliveries WHERE answer = 200";
    assert_eq!(world.count(delivered).await, 100, "each is shown");
}

/// A payment that lives its whole life at Stripe, of which the gateway hears nothing: the events of
/// {opened, declined, paid, refunded, refund failed, disputed}.
async fn lived(world: &World, handheld: &Handheld) -> (String, Vec<String>) {
    let order = handheld.order();
    let id = order.payload().payment.to_string();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    let session = page.rsplit('/').next().unwrap().to_owned();
    assert!(matches!(world.type_card(&page, POOR_CARD), PayOutcome::Declined { .. }));
    world.type_card(&page, REFUND_FAILS_CARD);
    let paid = stripe(world, Method::GET, &format!("/v1/checkout/sessions/{session}"), "").await;
    let intent = paid["payment_intent"].as_str().unwrap().to_owned();
    let refund = format!("payment_intent={intent}");
    let refund = stripe(world, Method::POST, "/v1/refunds", &refund).await;
    assert_eq!(refund["object"], "refund", "{refund}");
    let kind_and_object = [
        ("checkout.session.expired", json!({"id": session, "object": "checkout.session"})),
        ("payment_intent.payment_failed", json!({"id": intent, "object": "payment_intent"})),
        ("checkout.session.completed", json!({"id": session, "object": "checkout.session"})),
        ("refund.created", refund.clone()),
        ("refund.failed", refund),
        (
            "charge.dispute.created",
            json!({"id": format!("dp_{session}"), "object": "dispute", "payment_intent": intent}),
        ),
    ];
    let event = |(number, (kind, object)): (usize, (&str, Value))| {
        json!({
            "id": format!("evt_{session}_{number}"), "object": "event", "type": kind,
            "created": world.now_ms() / 1000, "livemode": false, "data": {"object": object},
        })
        .to_string()
    };
    (id, kind_and_object.into_iter().enumerate().map(event).collect())
}

/// The `nth` order of six: each number below 720 names another one.
fn order_of(mut nth: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..6).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let count = left.len();
        order.push(left.remove(nth % count));
        nth /= count;
    }
    order
}

#[tokio::test]
async fn a_whole_life_ends_in_the_same_state_in_whatever_order_it_is_told() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    // Holds are counted by sequence number, one handheld's are enough.
    let handheld = Handheld::enrol(&world).await;
    let lives = (0..ORDERS).step_by(SAMPLE).map(|nth| {
        let (world, handheld) = (&world, &handheld);
        async move {
            let (_, events) = lived(world, handheld).await;
            for place in order_of(nth) {
                // Every other one comes twice, the second time beside the first.
                let twice = (place + nth / SAMPLE).is_multiple_of(2);
                let again = async {
                    if twice {
                        deliver(world, &events[place]).await;
                    }
                };
                join(deliver(world, &events[place]), again).await;
            }
        }
    });
    stream::iter(lives).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'refunded'", LIVED).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, LIVED);
    // Days later every one of the refunds fails, and each payment hears of it in its own order.
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    world.sandbox.handle().skip_ahead(week);
    world.clock.skip_ahead(week);
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'refund_failed'", LIVED).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, LIVED);
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, LIVED * 6);
}
