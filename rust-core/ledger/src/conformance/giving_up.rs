//! Cancel and withdraw.

use super::fixture::{
    Bench, accept, accepted, device, notice, order, payload, signed_notice, tenant,
};
use super::settling::{charge_of, learn, opened, opening, pay, session};
use crate::{AcceptOutcome, Device, DeviceStatus, NoticeOutcome, Payment, Store, TakeNotice};
use holdfast_domain::{ChargeOutcome, DeviceId, PaymentState, SessionStatus};
use holdfast_protocol::wire::ErrorCode;
use holdfast_protocol::{NoticeKind, NoticePayload};

async fn take<B: Bench>(bench: &B, n: u64, kind: NoticeKind) -> Option<Box<Payment>> {
    let taken = TakeNotice { notice: notice(payload(n).payment, kind), tenant: tenant() };
    match bench.store().run(taken).await.unwrap() {
        NoticeOutcome::Taken { payment } => payment,
        NoticeOutcome::Refused { message, .. } => panic!("refused: {message}"),
    }
}

fn withdraw() -> NoticeKind {
    NoticeKind::Withdraw { reason: "The payer left.".into() }
}

pub(super) async fn a_payment_that_nobody_opened_is_canceled_at_once<B: Bench>(bench: &B) {
    accepted(bench, 1).await;
    let canceled = take(bench, 1, NoticeKind::Cancel).await.unwrap();
    assert_eq!(canceled.state, PaymentState::Canceled);
    let again = take(bench, 1, NoticeKind::Cancel).await.unwrap();
    assert_eq!(again, canceled);
}

pub(super) async fn an_open_payment_is_canceled_only_with_proof<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    opening(pay(bench, payment, 1).await);
    // Nobody knows yet whether the request made a session.
    let asked = take(bench, 1, NoticeKind::Cancel).await.unwrap();
    assert_eq!(asked.state, PaymentState::CancelRequested);
    assert_eq!(opened(bench, payment, 1).await.state, PaymentState::CancelRequested);
    let over = vec![session(1, SessionStatus::Expired)];
    assert_eq!(learn(bench, payment, over).await.0.state, PaymentState::Canceled);
}

pub(super) async fn paid_wins_over_cancel_and_withdraw<B: Bench>(bench: &B) {
    for (n, kind) in [(1, NoticeKind::Cancel), (2, withdraw())] {
        let payment = accepted(bench, n).await;
        opening(pay(bench, payment.payment, 1).await);
        opened(bench, payment.payment, 1).await;
        take(bench, n, kind).await;
        let paid = vec![
            session(1, SessionStatus::Complete),
            charge_of(&payment, &format!("ch_{n}"), ChargeOutcome::Succeeded),
        ];
        assert_eq!(learn(bench, payment.payment, paid).await.0.state, PaymentState::Paid);
    }
}

pub(super) async fn a_handheld_speaks_for_what_it_held_before<B: Bench>(bench: &B) {
    let (earlier, now) = (device().device, DeviceId::from_bytes([0xB7; 8]));
    accepted(bench, 1).await;
    let cancel = || {
        let about = notice(payload(1).payment, NoticeKind::Cancel);
        let payload = NoticePayload { device: now, ..about.payload().clone() };
        TakeNotice { notice: signed_notice(payload), tenant: tenant() }
    };
    let refused = async |status| {
        bench.put_device(Device { device: now, status, ..device() }).await;
        match bench.store().run(cancel()).await.unwrap() {
            NoticeOutcome::Refused { code, .. } => Some(code),
            NoticeOutcome::Taken { .. } => None,
        }
    };
    let (pending, approved) = (DeviceStatus::Pending, DeviceStatus::Approved);
    assert_eq!(refused(approved).await, Some(ErrorCode::UnknownDevice));
    bench.put_continuity(now, earlier).await;
    assert_eq!(refused(pending).await, Some(ErrorCode::DeviceNotApproved));
    assert_eq!(refused(DeviceStatus::Revoked).await, Some(ErrorCode::DeviceRevoked));
    assert_eq!(refused(approved).await, None);
    // Not the other way round.
    bench.put_device(Device { status: DeviceStatus::Approved, ..device() }).await;
    let taken = bench.store().run(cancel()).await.unwrap();
    assert!(matches!(taken, NoticeOutcome::Taken { payment: Some(_) }));
}

pub(super) async fn an_order_that_was_given_up_before_it_came_is_refused<B: Bench>(bench: &B) {
    assert_eq!(take(bench, 1, withdraw()).await, None);
    let outcome = bench.store().run(accept(order(payload(1)))).await.unwrap();
    assert!(matches!(outcome, AcceptOutcome::Refused { code: ErrorCode::Withdrawn, .. }));
    assert_eq!(bench.counts().await, (0, 0));
}
