//! What the webhook missed is found anyway; and whoever brings the news, it makes one order.

use crate::deliveries::{page_says, pay, press};
use crate::handheld::{Handheld, path_of, submit};
use crate::office::Office;
use crate::world::{GOOD_CARD, POOR_CARD, SECRET_KEY, Setup, World};
use holdfast_stripe::{WebhookSecret, webhook};
use std::time::Duration;

const BY_SESSION: &[&str] = &["checkout.session.completed", "checkout.session.expired"];
const BY_INTENT: &[&str] =
    &["payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"];
/// Events of one followed type after the one that counts: more than the two thousand that a look reads.
const NEWER: usize = 2_100;
const PATH: &str = "/api/demo/qr/payment/webhook";

async fn stripe(
    world: &World,
    method: reqwest::Method,
    path: &str,
    body: &str,
) -> serde_json::Value {
    let authorization = format!("Bearer {SECRET_KEY}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let address = format!("{}{path}", world.sandbox.url());
    world.send(method, &address, &headers, body.as_bytes().to_vec()).await.json()
}

async fn open(world: &World, handheld: &Handheld) -> (String, String) {
    let order = handheld.order();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    (order.payload().payment.to_string(), page)
}

#[tokio::test]
async fn either_short_list_of_events_settles_every_payment() {
    for events in [BY_SESSION, BY_INTENT] {
        let world = World::with(Setup { events, ..Setup::default() }).await;
        let office = Office::sign_in(&world).await;
        let handheld = Handheld::enrol(&world).await;
        let (paid, page) = open(&world, &handheld).await;
        world.type_card(&page, GOOD_CARD);
        world.page_says(&paid, "Paid").await;
        let (second, page) = open(&world, &handheld).await;
        world.type_card(&page, POOR_CARD);
        world.page_says(&second, "not enough funds").await;
        world.type_card(&page, GOOD_CARD);
        world.page_says(&second, "Paid").await;
        let (left, _) = open(&world, &handheld).await;
        // Nobody pays, and the session expires at Stripe.
        let two_hours = Duration::from_secs(2 * 60 * 60 + 60);
        world.sandbox.handle().skip_ahead(two_hours);
        world.clock.skip_ahead(two_hours);
        world.page_says(&left, "Owed").await;
        assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 2);
        let kinds =
            world.count("SELECT COUNT(DISTINCT kind) FROM deliveries WHERE answer = 200").await;
        assert!(kinds > 0 && kinds <= i64::try_from(events.len()).unwrap(), "{events:?}: {kinds}");
        // The page says what shows later without the rest, and that nothing more is lost by it.
        press(&office, "ask", "").await.location();
        let page = page_says(&office, "Every payment is settled by the event types").await;
        let other = if events == BY_SESSION { "a card was declined" } else { "has expired" };
        assert!(page.contains(other) && page.contains("disputes"), "{page}");
        assert!(!page.contains("Missing event types"), "{page}");
    }
}

async fn refund_at_stripe(world: &World) {
    let charge = world.text("SELECT object FROM objects WHERE object LIKE 'ch_%'").await;
    let made =
        stripe(world, reqwest::Method::POST, "/v1/refunds", &format!("charge={charge}")).await;
    assert_eq!(made["object"], "refund", "{made}");
}

const REFUNDED: &str = "SELECT COUNT(*) FROM payments WHERE state = 'refunded'";

#[tokio::test]
async fn a_refund_that_no_endpoint_wanted_is_found_by_asking() {
    let world = World::with(Setup { events: BY_SESSION, ..Setup::default() }).await;
    let office = Office::sign_in(&world).await;
    let payment = pay(&world).await;
    refund_at_stripe(&world).await;
    world.clock.skip_ahead(Duration::from_secs(120));
    world.until(REFUNDED, 1).await;
    let page = page_says(&office, "Found by asking Stripe; no delivery came").await;
    assert!(page.contains("refund.created") && page.contains(&payment), "{page}");
    // Not at once: a webhook may take a minute.
    world.clock.skip_ahead(Duration::from_secs(61));
    page_says(&office, "Refunded").await;
}

#[tokio::test]
async fn what_stripe_could_not_deliver_is_found_by_asking() {
    let world =
        World::with(Setup { signed_with: "whsec_AnotherOneThatIsWrong1", ..Setup::default() })
            .await;
    pay(&world).await;
    refund_at_stripe(&world).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
    world.clock.skip_ahead(Duration::from_secs(120));
    world.until(REFUNDED, 1).await;
    world
        .until("SELECT COUNT(*) > 0 FROM deliveries WHERE outcome = 'found' AND answer = 0", 1)
        .await;
    // Events that are about nothing of ours are not taken: the account may serve others, too.
    let ours = "SELECT COUNT(*) FROM events WHERE payment = ''";
    assert_eq!(world.count(ours).await, 0);
}

/// More events than one look reads: the oldest, which is the only one about a payment of ours, stands
/// on a page beyond.
#[tokio::test]
async fn more_events_than_one_look_reads_are_read_to_the_last() {
    let wrong = "whsec_AnotherOneThatIsWrong1";
    let world = World::with(Setup { signed_with: wrong, ..Setup::default() }).await;
    pay(&world).await;
    refund_at_stripe(&world).await;
    // Whatever happens at Stripe afterwards is somebody else's, and followed by type all the same.
    world.sandbox.handle().skip_ahead(Duration::from_secs(5));
    world.clock.skip_ahead(Duration::from_secs(5));
    world.sandbox.handle().with_core(|core, now_ms| {
        for _ in 0..NEWER {
            core.trigger("payment_intent.canceled", now_ms).unwrap();
        }
        // The endpoint is given up: the test is about what Stripe keeps, not about retries.
        core.set_targets(&[], now_ms);
    });
    world.clock.skip_ahead(Duration::from_secs(600));
    world.until(REFUNDED, 1).await;
    // To the end, and nothing is left open; the mark has moved on.
    world.until("SELECT COUNT(*) FROM event_questions", 0).await;
    world.until("SELECT COUNT(*) > 0 FROM webhook_looks WHERE events_until_s > 0", 1).await;
    let found =
        "SELECT COUNT(*) FROM deliveries WHERE outcome = 'found' AND kind = 'refund.created'";
    assert_eq!(world.count(found).await, 1);
}

/// The gateway stops between two looks, or Stripe does not answer: the next run goes on where this one
/// stopped, and the mark stays where it was.
#[tokio::test]
async fn a_question_that_was_cut_short_goes_on_where_it_stopped() {
    let mut world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    pay(&world).await;
    refund_at_stripe(&world).await;
    let known = stripe(&world, reqwest::Method::GET, "/v1/events?limit=100", "").await;
    let newest = known["data"].as_array().unwrap();
    let refund = newest.iter().position(|event| event["type"] == "refund.created").unwrap();
    // As if all up to the one before the refund had been read, in a window that ends now.
    let after = newest[refund - 1]["id"].as_str().unwrap().to_owned();
    let now_s = world.now_ms() / 1000;
    world
        .change(format!(
            "INSERT INTO event_questions VALUES ('demo', 'STRIPE', 'test', 'all', {}, {}, '{after}')",
            now_s - 3_600,
            now_s + 60
        ))
        .await;
    let mark = "SELECT COALESCE(MAX(events_until_s), 0) FROM webhook_looks";
    let before = world.count(mark).await;
    world.restart().await;
    world.clock.skip_ahead(Duration::from_secs(16));
    world.until(REFUNDED, 1).await;
    world.until("SELECT COUNT(*) FROM event_questions", 0).await;
    assert!(before < now_s + 60);
    // An event that Stripe does not know is nothing to go on from: the question begins anew.
    world
        .change(format!(
            "INSERT INTO event_questions VALUES ('demo', 'STRIPE', 'test', 'all', 1, {now_s}, 'evt_0')"
        ))
        .await;
    world.clock.skip_ahead(Duration::from_secs(601));
    world.until("SELECT COUNT(*) FROM event_questions", 0).await;
}

#[tokio::test]
async fn an_unfinished_payment_that_lost_its_job_is_asked_about_again() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let (payment, page) = open(&world, &handheld).await;
    world.change("DELETE FROM jobs WHERE kind = 'check_session'").await;
    world.until("SELECT COUNT(*) FROM jobs WHERE kind = 'check_session'", 0).await;
    world.type_card(&page, GOOD_CARD);
    world.clock.skip_ahead(Duration::from_secs(16));
    world.page_says(&payment, "Paid").await;
}

#[tokio::test]
async fn an_event_can_be_replayed_from_here_or_from_stripe() {
    let world = World::with(Setup { events: BY_SESSION, ..Setup::default() }).await;
    let office = Office::sign_in(&world).await;
    let payment = pay(&world).await;
    world.until("SELECT COUNT(*) > 0 FROM events WHERE payment <> ''", 1).await;
    let event = world.text("SELECT event FROM events WHERE payment <> '' LIMIT 1").await;
    let answer = press(&office, "replay", &format!("event={event}")).await;
    assert!(
        answer.body.contains(&format!("asked about payment {payment} again")),
        "{}",
        answer.body
    );
    page_says(&office, "Replayed; the payment was looked at again").await;
    // One that was never delivered: Stripe keeps it.
    refund_at_stripe(&world).await;
    let known = stripe(&world, reqwest::Method::GET, "/v1/events?type=refund.created", "").await;
    let missed = known["data"][0]["id"].as_str().unwrap().to_owned();
    let answer = press(&office, "replay", &format!("event={missed}")).await;
    assert!(answer.body.contains(&payment), "{}", answer.body);
    world.until(REFUNDED, 1).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM audit WHERE what = 'event_replayed'").await, 2);
    for (typed, words) in [
        ("evt_0", "Neither this gateway nor Stripe knows"),
        ("", "begins with evt_"),
        ("cs_test_1", "begins with evt_"),
        ("evt_%2F..%2Faccount", "begins with evt_"),
    ] {
        let answer = press(&office, "replay", &format!("event={typed}")).await;
        let error = answer.body.split_once("id=\"event-error\">").unwrap().1;
        assert!(answer.status == 422 && error.contains(words), "{typed}: {error:.200}");
    }
}

#[tokio::test]
async fn events_of_a_connected_account_that_is_nobodys_are_refused_by_name() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    world.until("SELECT COUNT(*) FROM processors WHERE account LIKE 'acct_%'", 1).await;
    let ours = world.text("SELECT account FROM processors").await;
    for (account, status) in [("acct_SomebodyElse", 400), (ours.as_str(), 200)] {
        let body = format!(
            r#"{{"id":"evt_{account}","type":"moon.phase","created":1,"livemode":false,"account":"{account}","data":{{"object":{{}}}}}}"#
        );
        assert_eq!(deliver(&world, body.into_bytes()).await, status, "{account}");
    }
    let page = page_says(&office, "of the connected account acct_SomebodyElse").await;
    assert!(page.contains("Other account"), "{page}");
    assert_eq!(world.text("SELECT account FROM events").await, ours);
}

#[tokio::test]
async fn a_payment_whose_key_answers_from_another_account_needs_a_person() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let (payment, page) = open(&world, &handheld).await;
    // As if the key had become another account's since the payment was accepted.
    world.change("UPDATE processors SET account = 'acct_Another'").await;
    world.type_card(&page, GOOD_CARD);
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'needs_attention'", 1).await;
    let attention = world.text("SELECT attention FROM payments").await;
    assert!(attention.contains("account_differs"), "{attention}");
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1, "money did arrive");
    world.page_says(&payment, "Do not pay again").await;
}

async fn deliver(world: &World, body: Vec<u8>) -> u16 {
    let secret = WebhookSecret::parse(crate::world::WEBHOOK_SECRET).unwrap();
    let signature = webhook::sign(&body, &[secret], world.now_ms() / 1000);
    world.post(PATH, &[("stripe-signature", &signature)], body).await.status.as_u16()
}

#[tokio::test]
async fn webhook_redirect_poll_reconciler_and_a_carried_order_at_once_make_one_order() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = order.payload().payment.to_string();
    let pay_path = format!("{}/pay", path_of(&order));
    let page = world.post(&pay_path, &[], vec![]).await.location();
    let session = page.rsplit('/').next().unwrap().to_owned();
    world.type_card(&page, GOOD_CARD);
    let known =
        stripe(&world, reqwest::Method::GET, "/v1/events?type=checkout.session.completed", "")
            .await;
    let event = known["data"][0].to_string().into_bytes();
    let csrf = office.csrf_of("/admin/deliveries").await;
    // The clock moves on, so that poll and reconciler are due as well.
    world.clock.skip_ahead(Duration::from_secs(120));
    let webhooks = (0..100).map(|_| async { deliver(&world, event.clone()).await });
    let returns = (0..10).map(|_| async {
        let back = format!("/pay/{payment}/return?session_id={session}");
        world.get(&back).await.status.as_u16()
    });
    let carried = (0..10).map(|_| async {
        (submit(&world, order.to_bytes()).await.status, world.post(&pay_path, &[], vec![]).await)
    });
    let asked = (0..2).map(|_| async {
        office.post("/admin/deliveries/ask", &format!("csrf={csrf}")).await.status.as_u16()
    });
    let (webhooks, returns, carried, asked) = tokio::join!(
        futures_util::future::join_all(webhooks),
        futures_util::future::join_all(returns),
        futures_util::future::join_all(carried),
        futures_util::future::join_all(asked),
    );
    assert!(webhooks.iter().all(|status| *status == 200), "{webhooks:?}");
    assert!(returns.iter().chain(&asked).all(|status| *status == 303), "{returns:?} {asked:?}");
    assert!(carried.iter().all(|(sent, _)| *sent == 200));
    world.page_says(&payment, "Paid").await;
    world.until("SELECT COUNT(*) FROM jobs WHERE kind <> 'end_lifetime'", 0).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM attempts").await, 1);
    assert_eq!(world.sessions(), 1);
    let event = "SELECT COUNT(*) FROM events WHERE kind = 'checkout.session.completed'";
    assert_eq!(world.count(event).await, 1);
    let deliveries = "SELECT COUNT(*) FROM deliveries WHERE answer = 200";
    assert_eq!(world.count(deliveries).await, 100, "each is on the page");
}
