//! Cash is paid by the hold, and voided by rule only.

use super::claiming::{
    GoesBack, HasJob, Look, card, cash, claims, now, open, order_for, owing, pays, state, withdraw,
};
use super::fixture::{Bench, NOW_MS, device, notice, order, tenant};
use crate::decisions::refused_cash::WAITING_OF_A_HANDHELD_MAX;
use crate::{
    AcceptOutcome, Decision, Device, DeviceStatus, Env, HandleRefusedCash, JobKind, NoticeOutcome,
    RefusedCash, Store, StoreError, TakeNotice, Tx, VoidCash, VoidOutcome,
};
use holdfast_domain::{AttentionReason, ClaimState, PaymentId, PaymentState};
use holdfast_protocol::wire::{ErrorCode, Provider};
use holdfast_protocol::{NoticeKind, OrderPayload};

pub(super) async fn cash_beside_a_card_ends_the_card_page<B: Bench>(bench: &B) {
    owing(bench).await;
    let by_card = card(bench, 1, &[("N-1", 6500)]).await;
    open(bench, &by_card).await;
    let in_cash = cash(bench, 2, &[("N-1", 6500)]).await;
    assert_eq!(in_cash.state, PaymentState::Paid);
    assert!(in_cash.receipt_order_id.is_some());
    assert_eq!(state(bench, &by_card).await, PaymentState::AlreadyPaid);
    assert!(bench.store().run(Look(HasJob(JobKind::CheckSession, by_card.payment))).await.unwrap());
    // The payer had finished on the card page before it was closed: the money is there twice, by
    // two ways, so a person decides.
    let twice = pays(bench, &by_card).await;
    assert_eq!(twice.attention, Some(AttentionReason::PaidTwice));
    assert!(!bench.store().run(Look(GoesBack(by_card.payment))).await.unwrap());
    assert_eq!(state(bench, &in_cash).await, PaymentState::Paid);
}

pub(super) async fn voided_cash_gives_the_charge_back<B: Bench>(bench: &B) {
    owing(bench).await;
    let by_card = card(bench, 1, &[("N-1", 6500)]).await;
    open(bench, &by_card).await;
    let in_cash = cash(bench, 2, &[("N-1", 6500)]).await;
    pays(bench, &by_card).await;
    let NoticeOutcome::Taken { payment: Some(voided) } = withdraw(bench, &in_cash, 900).await
    else {
        panic!("the void was refused");
    };
    assert_eq!(voided.state, PaymentState::Withdrawn);
    assert_eq!(state(bench, &by_card).await, PaymentState::Paid);
    let settled = (by_card.payment, ClaimState::Settled);
    assert!(claims(bench, "N-1").await.contains(&settled));
    // Without money, whoever was told "already paid" can pay after all.
    let in_cash = cash(bench, 3, &[("N-2", 4000)]).await;
    let parked = card(bench, 4, &[("N-2", 4000)]).await;
    assert_eq!(parked.state, PaymentState::AlreadyPaid);
    let void = void_of(in_cash.payment);
    let outcome = bench.store().run(void.clone()).await.unwrap();
    assert!(matches!(outcome, VoidOutcome::Voided { new: true, .. }));
    let again = bench.store().run(void).await.unwrap();
    assert!(matches!(again, VoidOutcome::Voided { new: false, .. }));
    assert_eq!(state(bench, &parked).await, PaymentState::Sent);
    assert_eq!(now(bench, &parked).await.held_up, None);
}

pub(super) async fn cash_is_voided_by_rule_only<B: Bench>(bench: &B) {
    owing(bench).await;
    let refused = |outcome: NoticeOutcome| match outcome {
        NoticeOutcome::Refused { code, .. } => assert_eq!(code, ErrorCode::VoidRefused),
        NoticeOutcome::Taken { .. } => panic!("taken"),
    };
    let in_cash = cash(bench, 1, &[("N-1", 6500)]).await;
    let cancel = notice(in_cash.payment, NoticeKind::Cancel);
    refused(bench.store().run(TakeNotice { notice: cancel, tenant: tenant() }).await.unwrap());
    refused(withdraw(bench, &in_cash, 901).await);
    bench.hand_in(in_cash.payment).await;
    refused(withdraw(bench, &in_cash, 60).await);
    let void = void_of(in_cash.payment);
    assert_eq!(bench.store().run(void).await.unwrap(), VoidOutcome::HandedIn);
    assert_eq!(state(bench, &in_cash).await, PaymentState::Paid);
    let by_card = card(bench, 2, &[("N-2", 4000)]).await;
    let void = void_of(by_card.payment);
    assert_eq!(bench.store().run(void).await.unwrap(), VoidOutcome::Unknown);
    // The lifetime of an order ends nothing that is paid.
    bench.set_now_ms(NOW_MS + 86_400_000);
    let end = crate::EndLifetime { tenant: tenant(), payment: in_cash.payment };
    assert_eq!(bench.store().run(end).await.unwrap().unwrap().state, PaymentState::Paid);
}

fn void_of(payment: PaymentId) -> VoidCash {
    VoidCash { tenant: tenant(), payment, who: "Test".into(), reason: "Given back.".into() }
}

struct RefusedOf(PaymentId);

impl Decision for Look<RefusedOf> {
    type Outcome = Option<RefusedCash>;
    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<Self::Outcome, StoreError> {
        tx.refused_cash(&tenant(), self.0.0).await
    }
}

pub(super) async fn cash_whose_order_is_refused_is_kept_until_somebody_acts<B: Bench>(bench: &B) {
    owing(bench).await;
    let kept = async |n| {
        let payment = order_for(n, &[], Provider::Cash).payment;
        bench.store().run(Look(RefusedOf(payment))).await.unwrap()
    };
    let sent = async |payload: OrderPayload| {
        bench.store().run(super::fixture::accept(order(payload))).await.unwrap()
    };
    // By card nobody has paid anything.
    sent(order_for(1, &[("N-1", 6400)], Provider::Stripe)).await;
    assert_eq!(kept(1).await, None);
    // The charge became dearer while the handheld was offline.
    let payload = order_for(2, &[("N-1", 6400)], Provider::Cash);
    let AcceptOutcome::Refused { message, .. } = sent(payload.clone()).await else {
        panic!("accepted");
    };
    bench.set_now_ms(NOW_MS + 9);
    sent(payload.clone()).await;
    let refused = kept(2).await.unwrap();
    assert_eq!((refused.amount, refused.why.as_str()), (payload.total, message.as_str()));
    assert_eq!((refused.refused_at_ms, refused.sequence), (NOW_MS, 2), "kept once");
    assert_eq!(refused.handled, None);
    let handle = HandleRefusedCash {
        tenant: tenant(),
        payment: payload.payment,
        who: "Fay".into(),
        what: "Handed in, a dollar is missing.".into(),
    };
    assert!(bench.store().run(handle.clone()).await.unwrap());
    assert!(!bench.store().run(handle).await.unwrap(), "handled twice");
    let handled = kept(2).await.unwrap().handled.unwrap();
    assert_eq!((handled.who.as_str(), handled.at_ms), ("Fay", NOW_MS + 9));
    // A handheld that was not approved yet is approved: its order is taken, and nothing waits.
    let payload = order_for(3, &[("N-1", 6500)], Provider::Cash);
    bench.put_device(Device { status: DeviceStatus::Pending, ..device() }).await;
    sent(payload.clone()).await;
    assert!(kept(3).await.unwrap().handled.is_none());
    bench.put_device(device()).await;
    assert!(matches!(sent(payload).await, AcceptOutcome::Accepted { new: true, .. }));
    assert!(kept(3).await.unwrap().handled.is_some());
}

pub(super) async fn a_handheld_has_room_for_so_much_refused_cash_and_again_once_some_is_handled<
    B: Bench,
>(
    bench: &B,
) {
    owing(bench).await;
    let sent = async |n| {
        let payload = order_for(n, &[("N-1", 1)], Provider::Cash);
        match bench.store().run(super::fixture::accept(order(payload))).await.unwrap() {
            AcceptOutcome::Refused { code, message } => (code, message),
            AcceptOutcome::Accepted { .. } => panic!("accepted"),
        }
    };
    let most = WAITING_OF_A_HANDHELD_MAX;
    for n in 1..=most {
        assert_eq!(sent(n).await.0, ErrorCode::LinesRefused);
    }
    let (code, message) = sent(most + 1).await;
    // The handheld keeps it and brings it again; what is kept here is answered as before.
    assert!(code == ErrorCode::RateLimited && !code.is_final_for_an_order(), "{message}");
    assert!(message.contains("200 cash orders") && message.contains("administrator"), "{message}");
    assert_eq!(sent(1).await.0, ErrorCode::LinesRefused);
    let kept = async |n| {
        let payment = order_for(n, &[], Provider::Cash).payment;
        bench.store().run(Look(RefusedOf(payment))).await.unwrap()
    };
    assert_eq!(kept(most + 1).await, None);
    let handle = HandleRefusedCash {
        tenant: tenant(),
        payment: kept(1).await.unwrap().payment,
        who: "Fay".into(),
        what: "Handed in.".into(),
    };
    assert!(bench.store().run(handle).await.unwrap());
    assert_eq!(sent(most + 1).await.0, ErrorCode::LinesRefused);
    assert!(kept(most + 1).await.is_some());
    assert_eq!(sent(most + 2).await.0, ErrorCode::RateLimited);
}
