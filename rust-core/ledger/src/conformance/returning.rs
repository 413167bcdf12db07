//! Money that went back: what it had settled is owed again, unless it was canceled.

use super::claiming::{
    ClaimsOn, Look, card, cash, charge, claims, now, open, order_for, owing, pays, put, reference,
    state,
};
use super::fixture::{Bench, NOW_MS, tenant};
use super::settling::learn;
use crate::{
    AcceptOutcome, Acknowledge, AlertStatus, AskRefund, AskRefundOutcome, Charge, ChargeRefused,
    Decision, Env, Payment, PutCharges, PutOutcome, RefundKey, RefundsOf, Store, StoreError, Tx,
};
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{AttentionReason, ClaimState, Evidence, PaymentState, RefundStatus};
use holdfast_protocol::wire::{ErrorCode, Provider};
use holdfast_stripe::objects::RefundReason;

fn back(payment: &Payment, id: &str, status: RefundStatus) -> Vec<Evidence> {
    let (refund, amount) = (id.to_owned(), payment.total);
    vec![Evidence::Refund { refund, created: 9, status, amount }]
}

async fn settled<B: Bench>(bench: &B, n: u64) -> Payment {
    let payment = card(bench, n, &[("N-1", 6500)]).await;
    open(bench, &payment).await;
    let payment = pays(bench, &payment).await;
    assert_eq!(claim_of(bench, &payment).await, (ClaimState::Settled, None));
    payment
}

/// How the payment's claim on N-1 stands, and since when its money is gone.
async fn claim_of<B: Bench>(bench: &B, payment: &Payment) -> (ClaimState, Option<i64>) {
    let found = bench.store().run(Look(ClaimsOn(reference("N-1")))).await.unwrap();
    let mine = found.into_iter().find(|it| it.payment == payment.payment).unwrap();
    (mine.state, mine.returned_at_ms)
}

async fn refund<B: Bench>(bench: &B, payment: &Payment, cancels_charges: bool) {
    let ask = AskRefund {
        tenant: tenant(),
        payment: payment.payment,
        key: RefundKey::mint([7; 16]),
        amount: RefundAmount::Full,
        reason: "issued by mistake".into(),
        stripe_reason: RefundReason::RequestedByCustomer,
        who: "Fay".into(),
        known: None,
        cancels_charges,
    };
    let outcome = bench.store().run(ask).await.unwrap();
    assert!(matches!(outcome, AskRefundOutcome::Asked { new: true, .. }), "{outcome:?}");
}

async fn is_told<B: Bench>(bench: &B, payment: &Payment, status: AlertStatus) -> bool {
    let (object, who) = (payment.payment.to_string(), "Fay".to_owned());
    bench.store().run(Acknowledge { tenant: tenant(), object, status, who }).await.unwrap()
}

struct ChargeNamed(&'static str);

impl Decision for Look<ChargeNamed> {
    type Outcome = Charge;
    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<Charge, StoreError> {
        Ok(tx.charge(&tenant(), &reference(self.0.0)).await?.unwrap())
    }
}

pub(super) async fn what_went_back_is_owed_again<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = settled(bench, 1).await;
    refund(bench, &first, false).await;
    // Only what certainly went back counts.
    learn(bench, first.payment, back(&first, "re_1", RefundStatus::Pending)).await;
    assert_eq!(claim_of(bench, &first).await, (ClaimState::Settled, None));
    bench.set_now_ms(NOW_MS + 5);
    learn(bench, first.payment, back(&first, "re_1", RefundStatus::Succeeded)).await;
    assert_eq!(claim_of(bench, &first).await, (ClaimState::Released, Some(NOW_MS + 5)));
    // It may be changed, and whoever comes next may pay it.
    assert_eq!(
        put(bench, vec![charge("N-1", 7000)]).await,
        PutOutcome::Written { new: 0, changed: 1 }
    );
    let second = card(bench, 2, &[("N-1", 7000)]).await;
    assert_eq!((second.state, second.held_up.clone()), (PaymentState::Sent, None));
    open(bench, &second).await;
    assert_eq!(pays(bench, &second).await.state, PaymentState::Paid);
    assert_eq!(claim_of(bench, &second).await, (ClaimState::Settled, None));
    assert_eq!(state(bench, &first).await, PaymentState::Refunded);
}

pub(super) async fn a_part_that_went_back_leaves_the_charge_settled<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = settled(bench, 1).await;
    let amount = holdfast_domain::Money::new(6499, first.total.currency());
    let part = |id: &str, amount| Evidence::Refund {
        refund: id.into(),
        created: 9,
        status: RefundStatus::Succeeded,
        amount,
    };
    learn(bench, first.payment, vec![part("re_1", amount)]).await;
    assert_eq!(claim_of(bench, &first).await.0, ClaimState::Settled);
    // The last cent was sent back in Stripe's Dashboard.
    let cent = holdfast_domain::Money::new(1, first.total.currency());
    learn(bench, first.payment, vec![part("re_2", cent)]).await;
    assert_eq!(claim_of(bench, &first).await.0, ClaimState::Released);
}

pub(super) async fn a_refund_that_fails_settles_the_charge_again<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = settled(bench, 1).await;
    let parked = card(bench, 2, &[("N-1", 6500)]).await;
    assert_eq!(parked.state, PaymentState::AlreadyPaid);
    // Round and round: each refund goes back and fails some days later.
    for round in 0..3 {
        let id = format!("re_{round}");
        learn(bench, first.payment, back(&first, &id, RefundStatus::Succeeded)).await;
        assert_eq!(claim_of(bench, &first).await.0, ClaimState::Released);
        assert_eq!(state(bench, &parked).await, PaymentState::Sent, "round {round}");
        learn(bench, first.payment, back(&first, &id, RefundStatus::Failed)).await;
        assert_eq!(claim_of(bench, &first).await, (ClaimState::Settled, None));
        assert_eq!(state(bench, &parked).await, PaymentState::AlreadyPaid, "round {round}");
    }
    // Meanwhile another one paid: nothing is taken from it, and the money here is told.
    learn(bench, first.payment, back(&first, "re_9", RefundStatus::Succeeded)).await;
    open(bench, &parked).await;
    assert_eq!(pays(bench, &parked).await.state, PaymentState::Paid);
    learn(bench, first.payment, back(&first, "re_9", RefundStatus::Failed)).await;
    assert_eq!(state(bench, &first).await, PaymentState::RefundFailed);
    assert_eq!(claim_of(bench, &first).await.0, ClaimState::Released);
    assert_eq!(claim_of(bench, &parked).await.0, ClaimState::Settled);
    assert_eq!(state(bench, &parked).await, PaymentState::Paid);
}

pub(super) async fn a_charge_is_canceled_with_its_refund<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = settled(bench, 1).await;
    refund(bench, &first, true).await;
    let withdrawn = async || bench.store().run(Look(ChargeNamed("N-1"))).await.unwrap().withdrawn;
    assert_eq!(withdrawn().await, "", "nothing went back so far");
    for status in [RefundStatus::Pending, RefundStatus::Succeeded, RefundStatus::Failed] {
        learn(bench, first.payment, back(&first, "re_1", status)).await;
        // Whatever becomes of the money, nobody else pays what is not owed.
        assert_eq!(claim_of(bench, &first).await, (ClaimState::Settled, None));
    }
    assert_eq!(withdrawn().await, "Canceled, and its payment refunded: issued by mistake");
    let order = super::fixture::order(order_for(2, &[("N-1", 6500)], Provider::Stripe));
    let refused = bench.store().run(super::fixture::accept(order)).await.unwrap();
    let AcceptOutcome::Refused { code: ErrorCode::LinesRefused, message } = refused else {
        panic!("accepted: {refused:?}");
    };
    assert!(message.contains("withdrawn"), "{message}");
}

pub(super) async fn money_that_waited_settles_what_another_gave_back<B: Bench>(bench: &B) {
    owing(bench).await;
    let by_card = card(bench, 1, &[("N-1", 6500)]).await;
    open(bench, &by_card).await;
    let in_cash = cash(bench, 2, &[("N-1", 6500)]).await;
    // By another way: a person decides, and is told so once.
    let twice = pays(bench, &by_card).await;
    assert_eq!(twice.attention, Some(AttentionReason::PaidTwice));
    assert!(is_told(bench, &by_card, AlertStatus::PaidTwice).await);
    pays(bench, &by_card).await;
    assert!(!is_told(bench, &by_card, AlertStatus::PaidTwice).await, "told again");
    // The person sends the card's money back: the cash still settles the charge.
    learn(bench, by_card.payment, back(&by_card, "re_1", RefundStatus::Succeeded)).await;
    assert_eq!(claim_of(bench, &in_cash).await.0, ClaimState::Settled);
    assert_eq!(claim_of(bench, &by_card).await, (ClaimState::Released, None));
    // The other way round: what settled it goes back, and the money that waited takes its place.
    let first = card(bench, 3, &[("N-2", 4000)]).await;
    open(bench, &first).await;
    let second = cash(bench, 4, &[("N-2", 4000)]).await;
    assert_eq!(second.state, PaymentState::Paid);
    assert_eq!(pays(bench, &first).await.state, PaymentState::NeedsAttention);
    let void = crate::VoidCash {
        tenant: tenant(),
        payment: second.payment,
        who: "Fay".into(),
        reason: "Given back.".into(),
    };
    bench.store().run(void).await.unwrap();
    assert_eq!(state(bench, &first).await, PaymentState::Paid);
    assert!(claims(bench, "N-2").await.contains(&(first.payment, ClaimState::Settled)));
}

pub(super) async fn the_automatic_refund_reopens_nothing<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = card(bench, 1, &[("N-1", 6500)]).await;
    open(bench, &first).await;
    super::claiming::withdraw(bench, &first, 0).await;
    let expired = holdfast_domain::SessionStatus::Expired;
    learn(bench, first.payment, vec![super::settling::session(1, expired)]).await;
    let second = settled(bench, 2).await;
    assert_eq!(pays(bench, &first).await.attention, Some(AttentionReason::PaidTwice));
    let of = RefundsOf { tenant: tenant(), payment: first.payment };
    let asked = bench.store().run(of).await.unwrap();
    assert!(asked.len() == 1 && !asked[0].cancels_charges, "{asked:?}");
    assert!(!is_told(bench, &first, AlertStatus::PaidTwice).await, "it goes back by itself");
    for status in [RefundStatus::Succeeded, RefundStatus::Failed] {
        learn(bench, first.payment, back(&first, "re_1", status)).await;
        assert_eq!(claim_of(bench, &second).await, (ClaimState::Settled, None));
        assert_eq!(claim_of(bench, &first).await, (ClaimState::Released, None));
    }
    assert_eq!(now(bench, &second).await.state, PaymentState::Paid);
}

pub(super) async fn who_changes_a_charge_has_seen_how_it_stands<B: Bench>(bench: &B) {
    owing(bench).await;
    let seen_ms = bench.store().run(Look(ChargeNamed("N-1"))).await.unwrap().changed_at_ms;
    let edit = async |minor, seen_ms| {
        let charges = vec![charge("N-1", minor)];
        let (may_change, seen_ms, who) = (true, Some(seen_ms), "Fay".to_owned());
        bench.store().run(PutCharges { charges, may_change, seen_ms, who }).await.unwrap()
    };
    // Two clerks within one millisecond.
    assert_eq!(edit(7000, seen_ms).await, PutOutcome::Written { new: 0, changed: 1 });
    let stale = PutOutcome::Refused(vec![(0, ChargeRefused::Changed)]);
    assert_eq!(edit(1, seen_ms).await, stale);
    let now = bench.store().run(Look(ChargeNamed("N-1"))).await.unwrap();
    assert_eq!((now.amount.minor(), now.changed_at_ms), (7000, seen_ms + 1));
    // The same as it stands is no change, whatever was seen.
    assert_eq!(edit(7000, seen_ms).await, PutOutcome::Written { new: 0, changed: 0 });
    assert_eq!(edit(6500, now.changed_at_ms).await, PutOutcome::Written { new: 0, changed: 1 });
}
