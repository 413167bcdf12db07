//! The ordinary way, and declines.

use crate::payer::{GOOD, NO_FUNDS, Payer, text_of};
use crate::world::{Webhooks, World};
use holdfast_domain::{DeclineReason, PaymentState};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_hold_to_the_receipt() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    let address = held.pay_address.expect("a pay address at once");
    handheld.until(&held.payment_id, PaymentState::Sent).await;

    let payer = Payer::new();
    let page = payer.look(&address).await;
    assert!(page.contains("City of Hill") && page.contains("25.00"), "{page}");
    let back = payer.pay(&address).await;
    let page = payer.come_back(&back).await;

    let paid = handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!(paid.receipt_order_id, Some(text_of(&page, "receipt-order-id")));
    assert_eq!(paid.confirm_code, Some(text_of(&page, "confirm-code")));
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    let sent = handheld.until(&held.payment_id, PaymentState::Sent).await;
    let payer = Payer::new();
    for _ in 0..3 {
        payer.look(&held.pay_address.clone().expect("an address")).await;
    }
    assert_eq!(world.count("attempts").await, 0);
    assert_eq!(handheld.payment(&held.payment_id), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_is_told_and_the_same_session_takes_another() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    let payer = Payer::new();
    let address = held.pay_address.expect("an address");
    let card_page = payer.press_pay(&address).await;
    let page = payer.enter_card(&card_page, NO_FUNDS).await.expect_err("declined");
    assert!(page.contains("insufficient") || page.to_lowercase().contains("funds"), "{page}");
    let declined = handheld.until(&held.payment_id, PaymentState::Declined).await;
    assert_eq!(declined.decline, Some(DeclineReason::NotEnoughFunds));

    assert_eq!(payer.press_pay(&address).await, card_page, "another session was opened");
    payer.enter_card(&card_page, GOOD).await.expect("paid");
    handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!((world.count("orders").await, world.count("attempts").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_pressing_pay_at_once_share_one_session() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    let address = held.pay_address.expect("an address");
    let payer = Payer::new();
    let (one, two) = tokio::join!(payer.press_pay(&address), payer.press_pay(&address));
    assert_eq!(one, two);
    payer.enter_card(&one, GOOD).await.expect("paid");
    handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!((world.count("attempts").await, world.charges()), (1, 1));
}
