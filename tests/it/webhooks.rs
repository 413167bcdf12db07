//! Hints of every kind: webhook at either address, redirect, poll, together and alone.

use crate::payer::Payer;
use crate::world::{WEBHOOK_SECRET, Webhooks, World};
use holdfast_domain::PaymentState;
use holdfast_stripe::{WebhookSecret, webhook};
use reqwest::StatusCode;

/// A payer who closes the browser on Stripe's page: only `webhooks` or the poll can settle it.
async fn settles_without_a_redirect(webhooks: Webhooks) -> World {
    let world = World::new(webhooks).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    Payer::new().pay(&held.pay_address.expect("an address")).await;
    handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenants_webhook_address_settles_a_payment() {
    let world = settles_without_a_redirect(Webhooks::ByTenant).await;
    assert!(world.count("events").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_systems_webhook_address_settles_a_payment() {
    let world = settles_without_a_redirect(Webhooks::ByHost).await;
    assert!(world.count("events").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_poll_settles_what_no_webhook_tells() {
    let world = settles_without_a_redirect(Webhooks::None).await;
    assert_eq!(world.count("events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_costs_time_and_no_payment() {
    let world = settles_without_a_redirect(Webhooks::WrongSecret).await;
    assert_eq!(world.count("events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_and_redirect_together_make_one_order() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    let payer = Payer::new();
    let back = payer.pay(&held.pay_address.expect("an address")).await;
    tokio::join!(payer.come_back(&back), payer.come_back(&back), payer.come_back(&back));
    handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_signature_is_refused_and_an_unknown_event_is_taken() {
    let world = World::new(Webhooks::None).await;
    let address = format!("{}/api/demo/qr/payment/webhook", world.gateway.url());
    let body = r#"{"id":"evt_moon","object":"event","type":"moon.phase","livemode":false,
        "created":1790000000,"data":{"object":{"id":"moon_1","object":"moon"}}}"#;
    let deliver = async |secret: &str| {
        let secret = WebhookSecret::parse(secret).expect("a secret");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let at = i64::try_from(now.expect("after 1970").as_secs()).expect("in range");
        let header = webhook::sign(body.as_bytes(), &[secret], at);
        let request = Payer::new().0.post(&address).header("stripe-signature", header);
        request.body(body).send().await.expect("an answer")
    };
    let refused = deliver("whsec_somebody_elses_0123456789").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(world.count("events").await, 0);
    for _ in 0..2 {
        assert!(deliver(WEBHOOK_SECRET).await.status().is_success());
    }
    assert_eq!(world.count("events").await, 1, "stored once");
}
