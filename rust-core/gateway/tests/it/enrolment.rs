//! How a handheld gets in, and how it does not.

use crate::handheld::{Handheld, ask_to_enrol, new_key, new_link, submit};
use crate::world::{World, tenant};
use holdfast_gateway::admin;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

async fn config(world: &World, handheld: &Handheld) -> Value {
    let authorization = handheld.authorization(world).await;
    let headers = [("authorization", authorization.as_str())];
    let answer = world.send(Method::GET, "/api/demo/handheld/config", &headers, vec![]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_code_enrols_one_handheld_once() {
    let world = World::start().await;
    let link = new_link(&world, true).await;
    let (key, stranger) = (new_key(), new_key());
    let first = ask_to_enrol(&world, &link, &key, &key).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(ask_to_enrol(&world, &link, &stranger, &stranger).await.code(), "code_wrong");
    // Its answer may have been lost: the same handheld gets it again.
    let again = ask_to_enrol(&world, &link, &key, &key).await;
    assert_eq!(again.json(), first.json());
    assert_eq!(world.count("SELECT COUNT(*) FROM devices").await, 1);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let world = World::start().await;
    let link = new_link(&world, true).await;
    world.clock.skip_ahead(Duration::from_secs(601));
    let key = new_key();
    assert_eq!(ask_to_enrol(&world, &link, &key, &key).await.code(), "code_wrong");
    assert_eq!(world.count("SELECT COUNT(*) FROM devices").await, 0);
}

#[tokio::test]
async fn whoever_does_not_hold_the_key_is_not_enrolled() {
    let world = World::start().await;
    let link = new_link(&world, true).await;
    let (key, stranger) = (new_key(), new_key());
    let answer = ask_to_enrol(&world, &link, &key, &stranger).await;
    assert_eq!(answer.code(), "signature_wrong");
    // The code was not used up by it.
    assert_eq!(ask_to_enrol(&world, &link, &key, &key).await.status, 200);
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let world = World::start().await;
    let mut link = new_link(&world, true).await;
    link.code = holdfast_domain::ShortCode::from_bits([0; 5]);
    let key = new_key();
    for _ in 0..10 {
        assert_eq!(ask_to_enrol(&world, &link, &key, &key).await.code(), "code_wrong");
    }
    let answer = ask_to_enrol(&world, &link, &key, &key).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "rate_limited"));
    assert!(answer.headers.contains_key("retry-after"));
    world.clock.skip_ahead(Duration::from_secs(61));
    assert_eq!(ask_to_enrol(&world, &link, &key, &key).await.code(), "code_wrong");
}

#[tokio::test]
async fn a_handheld_takes_payments_only_after_it_is_approved() {
    let world = World::start().await;
    let handheld = Handheld::enrol_with(&world, &new_link(&world, false).await).await;
    assert!(!handheld.enrolled.approved);
    assert_eq!(config(&world, &handheld).await["approved"], false);
    let order = handheld.order();
    let refused = submit(&world, order.to_bytes()).await;
    assert_eq!(refused.code(), "device_not_approved");
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
    let device = handheld.enrolled.device;
    let approved = admin::handheld_approve(&world.data(), &tenant(), device).await.unwrap();
    assert_eq!(approved.six_digits, handheld.enrolled.six_digits);
    assert_eq!(config(&world, &handheld).await["approved"], true);
    handheld.send(&world, &order).await;
}

#[tokio::test]
async fn the_configuration_says_what_may_be_sold_and_how() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let config = config(&world, &handheld).await;
    assert_eq!(config["organisation"], "Demo Borough");
    assert_eq!(config["officer"]["name"], "Ada Okafor");
    assert_eq!(config["catalogue"]["items"][0]["price"]["minor"], 1250);
    let offer = &config["payment_types"][0];
    assert_eq!((&offer["code"], &offer["mode"]), (&"STRIPE".into(), &"test".into()));
}

#[tokio::test]
async fn a_token_needs_the_handhelds_key_and_the_right_time() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let by_another = handheld.ask_for_token(&world, &new_key(), 0).await;
    assert_eq!(by_another.code(), "signature_wrong");
    for late_s in [-400, 400] {
        let answer = handheld.ask_for_token(&world, &handheld.key, late_s).await;
        assert_eq!(answer.code(), "clock_wrong");
        assert!(answer.json()["gateway_time_unix_s"].is_u64());
    }
    assert_eq!(handheld.ask_for_token(&world, &handheld.key, 200).await.status, 200);
    let unsigned = world.post("/api/demo/handheld/token", &[], vec![]).await;
    assert_eq!(unsigned.code(), "malformed");
}

#[tokio::test]
async fn without_a_good_token_nothing_is_read() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let authorization = handheld.authorization(&world).await;
    for path in ["/api/demo/handheld/config", "/api/demo/handheld/payments?after=0"] {
        for bad in ["", "Bearer ", "Bearer abc", &authorization[..authorization.len() - 4]] {
            let answer = world.send(Method::GET, path, &[("authorization", bad)], vec![]).await;
            assert_eq!(answer.code(), "unauthorized", "{path} {bad:?}");
        }
    }
    world.clock.skip_ahead(Duration::from_secs(16 * 60));
    let headers = [("authorization", authorization.as_str())];
    let late = world.send(Method::GET, "/api/demo/handheld/config", &headers, vec![]).await;
    assert_eq!(late.code(), "unauthorized");
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_by_code() {
    let world = World::start().await;
    let headers = [("content-type", "application/json")];
    for body in ["", "{", "[]", "{\"version\":1}", "\u{0}"] {
        let body = body.as_bytes().to_vec();
        let answer = world.post("/api/demo/handheld/enrol", &headers, body).await;
        assert_eq!(answer.code(), "malformed");
    }
    let huge = vec![b' '; 100_000];
    let answer = world.post("/api/demo/handheld/enrol", &headers, huge).await;
    assert_eq!(answer.code(), "too_large");
    let elsewhere = world.post("/api/nobody/handheld/token", &[], vec![]).await;
    assert_eq!(elsewhere.code(), "not_found");
}

#[tokio::test]
async fn a_browser_that_opens_an_enrolment_link_is_told_to_use_the_handheld() {
    let world = World::start().await;
    let link = new_link(&world, true).await;
    let page = world.get(&format!("/e/demo/{}", link.code)).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Open this with the handheld"), "{}", page.body);
}
