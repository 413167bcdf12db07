//! Refunds and disputes, as Stripe tells of them.

use crate::handheld::{Handheld, new_link, path_of};
use crate::world::{GOOD_CARD, SECRET_KEY, World};
use serde_json::Value;

/// A card whose payer disputes it at once.
pub(crate) const DISPUTED_CARD: &str = "4000000000000259";
/// A card to which refunds fail, some time after they had succeeded.
pub(crate) const REFUND_FAILS_CARD: &str = "4000000000005126";

pub(crate) async fn paid(world: &World, card: &str) -> String {
    let handheld = Handheld::enrol_with(world, &new_link(world, true).await).await;
    let order = handheld.order();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, card);
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    order.payload().payment.to_string()
}

/// The same by a handheld that is there.
pub(crate) async fn paid_by(world: &World, handheld: &Handheld, card: &str) -> String {
    let order = handheld.order();
    let payment = handheld.send(world, &order).await;
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, card);
    world.page_says(&payment, "Receipt order ID").await;
    payment
}

/// Somebody gives the only dispute up in Stripe's Dashboard.
pub(crate) async fn lose_dispute(world: &World) {
    let all = stripe(world, reqwest::Method::GET, "/v1/disputes", "").await;
    let path = format!("/v1/disputes/{}/close", all["data"][0]["id"].as_str().unwrap());
    let closed = stripe(world, reqwest::Method::POST, &path, "").await;
    assert_eq!(closed["status"], "lost", "{closed}");
}

async fn stripe(world: &World, method: reqwest::Method, path: &str, body: &str) -> Value {
    let authorization = format!("Bearer {SECRET_KEY}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let address = format!("{}{path}", world.sandbox.url());
    world.send(method, &address, &headers, body.as_bytes().to_vec()).await.json()
}

/// A refund asked for in Stripe's Dashboard, which may refuse it.
pub(crate) async fn ask_at_stripe(world: &World, amount: Option<i64>) -> Value {
    let charge = world.text("SELECT object FROM objects WHERE object LIKE 'ch_%'").await;
    let amount = amount.map_or_else(String::new, |amount| format!("&amount={amount}"));
    let asked = format!("charge={charge}{amount}");
    stripe(world, reqwest::Method::POST, "/v1/refunds", &asked).await
}

pub(crate) async fn refund(world: &World, amount: Option<i64>) -> Value {
    let made = ask_at_stripe(world, amount).await;
    assert_eq!(made["object"], "refund", "{made}");
    made
}

pub(crate) async fn becomes(world: &World, state: &'static str) {
    let begun = std::time::Instant::now();
    while world.text("SELECT state FROM payments").await != state {
        assert!(
            begun.elapsed().as_secs() < 30,
            "{} is not {state}",
            world.text("SELECT state FROM payments").await
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn refunds_made_at_stripe_are_followed_in_part_and_in_full() {
    let world = World::start().await;
    paid(&world, GOOD_CARD).await;
    refund(&world, Some(250)).await;
    becomes(&world, "partly_refunded").await;
    refund(&world, None).await;
    becomes(&world, "refunded").await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
}

#[tokio::test]
async fn a_refund_that_fails_after_it_had_succeeded_is_told() {
    let world = World::start().await;
    paid(&world, REFUND_FAILS_CARD).await;
    refund(&world, None).await;
    becomes(&world, "refunded").await;
    world.sandbox.handle().skip_ahead(std::time::Duration::from_secs(7 * 24 * 60 * 60));
    // Our clock stays; the deliveries of a week later are refused for their time, and the events
    // that come with the gateway's own time are enough.
    world.clock.skip_ahead(std::time::Duration::from_secs(7 * 24 * 60 * 60));
    becomes(&world, "refund_failed").await;
}

#[tokio::test]
async fn a_dispute_is_followed() {
    let world = World::start().await;
    paid(&world, DISPUTED_CARD).await;
    becomes(&world, "disputed").await;
}
