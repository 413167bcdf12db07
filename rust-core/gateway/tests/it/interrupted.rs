//! Lost answers, a Stripe that is down or refuses, and a gateway that is stopped halfway.

use crate::handheld::{Handheld, path_of};
use crate::proxy::{Line, Proxy};
use crate::world::{Answer, GOOD_CARD, World};
use std::time::Duration;

const UNAUTHORISED: Line = Line::Answers {
    status: 401,
    body: r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}"#,
};
const REFUSED: Line = Line::Answers {
    status: 400,
    body: r#"{"error":{"type":"invalid_request_error","code":"url_invalid","message":"No"}}"#,
};

async fn behind(line: Line) -> (World, Proxy, Handheld) {
    let world = World::start().await;
    let proxy = Proxy::before(world.sandbox.url(), line).await;
    world.stripe_set(&proxy.url).await;
    let handheld = Handheld::enrol(&world).await;
    (world, proxy, handheld)
}

async fn press_pay(world: &World, path: &str) -> Answer {
    world.post(&format!("{path}/pay"), &[], Vec::new()).await
}

#[tokio::test]
async fn a_lost_answer_leads_to_the_session_that_was_made() {
    let (world, _proxy, handheld) = behind(Line::LosesAnswers(2)).await;
    let path = path_of(&handheld.order());
    let page = press_pay(&world, &path).await.location();
    assert!(page.contains("/c/pay/cs_test_"), "{page}");
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn a_session_that_nobody_heard_of_is_looked_up_once_sending_is_over() {
    let (world, _proxy, handheld) = behind(Line::LosesAnswers(u32::MAX)).await;
    let path = path_of(&handheld.order());
    let pressed = press_pay(&world, &path).await;
    assert_eq!(pressed.status, 503);
    assert!(pressed.body.contains("Nothing was charged"), "{}", pressed.body);
    assert_eq!(world.sessions(), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM attempts WHERE state = 'frozen'").await, 1);
    // Half an hour before its end Stripe would refuse the same request.
    world.clock.skip_ahead(Duration::from_secs(95 * 60));
    world.until("SELECT COUNT(*) FROM attempts WHERE state = 'opened'", 1).await;
    let page = press_pay(&world, &path).await.location();
    world.type_card(&page, GOOD_CARD);
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn a_request_that_never_arrived_makes_room_for_another() {
    let (world, proxy, handheld) = behind(UNAUTHORISED).await;
    let path = path_of(&handheld.order());
    assert_eq!(press_pay(&world, &path).await.status, 503);
    world.clock.skip_ahead(Duration::from_secs(95 * 60));
    world.until("SELECT COUNT(*) FROM attempts WHERE state = 'disposed'", 1).await;
    assert_eq!(world.sessions(), 0);
    proxy.becomes(Line::Good);
    world.sandbox.handle().skip_ahead(Duration::from_secs(95 * 60));
    press_pay(&world, &path).await.location();
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn a_gateway_that_was_stopped_goes_on_where_it_was() {
    let (mut world, proxy, handheld) = behind(UNAUTHORISED).await;
    let path = path_of(&handheld.order());
    assert_eq!(press_pay(&world, &path).await.status, 503);
    let frozen = world.text("SELECT frozen_body FROM attempts").await;
    world.restart().await;
    proxy.becomes(Line::Good);
    // The job is done without anybody pressing again, with the bytes that were stored.
    world.until("SELECT COUNT(*) FROM attempts WHERE state = 'opened'", 1).await;
    assert_eq!(world.text("SELECT frozen_body FROM attempts").await, frozen);
    press_pay(&world, &path).await.location();
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn a_mistyped_key_is_mended_by_setting_the_right_one() {
    let (world, _proxy, handheld) = behind(UNAUTHORISED).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    assert_eq!(press_pay(&world, &path_of(&order)).await.status, 503);
    world.stripe_set_key(world.sandbox.url(), "sk_test_51TheRightKeyAbcd").await;
    assert_eq!(world.count("SELECT MAX(generation) FROM processors").await, 2);
    // The payment stays tied to the first generation, and the second one answers for it.
    world.until("SELECT COUNT(*) FROM attempts WHERE state = 'opened'", 1).await;
    let page = press_pay(&world, &path_of(&order)).await.location();
    world.type_card(&page, GOOD_CARD);
    world.page_says(&payment, "receipt-order-id").await;
    assert_eq!(world.count("SELECT pin_generation FROM payments").await, 1);
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn stopping_waits_for_nobody_who_only_listens() {
    let mut world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let payment = handheld.send(&world, &handheld.order()).await;
    let authorization = handheld.authorization(&world).await;
    let stream = world.http.get(world.url(&format!("/pay/{payment}/live?after=999")));
    let mut stream = stream.send().await.unwrap();
    let poll = world.http.get(world.url("/api/demo/handheld/payments?after=999&wait_s=25"));
    let poll = tokio::spawn(poll.header("authorization", authorization).send());
    let begun = std::time::Instant::now();
    world.gateway.take().unwrap().shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(stream.chunk().await.unwrap(), None);
    // The poll either ended with no news, or had not begun.
    if let Ok(answer) = poll.await.unwrap() {
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn what_stripe_refuses_for_good_needs_a_person() {
    let (world, _proxy, handheld) = behind(REFUSED).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let pressed = press_pay(&world, &path_of(&order)).await;
    assert_eq!(pressed.location(), format!("/pay/{payment}"));
    let page = world.page_says(&payment, "Needs attention").await;
    assert!(page.contains("Do not pay again"), "{page}");
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 0);
}
