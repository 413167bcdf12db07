//! From the pay address to the one order.

use crate::handheld::{Handheld, path_of, submit};
use crate::world::{Answer, GOOD_CARD, POOR_CARD, Setup, World};
use holdfast_domain::Secret;
use holdfast_protocol::confirm_code;
use holdfast_sandbox::core::PayOutcome;
use std::time::Duration;

async fn press_pay(world: &World, path: &str) -> Answer {
    world.post(&format!("{path}/pay"), &[], Vec::new()).await
}

/// The path that Stripe's page leads back to.
fn way_back(world: &World, outcome: PayOutcome) -> String {
    match outcome {
        PayOutcome::Paid { redirect } => redirect.strip_prefix(&world.url("")).unwrap().to_owned(),
        other => panic!("not paid: {other:?}"),
    }
}

async fn only_one_order(world: &World) {
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM payments WHERE state = 'paid'").await, 1);
}

#[tokio::test]
async fn a_payment_goes_from_the_pay_address_to_the_receipt() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let page = world.get(&path_of(&order)).await;
    for part in ["To pay", "Demo Borough", "USD 12.50", "1 × Day permit", "TEST MODE"] {
        assert!(page.body.contains(part), "{part}");
    }
    let stripe_page = press_pay(&world, &path_of(&order)).await.location();
    way_back(&world, world.type_card(&stripe_page, GOOD_CARD));
    let page = world.page_says(&payment, "receipt-order-id").await;
    let secret = data_encoding::BASE64URL_NOPAD.decode(handheld.enrolled.confirm_secret.as_bytes());
    let secret = Secret::new(secret.unwrap().try_into().unwrap());
    let code = confirm_code(&secret, order.payload().payment, order.payload().total);
    assert!(page.contains(&code.to_string()), "{page}");
    let receipt = world.text("SELECT receipt_order_id FROM orders").await;
    assert!(page.contains(&receipt) && page.contains("Paid"));
    only_one_order(&world).await;
    // Its address leads to the receipt now, and cannot be paid again.
    assert!(world.get(&path_of(&order)).await.body.contains("See this payment"));
    assert_eq!(press_pay(&world, &path_of(&order)).await.location(), format!("/pay/{payment}"));
    assert_eq!(world.sessions(), 1);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let (unseen, seen) = (handheld.order(), handheld.order());
    let payment = handheld.send(&world, &seen).await;
    let before = world.ledger().await;
    for path in [
        path_of(&unseen),
        path_of(&unseen).to_lowercase(),
        path_of(&seen),
        format!("/pay/{payment}"),
        format!("/pay/{payment}/return?session_id=cs_test_made_up"),
    ] {
        let answer = world.get(&path).await;
        assert!(answer.status == 200 || answer.status == 303, "{path}: {}", answer.status);
    }
    assert_eq!(world.ledger().await, before);
    assert_eq!(world.sessions(), 0);
}

#[tokio::test]
async fn a_payer_may_bring_the_order_before_its_handheld_does() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let stripe_page = press_pay(&world, &path_of(&order).to_lowercase()).await.location();
    way_back(&world, world.type_card(&stripe_page, GOOD_CARD));
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    // The handheld comes back into the network and sends what was paid long ago.
    let answer = submit(&world, order.to_bytes()).await.json();
    assert_eq!(answer["payment"]["state"], "paid");
    assert_eq!(world.text("SELECT carrier FROM payments").await, "payer");
    only_one_order(&world).await;
}

#[tokio::test]
async fn two_browsers_that_press_pay_at_once_get_the_same_page() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let path = path_of(&handheld.order());
    let presses = (0..8).map(|_| press_pay(&world, &path));
    let answers = futures_util::future::join_all(presses).await;
    let pages: Vec<_> = answers.iter().map(Answer::location).collect();
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    assert_eq!(world.sessions(), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM attempts").await, 1);
}

#[tokio::test]
async fn webhook_redirect_and_poll_together_make_one_order() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let path = path_of(&handheld.order());
    let stripe_page = press_pay(&world, &path).await.location();
    let back = way_back(&world, world.type_card(&stripe_page, GOOD_CARD));
    let returns = (0..6).map(|_| world.get(&back));
    let answers = futures_util::future::join_all(returns).await;
    assert!(answers.iter().all(|answer| answer.location().starts_with("/pay/")));
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    world.until("SELECT COUNT(*) > 0 FROM events WHERE payment <> ''", 1).await;
    world.until("SELECT COUNT(*) FROM jobs WHERE kind = 'check_session'", 0).await;
    only_one_order(&world).await;
}

#[tokio::test]
async fn a_payment_settles_without_any_webhook() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let stripe_page = press_pay(&world, &path_of(&order)).await.location();
    way_back(&world, world.type_card(&stripe_page, GOOD_CARD));
    // Nobody comes back from Stripe's page either: the poll alone finds it.
    world.page_says(&payment, "receipt-order-id").await;
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
    assert!(world.count("SELECT COUNT(*) FROM evidence WHERE source = 'poll'").await > 0);
    only_one_order(&world).await;
}

#[tokio::test]
async fn the_redirect_settles_a_payment_by_itself() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let stripe_page = press_pay(&world, &path_of(&order)).await.location();
    let back = way_back(&world, world.type_card(&stripe_page, GOOD_CARD));
    let page = world.get(&back).await.location();
    assert!(world.get(&page).await.body.contains("receipt-order-id"));
    only_one_order(&world).await;
}

#[tokio::test]
async fn a_declined_card_says_why_and_the_same_session_takes_another() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let stripe_page = press_pay(&world, &path_of(&order)).await.location();
    assert!(matches!(world.type_card(&stripe_page, POOR_CARD), PayOutcome::Declined { .. }));
    world.page_says(&payment, "not enough funds").await;
    let sent = submit(&world, order.to_bytes()).await.json();
    assert_eq!(sent["payment"]["decline"], "not_enough_funds");
    assert_eq!(press_pay(&world, &path_of(&order)).await.location(), stripe_page);
    way_back(&world, world.type_card(&stripe_page, GOOD_CARD));
    world.page_says(&payment, "receipt-order-id").await;
    assert_eq!(world.sessions(), 1);
    only_one_order(&world).await;
}

#[tokio::test]
async fn an_expired_session_can_be_followed_by_another() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let first = press_pay(&world, &path_of(&order)).await.location();
    world.sandbox.handle().skip_ahead(Duration::from_secs(3 * 60 * 60));
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'owed'", 1).await;
    world.clock.skip_ahead(Duration::from_secs(3 * 60 * 60));
    let second = press_pay(&world, &format!("/pay/{payment}")).await.location();
    assert_ne!(first, second);
    assert!(matches!(world.type_card(&first, GOOD_CARD), PayOutcome::Expired));
    way_back(&world, world.type_card(&second, GOOD_CARD));
    world.page_says(&payment, "receipt-order-id").await;
    only_one_order(&world).await;
}

#[tokio::test]
async fn a_pay_address_that_cannot_be_paid_says_what_to_do() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let good = path_of(&handheld.order());
    let mut stranger = handheld.payload(1);
    stranger.device = holdfast_domain::DeviceId::from_bytes([9; 8]);
    let mut old = handheld.payload(1);
    old.held_at_unix_s -= 2 * 86_400;
    let mut elsewhere = handheld.payload(1);
    elsewhere.gateway = holdfast_domain::GatewayId::from_bytes([9; 8]);
    for (path, words) in [
        (good[..good.len() - 9].to_owned(), "Scan the code again"),
        ("/O/NOT-BASE32".to_owned(), "Scan the code again"),
        (path_of(&handheld.signed(stranger)), "enrolment code"),
        (path_of(&handheld.signed(old)), "too old to be paid"),
        (path_of(&handheld.signed(elsewhere)), "another gateway"),
    ] {
        for answer in [world.get(&path).await, press_pay(&world, &path).await] {
            assert!(answer.status.is_client_error(), "{}", answer.status);
            assert!(answer.body.contains(words), "{words}: {}", answer.body);
            assert!(answer.body.contains("Nothing was charged"));
        }
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
}

#[tokio::test]
async fn what_comes_from_outside_is_shown_as_text() {
    let name = "<script>alert(1)</script> & Co";
    let world = World::with(Setup { name, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let mut payload = handheld.payload(1);
    payload.lines = vec![holdfast_domain::OrderLine::Item { item: 2, quantity: 1 }];
    payload.total = holdfast_domain::Money::new(15_000, payload.total.currency());
    let order = handheld.signed(payload);
    let payment = handheld.send(&world, &order).await;
    for path in [path_of(&order), format!("/pay/{payment}")] {
        let page = world.get(&path).await.body;
        assert!(!page.contains("<script>alert") && !page.contains("<b>release"), "{page}");
        assert!(page.contains("&#60;script") || page.contains("&lt;script"), "{page}");
    }
}

#[tokio::test]
async fn a_payment_that_is_not_there_is_not_found() {
    let world = World::start().await;
    let unknown = "018f0000-0000-7000-8000-000000000000";
    for path in [format!("/pay/{unknown}"), format!("/pay/{unknown}/live"), "/pay/x".to_owned()] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(press_pay(&world, &format!("/pay/{unknown}")).await.status, 404);
}
