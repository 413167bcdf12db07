//! Both webhook addresses: what is believed, what is stored, and what a stranger learns.

use crate::handheld::{Handheld, path_of};
use crate::world::{Answer, Setup, WEBHOOK_SECRET, World};
use holdfast_gateway::admin;
use holdfast_stripe::{WebhookSecret, webhook};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const BY_PATH: &str = "/api/demo/qr/payment/webhook";
const BY_HOST: &str = "/api/system/payments/stripe/callback";

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap()
}

pub(crate) fn event(id: &str, kind: &str, livemode: bool) -> Vec<u8> {
    let object = json!({ "id": "cs_test_1", "object": "checkout.session" });
    let event = json!({
        "id": id, "object": "event", "type": kind, "created": now(), "livemode": livemode,
        "api_version": "2019-01-01", "data": { "object": object }, "something_new": true,
    });
    event.to_string().into_bytes()
}

pub(crate) fn signed(body: &[u8], secret: &str, at: i64) -> String {
    webhook::sign(body, &[WebhookSecret::parse(secret).unwrap()], at)
}

pub(crate) async fn deliver(world: &World, path: &str, body: Vec<u8>, signature: &str) -> Answer {
    let headers = [("stripe-signature", signature), ("content-type", "application/json")];
    world.post(path, &headers, body).await
}

async fn quiet_world() -> World {
    World::with(Setup { webhooks: false, ..Setup::default() }).await
}

#[tokio::test]
async fn an_event_is_stored_once_whichever_address_it_comes_to() {
    let world = quiet_world().await;
    for path in [BY_PATH, BY_HOST, BY_PATH] {
        let body = event("evt_1", "checkout.session.completed", false);
        let signature = signed(&body, WEBHOOK_SECRET, now());
        let answer = deliver(&world, path, body, &signature).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 1);
}

#[tokio::test]
async fn a_hundred_deliveries_of_one_event_at_once_are_one_event() {
    let world = quiet_world().await;
    let body = event("evt_1", "checkout.session.completed", false);
    let signature = signed(&body, WEBHOOK_SECRET, now());
    let deliveries = (0..100).map(|_| deliver(&world, BY_PATH, body.clone(), &signature));
    let answers = futures_util::future::join_all(deliveries).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 1);
}

#[tokio::test]
async fn an_unknown_type_is_acknowledged_and_recorded() {
    let world = quiet_world().await;
    let body = event("evt_1", "moon.phase.changed", false);
    let signature = signed(&body, WEBHOOK_SECRET, now());
    assert_eq!(deliver(&world, BY_PATH, body, &signature).await.status, 200);
    assert_eq!(world.text("SELECT kind FROM events").await, "moon.phase.changed");
    assert_eq!(world.count("SELECT COUNT(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn what_stripe_did_not_sign_gets_400_and_no_reason_but_the_office_knows() {
    let world = quiet_world().await;
    let body = || event("evt_1", "checkout.session.completed", false);
    let right = signed(&body(), WEBHOOK_SECRET, now());
    let mut answers = Vec::new();
    for (body, signature) in [
        (body(), signed(&body(), "whsec_another_secret", now())),
        (body(), signed(&body(), WEBHOOK_SECRET, now() - 412)),
        (event("evt_2", "charge.refunded", false), right.clone()),
        (body(), right.replace("v1=", "v0=")),
        (body(), String::new()),
    ] {
        let answer = deliver(&world, BY_PATH, body, &signature).await;
        assert_eq!(answer.status, 400);
        // But for the request's own ID, whoever sends them learns nothing.
        let mut told = answer.json();
        told.as_object_mut().unwrap().remove("request_id").unwrap();
        answers.push(told.to_string());
    }
    assert!(answers.iter().all(|body| *body == answers[0]), "{answers:?}");
    assert!(!answers[0].contains("signature") && !answers[0].contains("412"));
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM deliveries WHERE answer >= 400").await, 5);
    let clock = "SELECT reason FROM deliveries WHERE reason LIKE '%clock off by 41%'";
    assert!(world.text(clock).await.contains("signature right"));
}

#[tokio::test]
async fn a_live_event_under_a_test_secret_is_refused_by_name() {
    let world = quiet_world().await;
    let body = event("evt_1", "checkout.session.completed", true);
    let signature = signed(&body, WEBHOOK_SECRET, now());
    assert_eq!(deliver(&world, BY_PATH, body, &signature).await.status, 400);
    let reason = world.text("SELECT reason FROM deliveries WHERE answer >= 400").await;
    assert!(reason.contains("a live event"), "{reason}");
}

#[tokio::test]
async fn signed_bodies_that_are_no_event_are_refused() {
    let world = quiet_world().await;
    for body in ["", "{}", "[]", "null", r#"{"id":""}"#, "not json"] {
        let body = body.as_bytes().to_vec();
        let signature = signed(&body, WEBHOOK_SECRET, now());
        assert_eq!(deliver(&world, BY_PATH, body, &signature).await.status, 400);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
    let huge = deliver(&world, BY_PATH, vec![b'x'; 10 * 1024 * 1024], "t=1,v1=00").await;
    assert_eq!(huge.code(), "too_large");
}

#[tokio::test]
async fn a_flood_of_bad_deliveries_leaves_only_the_latest() {
    let world = quiet_world().await;
    for _ in 0..5 {
        for _ in 0..60 {
            assert_eq!(deliver(&world, BY_PATH, b"{}".to_vec(), "t=1,v1=00").await.status, 400);
        }
        assert_eq!(deliver(&world, BY_PATH, b"{}".to_vec(), "t=1,v1=00").await.status, 400);
        world.clock.skip_ahead(Duration::from_secs(61));
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM deliveries WHERE answer >= 400").await, 200);
    assert_eq!(world.count("SELECT MAX(number) FROM deliveries").await, 300);
}

#[tokio::test]
async fn the_address_without_a_tenant_needs_a_host_name_of_one() {
    let world = quiet_world().await;
    let add = admin::TenantAdd {
        tenant: "other".parse().unwrap(),
        name: None,
        hosts: vec!["other.example.org".into()],
    };
    admin::tenant_add(&world.data(), add).await.unwrap();
    let body = event("evt_1", "checkout.session.completed", false);
    let signature = signed(&body, WEBHOOK_SECRET, now());
    // Two tenants share this name now, so it says nothing about whose event it is.
    assert_eq!(deliver(&world, BY_HOST, body.clone(), &signature).await.code(), "not_found");
    let of_other = [("stripe-signature", signature.as_str()), ("host", "other.example.org")];
    // Under its own name the other tenant answers, and does not know demo's secret.
    assert_eq!(world.post(BY_HOST, &of_other, body.clone()).await.status, 400);
    assert_eq!(world.post(BY_PATH, &of_other, body).await.code(), "not_found");
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
}

#[tokio::test]
async fn an_event_only_makes_the_gateway_ask() {
    let world = quiet_world().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    world.post(&format!("{}/pay", path_of(&order)), &[], Vec::new()).await.location();
    // A well signed event that claims the payment is paid, which Stripe itself does not say.
    let body = json!({
        "id": "evt_1", "type": "checkout.session.completed", "created": now(), "livemode": false,
        "data": { "object": {
            "id": "cs_test_lie", "object": "checkout.session", "status": "complete",
            "payment_status": "paid", "metadata": { "holdfast_payment": payment },
        } },
    });
    let body = body.to_string().into_bytes();
    let signature = signed(&body, WEBHOOK_SECRET, now());
    assert_eq!(deliver(&world, BY_PATH, body, &signature).await.status, 200);
    assert_eq!(world.text("SELECT payment FROM events").await, payment);
    world.until("SELECT COUNT(*) FROM evidence WHERE source = 'webhook'", 0).await;
    world.page_says(&payment, "Waiting for the card").await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 0);
}
