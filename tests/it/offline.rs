//! Holds without a network: kept, carried, and sent later.

use crate::payer::{Payer, text_of};
use crate::radio::Air;
use crate::world::{Webhooks, World};
use holdfast_domain::PaymentState;

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_without_network_is_carried_by_the_payer_and_the_replay_changes_nothing() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    handheld.radio.set(Air::Dead);
    let held = handheld.hold().await;
    assert_eq!(held.state, PaymentState::Queued);

    let payer = Payer::new();
    let back = payer.pay(&held.pay_address.expect("an address, offline too")).await;
    let page = payer.come_back(&back).await;
    assert_eq!((world.count("orders").await, world.count("payments").await), (1, 1));
    assert_eq!(handheld.payment(&held.payment_id).state, PaymentState::Queued);
    assert_eq!(handheld.payment(&held.payment_id).confirm_code, None);

    handheld.reconnect().await;
    let paid = handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!(paid.confirm_code, Some(text_of(&page, "confirm-code")));
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handheld_that_dies_between_hold_and_send_sends_after_its_restart() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    handheld.radio.set(Air::Dead);
    let held = handheld.hold().await;

    let handheld = handheld.restarted(Air::Dead);
    let found = handheld.payment(&held.payment_id);
    assert_eq!((found.state, found.pay_address), (PaymentState::Queued, held.pay_address));
    assert_eq!(world.count("payments").await, 0);

    let handheld = handheld.restarted(Air::Clear);
    handheld.until(&held.payment_id, PaymentState::Sent).await;
    assert_eq!(world.count("payments").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_with_the_same_bytes_and_makes_no_second_payment() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    handheld.radio.set(Air::OneWayForOrders);
    let held = handheld.hold().await;
    while handheld.radio.orders_sent() < 2 {
        handheld.core.refresh().await.ok();
        tokio::task::yield_now().await;
    }
    assert_eq!(world.count("payments").await, 1);
    handheld.reconnect().await;
    handheld.until(&held.payment_id, PaymentState::Sent).await;
    assert_eq!(world.count("payments").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_holds_in_the_dark_are_eight_payments_when_the_light_returns() {
    let world = World::new(Webhooks::ByTenant).await;
    let handheld = world.handheld().await;
    handheld.radio.set(Air::Dead);
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(handheld.hold().await);
    }
    handheld.reconnect().await;
    let payer = Payer::new();
    for payment in &held {
        handheld.until(&payment.payment_id, PaymentState::Sent).await;
        payer.pay(payment.pay_address.as_deref().expect("an address")).await;
    }
    for payment in &held {
        handheld.until(&payment.payment_id, PaymentState::Paid).await;
    }
    assert_eq!((world.count("orders").await, world.charges()), (8, 8));
}
