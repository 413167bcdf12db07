//! What becomes of an order that a handheld sends.

use crate::handheld::{Handheld, new_link, submit};
use crate::world::World;
use holdfast_domain::{Mode, Money, OrderLine};
use holdfast_protocol::{OrderPayload, SignedOrder};
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

#[tokio::test]
async fn whatever_was_changed_in_an_order_it_is_refused_and_nothing_is_stored() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let bytes = handheld.order().to_bytes();
    for index in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[index] ^= 1;
        let answer = submit(&world, tampered).await;
        assert!(answer.status.is_client_error(), "byte {index}: {}", answer.status);
        let known = ["malformed", "unknown_version", "signature_wrong", "unknown_device"];
        let known_too = ["wrong_gateway", "wrong_tenant"];
        let code = answer.code();
        let stable = known.contains(&code.as_str()) || known_too.contains(&code.as_str());
        assert!(stable, "byte {index}: {code}");
    }
    for length in [0, 1, 10, bytes.len() - 1] {
        assert_eq!(submit(&world, bytes[..length].to_vec()).await.code(), "malformed");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn an_order_that_does_not_fit_is_refused_by_its_own_code() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let good = handheld.payload(1);
    let usd = good.total.currency();
    let item = |item, quantity| vec![OrderLine::Item { item, quantity }];
    for (code, payload) in [
        ("total_differs", OrderPayload { total: Money::new(1249, usd), ..good.clone() }),
        ("lines_refused", OrderPayload { lines: item(9, 1), ..good.clone() }),
        ("lines_refused", OrderPayload { lines: item(1, 100), ..good.clone() }),
        ("unknown_catalogue", OrderPayload { catalogue_version: 2, ..good.clone() }),
        ("mode_differs", OrderPayload { mode: Mode::Live, ..good.clone() }),
        ("lifetime_over", OrderPayload { held_at_unix_s: 1_000, ..good.clone() }),
        (
            "unknown_payment_type",
            OrderPayload { payment_type: "CASH".parse().unwrap(), ..good.clone() },
        ),
    ] {
        let answer = submit(&world, handheld.signed(payload).to_bytes()).await;
        assert_eq!(answer.code(), code);
        assert!(answer.status.is_client_error());
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
}

#[tokio::test]
async fn the_same_order_again_is_answered_as_before() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let first = submit(&world, order.to_bytes()).await.json();
    let again = submit(&world, order.to_bytes()).await.json();
    assert_eq!(again["payment"], first["payment"]);
    // Another signature of the same payload, in an envelope with COSE's tag: the same order.
    let mut tagged = vec![0xD2];
    tagged.extend(handheld.signed(order.payload().clone()).to_bytes());
    let tagged = submit(&world, tagged).await.json();
    assert_eq!(tagged["payment"], first["payment"]);
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 1);
}

#[tokio::test]
async fn the_same_id_with_another_payload_is_a_conflict() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    handheld.send(&world, &order).await;
    let other = OrderPayload { payment: order.payload().payment, ..handheld.payload(2) };
    let answer = submit(&world, handheld.signed(other).to_bytes()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "payment_conflict"));
    let reused = OrderPayload { sequence: order.payload().sequence, ..handheld.payload(2) };
    let answer = submit(&world, handheld.signed(reused).to_bytes()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "sequence_reused"));
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 1);
}

#[tokio::test]
async fn a_handheld_of_another_kind_of_body_is_told_so() {
    let world = World::start().await;
    let order = Handheld::enrol(&world).await.order().to_bytes();
    let json = [("content-type", "application/json")];
    assert_eq!(world.post("/api/demo/orders", &json, order.clone()).await.code(), "malformed");
    assert_eq!(submit(&world, vec![0; 5_000]).await.code(), "too_large");
    assert_eq!(world.get("/api/demo/orders").await.code(), "not_found");
    let cose = [("content-type", "application/cose")];
    assert_eq!(world.post("/api/other/orders", &cose, order).await.code(), "not_found");
}

async fn poll(world: &World, handheld: &Handheld, after: u64, wait_s: u32) -> Value {
    let authorization = handheld.authorization(world).await;
    let path = format!("/api/demo/handheld/payments?after={after}&wait_s={wait_s}");
    let headers = [("authorization", authorization.as_str())];
    let answer = world.send(Method::GET, &path, &headers, vec![]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn ids(changes: &Value) -> Vec<String> {
    let payments = changes["payments"].as_array().unwrap().iter();
    payments.map(|it| it["payment"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_long_poll_hears_of_its_own_handhelds_payments_alone() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let other = Handheld::enrol_with(&world, &new_link(&world, true).await).await;
    let (waiting, sent) = tokio::join!(poll(&world, &handheld, 0, 25), async {
        other.send(&world, &other.order()).await;
        handheld.send(&world, &handheld.order()).await
    });
    assert_eq!(ids(&waiting), [sent]);
    let revision = waiting["revision"].as_u64().unwrap();
    let begun = Instant::now();
    let nothing = poll(&world, &handheld, revision, 1).await;
    assert!(ids(&nothing).is_empty() && begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(nothing["revision"].as_u64(), Some(revision));
}

#[tokio::test]
async fn orders_of_one_handheld_sent_all_at_once_are_all_taken() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let orders: Vec<SignedOrder> = (0..40).map(|_| handheld.order()).collect();
    let sending = orders.iter().map(|order| submit(&world, order.to_bytes()));
    let answers = futures_util::future::join_all(sending).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 40);
    assert_eq!(world.count("SELECT COUNT(DISTINCT revision) FROM payments").await, 40);
    assert_eq!(ids(&poll(&world, &handheld, 0, 0).await).len(), 40);
}
