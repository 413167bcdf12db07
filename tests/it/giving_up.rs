//! Cancel, withdraw, and a handheld that is not welcome any more.

use crate::field::Field;
use crate::payer::Payer;
use crate::radio::Air;
use crate::world::{Webhooks, World, tenant};
use holdfast_domain::{AttentionReason, DeviceId, PaymentState};
use holdfast_gateway::admin;
use holdfast_handheld::{HoldError, RequestError, WhoActs};

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_made_offline_reads_requested_and_is_canceled_when_it_arrives() {
    let world = World::new(Webhooks::None).await;
    let field = Field::enrolled(&world).await;
    field.radio.set(Air::Dead);
    let held = field.hold().await;
    let asked = field.core.cancel(held.payment_id.clone()).await.expect("asked");
    assert_eq!((asked.state, asked.pay_address), (PaymentState::CancelRequested, None));
    assert_eq!(world.count("payments").await, 0);

    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    let canceled = field.until(&held.payment_id, PaymentState::Canceled).await;
    assert!(canceled.request.expect("the request").answered);
    assert_eq!((world.count("payments").await, world.count("notices").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_wins_over_a_cancellation_that_comes_later() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    field.radio.set(Air::Dead);
    let held = field.hold().await;
    Payer::new().pay(&held.pay_address.expect("an address")).await;
    field.core.cancel(held.payment_id.clone()).await.expect("asked");
    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    field.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
    let over = field.core.withdraw(held.payment_id, "Too late.".to_owned()).await;
    assert_eq!(over, Err(RequestError::Over { state: PaymentState::Paid }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_carries_its_reason_to_the_gateway() {
    let world = World::new(Webhooks::None).await;
    let field = Field::enrolled(&world).await;
    let held = field.hold().await;
    field.until(&held.payment_id, PaymentState::Sent).await;
    let reason = "The payer left.".to_owned();
    field.core.withdraw(held.payment_id.clone(), reason.clone()).await.expect("asked");
    let view = field.until(&held.payment_id, PaymentState::Withdrawn).await;
    assert_eq!(view.request.expect("the request").reason, Some(reason));
    assert_eq!(world.count("notices WHERE reason = 'The payer left.'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_handheld_holds_nothing_new_and_its_unseen_order_waits_for_a_person() {
    let world = World::new(Webhooks::None).await;
    let field = Field::enrolled(&world).await;
    field.radio.set(Air::Dead);
    let held = field.hold().await;
    let device = field.core.snapshot().enrolment.expect("enrolled").device_id;
    let device = DeviceId::parse(&device).expect("an ID");
    admin::handheld_revoke(world.data(), &tenant(), device).await.expect("revoked");
    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    let waits = field.until(&held.payment_id, PaymentState::NeedsAttention).await;
    assert_eq!(waits.attention, Some(AttentionReason::AwaitsApproval));
    assert_eq!(waits.who_acts, Some(WhoActs::Administrator));
    field.until_that(|snapshot| snapshot.enrolment.as_ref().is_some_and(|e| !e.approved)).await;
    let cart = vec![holdfast_handheld::CartLine { item_id: 1, quantity: 1 }];
    let draft = field.core.open_summary(cart).await.expect("a draft").payment_id;
    field.core.choose_method(draft.clone(), "STRIPE".to_owned()).await.expect("a method");
    assert_eq!(field.core.hold(draft).await, Err(HoldError::NotApproved));
    assert_eq!(world.count("payments WHERE state = 'needs_attention'").await, 1);
    assert_eq!(world.count("orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handheld_enrolled_anew_with_another_key_cancels_what_it_held_before() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    let held = field.hold().await;
    field.until(&held.payment_id, PaymentState::Sent).await;
    let other = field.hold().await;
    field.until(&other.payment_id, PaymentState::Sent).await;

    let field = field.with_another_key();
    let code = admin::handheld_code(world.data(), &tenant(), None, false).await.expect("a code");
    let enrolled = field.core.enrol(code.link).await.expect("enrolled");
    assert!(!enrolled.approved);
    field.core.cancel(held.payment_id.clone()).await.expect("asked for");
    let _ = field.core.refresh().await;
    // Nobody has approved that this is the same handheld.
    assert_eq!(field.payment(&held.payment_id).state, PaymentState::CancelRequested);
    let device = world.newest_handheld().await;
    admin::handheld_approve(world.data(), &tenant(), device).await.expect("approved");
    field.until(&held.payment_id, PaymentState::Canceled).await;
    assert_eq!(world.count("device_continuity").await, 1);
    // And it hears what becomes of the other one.
    Payer::new().pay(&other.pay_address.expect("an address")).await;
    field.until(&other.payment_id, PaymentState::Paid).await;
}
