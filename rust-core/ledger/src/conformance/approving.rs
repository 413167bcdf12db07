//! Orders of a handheld that was revoked before anybody saw them: kept, and up to a person.

use super::claiming::{card, cash, owing};
use super::fixture::{Bench, NOW_MS, accept, accepted, device, order, payload, tenant};
use super::settling::{learn, opened, opening, pay};
use crate::decisions::accept::WAITING_OF_A_REVOKED_HANDHELD_MAX;
use crate::{
    AcceptOutcome, Approve, ApproveOutcome, Device, DeviceStatus, EndLifetime, PayOutcome, Payment,
    Store,
};
use holdfast_domain::{AttentionReason, PaymentState};
use holdfast_protocol::wire::ErrorCode;

async fn revoke<B: Bench>(bench: &B) {
    bench.put_device(Device { status: DeviceStatus::Revoked, ..device() }).await;
}

async fn decide<B: Bench>(bench: &B, payment: &Payment, is_genuine: bool) -> ApproveOutcome {
    let (payment, who) = (payment.payment, "Ada".to_owned());
    bench.store().run(Approve { tenant: tenant(), payment, is_genuine, who }).await.unwrap()
}

async fn decided<B: Bench>(bench: &B, payment: &Payment, is_genuine: bool) -> Payment {
    match decide(bench, payment, is_genuine).await {
        ApproveOutcome::Decided { payment } => *payment,
        other => panic!("{other:?}"),
    }
}

fn assert_waits(payment: &Payment) {
    let why = (payment.state, payment.attention);
    assert_eq!(why, (PaymentState::NeedsAttention, Some(AttentionReason::AwaitsApproval)));
}

pub(super) async fn what_a_revoked_handheld_held_waits_for_a_person<B: Bench>(bench: &B) {
    let seen = accepted(bench, 1).await;
    revoke(bench).await;
    // What was seen before is as it was.
    assert_eq!(accepted(bench, 1).await, seen);
    assert!(matches!(decide(bench, &seen, true).await, ApproveOutcome::NotWaiting { .. }));
    let waits = accepted(bench, 2).await;
    assert_waits(&waits);
    assert_eq!(accepted(bench, 2).await, waits, "brought again, it is the same");
    // Nobody pays it, and time does not decide either.
    assert!(matches!(pay(bench, waits.payment, 1).await, PayOutcome::NotPayable { .. }));
    bench.set_now_ms(NOW_MS + 10 * 86_400_000);
    let end = EndLifetime { tenant: tenant(), payment: waits.payment };
    assert_waits(&bench.store().run(end).await.unwrap().unwrap());
    assert_eq!(decided(bench, &waits, true).await.state, PaymentState::Expired);
    bench.set_now_ms(NOW_MS);
    let third = accepted(bench, 3).await;
    let approved = decided(bench, &third, true).await;
    assert_eq!((approved.state, approved.attention), (PaymentState::Sent, None));
    opening(pay(bench, third.payment, 1).await);
    assert_eq!(opened(bench, third.payment, 1).await.state, PaymentState::WaitingForCard);
    assert!(matches!(decide(bench, &third, false).await, ApproveOutcome::NotWaiting { .. }));
    assert_eq!(bench.counts().await, (3, 0));
}

pub(super) async fn what_is_not_genuine_is_given_up<B: Bench>(bench: &B) {
    revoke(bench).await;
    let waits = accepted(bench, 1).await;
    assert_eq!(decided(bench, &waits, false).await.state, PaymentState::Withdrawn);
    assert!(matches!(decide(bench, &waits, true).await, ApproveOutcome::NotWaiting { .. }));
    assert!(matches!(pay(bench, waits.payment, 1).await, PayOutcome::NotPayable { .. }));
    assert_eq!(accepted(bench, 1).await.state, PaymentState::Withdrawn);
}

pub(super) async fn an_unapproved_hold_stands_in_nobodys_way<B: Bench>(bench: &B) {
    owing(bench).await;
    revoke(bench).await;
    let waits = card(bench, 1, &[("N-1", 6500)]).await;
    assert_waits(&waits);
    bench.put_device(device()).await;
    let other = card(bench, 2, &[("N-1", 6500)]).await;
    assert_eq!((other.state, other.held_up), (PaymentState::Sent, None));
    // Approved, it waits for the charge like anybody else.
    let approved = decided(bench, &waits, true).await;
    assert!(approved.held_up.is_some(), "{approved:?}");
}

pub(super) async fn cash_of_a_revoked_handheld_is_money_once_it_is_approved<B: Bench>(bench: &B) {
    owing(bench).await;
    revoke(bench).await;
    let waits = cash(bench, 1, &[("N-2", 4000)]).await;
    assert_waits(&waits);
    assert_eq!(learn(bench, waits.payment, vec![]).await.0.receipt_order_id, None);
    let approved = decided(bench, &waits, true).await;
    assert_eq!(approved.state, PaymentState::Paid);
    assert!(approved.receipt_order_id.is_some());
    assert_eq!(bench.counts().await, (1, 1));
}

pub(super) async fn a_revoked_handheld_has_room_for_so_many_and_again_once_one_is_decided<
    B: Bench,
>(
    bench: &B,
) {
    revoke(bench).await;
    let most = WAITING_OF_A_REVOKED_HANDHELD_MAX;
    let first = accepted(bench, 1).await;
    for number in 2..=most {
        accepted(bench, number).await;
    }
    let one_more = || accept(order(payload(most + 1)));
    let AcceptOutcome::Refused { code, message } = bench.store().run(one_more()).await.unwrap()
    else {
        panic!("taken");
    };
    // It is brought again, not given up; and what waits already is answered as before.
    assert!(code == ErrorCode::RateLimited && !code.is_final_for_an_order(), "{message}");
    assert!(message.contains("200 orders") && message.contains("administrator"), "{message}");
    assert_waits(&accepted(bench, 1).await);
    decided(bench, &first, false).await;
    assert_waits(&accepted(bench, most + 1).await);
}
