//! A disk that is nearly full: nothing is acknowledged that could not be kept.

use crate::handheld::{Handheld, path_of, submit};
use crate::office::Office;
use crate::world::{GOOD_CARD, Setup, WEBHOOK_SECRET, World};
use holdfast_sandbox::core::{Attempt, SendResult};
use holdfast_stripe::{WebhookSecret, webhook};
use std::time::Duration;

/// One byte less than the reserve.
const TOO_LITTLE: u64 = 64 * 1024 * 1024 - 1;
const EVENT: &str =
    r#"{"id":"evt_1","type":"moon.phase","created":1,"livemode":false,"data":{"object":{}}}"#;
const WEBHOOK: &str = "/api/demo/qr/payment/webhook";

#[tokio::test]
async fn a_nearly_full_disk_refuses_in_words_before_it_acknowledges_and_recovers_by_itself() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let office = Office::sign_in(&world).await;
    let csrf = office.csrf().await;
    let order = handheld.order();
    let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
    let signature = webhook::sign(EVENT.as_bytes(), &[secret], world.now_ms() / 1000);
    let signed = [("stripe-signature", signature.as_str())];
    assert_eq!(world.get("/ready").await.status, 200);
    let before = world.ledger().await;

    world.clock.leave_free(Some(TOO_LITTLE));
    for answer in [
        submit(&world, order.to_bytes()).await,
        world.post(WEBHOOK, &signed, EVENT.into()).await,
        handheld.ask_for_token(&world, &handheld.key, 0).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
        assert!(
            answer.json()["message"].as_str().unwrap().contains("made room"),
            "{}",
            answer.body
        );
    }
    for answer in [
        world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await,
        office.post("/admin/handhelds/code", &format!("csrf={csrf}&officer=1")).await,
    ] {
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains("No room left"), "{}", answer.body);
        assert!(answer.body.contains("nothing was charged"), "{}", answer.body);
    }
    // Whoever looks still sees.
    assert_eq!(world.get(&path_of(&order)).await.status, 200);
    assert_eq!(office.get("/admin/payments").await.status, 200);
    assert_eq!(world.get("/health").await.status, 200, "it is alive all the same");
    let ready = world.get("/ready").await;
    assert_eq!((ready.status.as_u16(), ready.body.contains("63 MB are free")), (503, true));
    assert_eq!(world.ledger().await, before, "something was kept");

    world.clock.leave_free(None);
    assert_eq!(world.get("/ready").await.status, 200, "at once, not when the last answer is old");
    handheld.send(&world, &order).await;
    assert_eq!(world.post(WEBHOOK, &signed, EVENT.into()).await.status, 200);
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 1);
}

fn is_503(attempt: &Attempt) -> bool {
    matches!(attempt.result, SendResult::Answered { status: 503, .. })
}

#[tokio::test]
async fn a_delivery_that_found_no_room_comes_again_and_settles_the_payment() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.clock.leave_free(Some(TOO_LITTLE));
    world.type_card(&page, GOOD_CARD);
    let refused = || {
        world.sandbox.handle().with_core(|core, _| {
            core.deliveries().iter().filter(|it| it.attempts.iter().any(is_503)).count()
        })
    };
    let begun = std::time::Instant::now();
    while refused() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was delivered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM deliveries WHERE answer = 200").await, 0);
    world.clock.leave_free(None);
    world.sandbox.handle().skip_ahead(Duration::from_secs(4 * 60));
    world.clock.skip_ahead(Duration::from_secs(4 * 60));
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    world.until("SELECT COUNT(*) > 0 FROM deliveries WHERE outcome = 'followed'", 1).await;
}
