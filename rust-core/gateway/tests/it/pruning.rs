//! Bodies of events go after their time; what makes an event the one it is stays for ever.

use crate::deliveries::{page_says, pay, press};
use crate::office::Office;
use crate::world::{WEBHOOK_SECRET, World};
use holdfast_stripe::{WebhookSecret, webhook};
use std::time::Duration;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const PATH: &str = "/api/demo/qr/payment/webhook";

async fn deliver(world: &World, body: &str) {
    let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
    let signature = webhook::sign(body.as_bytes(), &[secret], world.now_ms() / 1000);
    let headers = [("stripe-signature", signature.as_str())];
    assert_eq!(world.post(PATH, &headers, body.as_bytes().to_vec()).await.status, 200);
}

/// Somebody else's payment in the same account: its object is never known here.
fn foreign(number: usize) -> String {
    format!(
        r#"{{"id":"evt_foreign{number}","type":"payment_intent.succeeded","created":1,"livemode":false,"data":{{"object":{{"id":"pi_foreign{number}","object":"payment_intent"}}}}}}"#
    )
}

const WITH_BODY: &str = "SELECT COUNT(*) FROM events WHERE length(body) > 0";

#[tokio::test]
async fn old_bodies_go_in_batches_and_every_event_stays_known() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let payment = pay(&world).await;
    page_says(&office, "checkout.session.completed").await;
    deliver(&world, &foreign(0)).await;
    world.until("SELECT COUNT(*) FROM jobs WHERE kind = 'check_session'", 0).await;
    // As many old ones as several batches hold, and one whose payment is still to be looked at.
    world
        .change(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450) INSERT INTO \
             events (tenant, mode, account, event, kind, object, received_at_ms, body, payment, \
             waiting_for) SELECT 'demo', 'test', '', 'evt_old' || i, 'moon.phase', '', 1, 'old', '', '' \
             FROM n",
        )
        .await;
    world
        .change(format!(
            "INSERT INTO events (tenant, mode, account, event, kind, object, received_at_ms, body, \
             payment, waiting_for) VALUES ('demo', 'test', '', 'evt_due', 'refund.created', '', 1, 'due', \
             '{payment}', '')"
        ))
        .await;
    world
        .change(format!(
            "INSERT INTO jobs (tenant, kind, payment, due_at_ms, leased_until_ms, fence, wanted, tries) \
             VALUES ('demo', 'check_session', '{payment}', {}, 0, 0, 1, 0)",
            i64::MAX
        ))
        .await;
    let stored = world.count("SELECT COUNT(*) FROM events").await;
    world.clock.skip_ahead(Duration::from_secs(16));
    world
        .until("SELECT COUNT(*) FROM events WHERE event LIKE 'evt_old%' AND length(body) > 0", 0)
        .await;
    // What came today is whole, and so is what has still to be applied.
    assert_eq!(world.count(WITH_BODY).await, stored - 450);
    let due = "SELECT COUNT(*) FROM events WHERE event = 'evt_due' AND pruned_at_ms = 0";
    assert_eq!(world.count(due).await, 1);
    world.change("DELETE FROM jobs WHERE kind = 'check_session'").await;
    age(&world, 31).await;
    // A month later only what waits for its object has a body.
    world.until(WITH_BODY, 1).await;
    assert_eq!(world.text("SELECT event FROM events WHERE length(body) > 0").await, "evt_foreign0");
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, stored, "none is forgotten");
    // An event that comes again after a month is the one that was here, and can be replayed.
    let sql = "SELECT event FROM events WHERE kind = 'checkout.session.completed'";
    let event = world.text(sql).await;
    deliver(&world, &foreign(0).replace("evt_foreign0", &event)).await;
    page_says(&office, "Was here before; stored once").await;
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, stored);
    let answer = press(&office, "replay", &format!("event={event}")).await;
    assert!(answer.body.contains(&payment), "{}", answer.body);
    // And in the end what nobody ever needed goes as well.
    age(&world, 181).await;
    world.until(WITH_BODY, 0).await;
}

/// Every event came so many days ago, and it is time for the next look.
async fn age(world: &World, days: i64) {
    let came_ms = world.now_ms() - days * DAY_MS;
    world
        .change(format!("UPDATE events SET received_at_ms = {came_ms} WHERE received_at_ms > 1"))
        .await;
    world.clock.skip_ahead(Duration::from_secs(601));
}
