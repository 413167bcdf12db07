//! Charges are settled once, whoever comes with what and when.

use super::fixture::{Bench, accept, catalogue, notice, order, payload, payment_type, tenant};
use super::settling::{charge_of, learn, opened, opening, pay, session};
use crate::charges::claims::is_the_same_over_again;
use crate::{
    AcceptOutcome, Charge, ChargeLine, ChargeRefused, Claim, Decision, Env, JobKind, NoticeOutcome,
    PayOutcome, Payment, PaymentType, PutCharges, PutOutcome, RefundsOf, Store, StoreError,
    TakeNotice, Tx, WithdrawCharge, WithdrawOutcome,
};
use holdfast_domain::{
    AttentionReason, ChargeOutcome, ChargeReference, ClaimState, Currency, Evidence, Mode, Money,
    OrderLine, PaymentId, PaymentState, RefundStatus, SessionStatus,
};
use holdfast_protocol::wire::{ErrorCode, Provider};
use holdfast_protocol::{NoticeKind, OrderPayload};

pub(super) fn reference(text: &str) -> ChargeReference {
    ChargeReference::parse(text).unwrap()
}

pub(super) fn charge(text: &str, minor: i64) -> Charge {
    Charge {
        tenant: tenant(),
        reference: reference(text),
        plate: "AB 123".into(),
        payer: "Kim Lee".into(),
        lines: vec![ChargeLine { text: "Parking without permit".into(), minor }],
        amount: Money::new(minor, Currency::USD),
        due_on: "2026-12-31".into(),
        user_types: "officers,portal".into(),
        withdrawn: String::new(),
        created_at_ms: 0,
        changed_at_ms: 0,
    }
}

pub(super) fn cash_type() -> PaymentType {
    PaymentType {
        code: "CASH".parse().unwrap(),
        provider: Provider::Cash,
        minor_min: 1,
        pin: None,
        trial: None,
        ..payment_type()
    }
}

/// An order for charges alone, by card or in cash.
pub(super) fn order_for(n: u64, charges: &[(&str, i64)], provider: Provider) -> OrderPayload {
    let line = |(text, minor): &(&str, i64)| OrderLine::Charge {
        reference: reference(text),
        minor: *minor,
    };
    OrderPayload {
        lines: charges.iter().map(line).collect(),
        total: Money::new(charges.iter().map(|(_, minor)| minor).sum(), Currency::USD),
        payment_type: match provider {
            Provider::Stripe => payment_type().code,
            Provider::Cash => cash_type().code,
        },
        ..payload(n)
    }
}

pub(super) async fn put<B: Bench>(bench: &B, charges: Vec<Charge>) -> PutOutcome {
    bench
        .store()
        .run(PutCharges { charges, may_change: true, seen_ms: None, who: "Test".into() })
        .await
        .unwrap()
}

pub(super) async fn owing<B: Bench>(bench: &B) {
    bench.put_payment_type(cash_type()).await;
    let written = put(bench, vec![charge("N-1", 6500), charge("N-2", 4000)]).await;
    assert_eq!(written, PutOutcome::Written { new: 2, changed: 0 });
}

pub(super) async fn held<B: Bench>(bench: &B, payload: OrderPayload) -> Payment {
    match bench.store().run(accept(order(payload))).await.unwrap() {
        AcceptOutcome::Accepted { payment, .. } => *payment,
        AcceptOutcome::Refused { message, .. } => panic!("refused: {message}"),
    }
}

pub(super) async fn card<B: Bench>(bench: &B, n: u64, charges: &[(&str, i64)]) -> Payment {
    held(bench, order_for(n, charges, Provider::Stripe)).await
}

pub(super) async fn cash<B: Bench>(bench: &B, n: u64, charges: &[(&str, i64)]) -> Payment {
    held(bench, order_for(n, charges, Provider::Cash)).await
}

async fn refused<B: Bench>(bench: &B, payload: OrderPayload, words: &str) {
    match bench.store().run(accept(order(payload))).await.unwrap() {
        AcceptOutcome::Refused { code, message } => {
            assert_eq!(code, ErrorCode::LinesRefused);
            assert!(message.contains(words), "{message}");
        }
        AcceptOutcome::Accepted { .. } => panic!("accepted; expected: {words}"),
    }
}

/// What a test may read.
pub(super) struct Look<R>(pub(super) R);

pub(super) struct ClaimsOn(pub(super) ChargeReference);
struct PaymentOf(PaymentId);
pub(super) struct HasJob(pub(super) JobKind, pub(super) PaymentId);
pub(super) struct GoesBack(pub(super) PaymentId);

impl Decision for Look<ClaimsOn> {
    type Outcome = Vec<Claim>;
    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<Vec<Claim>, StoreError> {
        tx.claims_on(&tenant(), Mode::Test, &self.0.0).await
    }
}

impl Decision for Look<PaymentOf> {
    type Outcome = Payment;
    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<Payment, StoreError> {
        Ok(tx.payment(&tenant(), self.0.0).await?.unwrap())
    }
}

impl Decision for Look<HasJob> {
    type Outcome = bool;
    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<bool, StoreError> {
        Ok(tx.job(&tenant(), self.0.0, self.0.1).await?.is_some())
    }
}

impl Decision for Look<GoesBack> {
    type Outcome = bool;
    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<bool, StoreError> {
        let payment = tx.payment(&tenant(), self.0.0).await?.unwrap();
        is_the_same_over_again(tx, &payment).await
    }
}

pub(super) async fn claims<B: Bench>(bench: &B, text: &str) -> Vec<(PaymentId, ClaimState)> {
    let found = bench.store().run(Look(ClaimsOn(reference(text)))).await.unwrap();
    found.into_iter().map(|claim| (claim.payment, claim.state)).collect()
}

pub(super) async fn now<B: Bench>(bench: &B, payment: &Payment) -> Payment {
    bench.store().run(Look(PaymentOf(payment.payment))).await.unwrap()
}

pub(super) async fn state<B: Bench>(bench: &B, payment: &Payment) -> PaymentState {
    now(bench, payment).await.state
}

pub(super) async fn open<B: Bench>(bench: &B, payment: &Payment) {
    opening(pay(bench, payment.payment, 1).await);
    opened(bench, payment.payment, 1).await;
}

fn money_of(payment: &Payment, session_number: u32) -> Vec<Evidence> {
    let id = format!("ch_{}", payment.sequence);
    vec![
        session(session_number, SessionStatus::Complete),
        charge_of(payment, &id, ChargeOutcome::Succeeded),
    ]
}

/// The card's money arrives.
pub(super) async fn pays<B: Bench>(bench: &B, payment: &Payment) -> Payment {
    learn(bench, payment.payment, money_of(payment, 1)).await.0
}

pub(super) async fn withdraw<B: Bench>(
    bench: &B,
    payment: &Payment,
    after_s: u64,
) -> NoticeOutcome {
    let kind = NoticeKind::Withdraw { reason: "A slip of the hand.".into() };
    let mut notice_of = notice(payment.payment, kind).payload().clone();
    notice_of.made_at_unix_s += after_s;
    let notice = super::fixture::signed_notice(notice_of);
    bench.store().run(TakeNotice { notice, tenant: tenant() }).await.unwrap()
}

pub(super) async fn a_charge_line_must_be_what_is_owed<B: Bench>(bench: &B) {
    owing(bench).await;
    let for_card = |charges: &[(&str, i64)]| order_for(1, charges, Provider::Stripe);
    refused(bench, for_card(&[("N-9", 100)]), "N-9 is not known").await;
    refused(bench, for_card(&[("N-1", 6400)]), "N-1: USD 65.00 is owed, not USD 64.00").await;
    refused(bench, for_card(&[("N-1", 6500), ("N-1", 6500)]), "two lines").await;
    // Two wrong amounts with the right sum.
    refused(bench, for_card(&[("N-1", 6400), ("N-2", 4100)]), "N-1").await;
    let portal_only = Charge { user_types: "portal".into(), ..charge("N-3", 100) };
    put(bench, vec![portal_only, charge("N-4", 100)]).await;
    refused(bench, for_card(&[("N-3", 100)]), "not for officers").await;
    let reason = "Issued by mistake".to_owned();
    let take = WithdrawCharge {
        tenant: tenant(),
        reference: reference("N-4"),
        reason,
        who: "Test".into(),
    };
    assert_eq!(bench.store().run(take).await.unwrap(), WithdrawOutcome::Withdrawn);
    refused(bench, for_card(&[("N-4", 100)]), "N-4 was withdrawn").await;
    assert_eq!(bench.counts().await, (0, 0));
    // Beside an item of the price list, the sum of both.
    let mut both = for_card(&[("N-1", 6500)]);
    both.lines.push(OrderLine::Item { item: 1, quantity: 2 });
    both.total = Money::new(6500 + 2 * catalogue().items[0].price.minor(), Currency::USD);
    let payment = held(bench, both).await;
    assert_eq!(payment.lines[0].name, "N-1 Parking without permit");
    // Without any price list, charges alone.
    let alone =
        OrderPayload { catalogue_version: 0, ..order_for(2, &[("N-2", 4000)], Provider::Stripe) };
    assert_eq!(held(bench, alone).await.total.minor(), 4000);
}

pub(super) async fn the_second_waits_until_the_first_is_given_up<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = card(bench, 1, &[("N-1", 6500)]).await;
    let second = card(bench, 2, &[("N-1", 6500), ("N-2", 4000)]).await;
    assert_eq!((first.held_up.clone(), second.held_up.clone()), (None, Some(reference("N-1"))));
    let asked = pay(bench, second.payment, 1).await;
    assert!(matches!(asked, PayOutcome::HeldUp { reference: r, .. } if r == reference("N-1")));
    // Nobody else waits for N-2, and yet it is not held: a payment gets all its charges or none.
    let third = card(bench, 3, &[("N-2", 4000)]).await;
    assert_eq!(third.held_up, None);
    open(bench, &first).await;
    withdraw(bench, &first, 0).await;
    // Its card page may still take money: the claim stays until that is certain.
    assert_eq!(state(bench, &first).await, PaymentState::Withdrawn);
    assert!(now(bench, &second).await.held_up.is_some());
    learn(bench, first.payment, vec![session(1, SessionStatus::Expired)]).await;
    assert_eq!(now(bench, &second).await.held_up, Some(reference("N-2")));
    withdraw(bench, &third, 0).await;
    let second = now(bench, &second).await;
    assert_eq!(second.held_up, None);
    open(bench, &second).await;
    assert_eq!(pays(bench, &second).await.state, PaymentState::Paid);
    let settled = (second.payment, ClaimState::Settled);
    assert!(claims(bench, "N-1").await.contains(&settled));
    assert!(claims(bench, "N-2").await.contains(&settled));
}

pub(super) async fn a_duplicate_is_taken_and_parked_as_already_paid<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = card(bench, 1, &[("N-1", 6500)]).await;
    let waiting = card(bench, 2, &[("N-1", 6500)]).await;
    open(bench, &first).await;
    assert_eq!(pays(bench, &first).await.state, PaymentState::Paid);
    assert_eq!(state(bench, &waiting).await, PaymentState::AlreadyPaid);
    let late = card(bench, 3, &[("N-1", 6500)]).await;
    assert_eq!((late.state, late.held_up.clone()), (PaymentState::AlreadyPaid, None));
    assert!(matches!(pay(bench, late.payment, 1).await, PayOutcome::NotPayable { .. }));
    // The same order again is answered as before.
    assert_eq!(held(bench, order_for(3, &[("N-1", 6500)], Provider::Stripe)).await, late);
    assert_eq!(bench.counts().await, (3, 1));
}

pub(super) async fn the_same_money_twice_is_told_from_other_money<B: Bench>(bench: &B) {
    owing(bench).await;
    // Both pages were open: the first was withdrawn and its session looked expired.
    let first = card(bench, 1, &[("N-1", 6500)]).await;
    open(bench, &first).await;
    withdraw(bench, &first, 0).await;
    learn(bench, first.payment, vec![session(1, SessionStatus::Expired)]).await;
    let second = card(bench, 2, &[("N-1", 6500)]).await;
    open(bench, &second).await;
    assert_eq!(pays(bench, &second).await.state, PaymentState::Paid);
    let twice = pays(bench, &first).await;
    assert_eq!(twice.attention, Some(AttentionReason::PaidTwice));
    assert!(bench.store().run(Look(GoesBack(first.payment))).await.unwrap());
    assert!(!bench.store().run(Look(GoesBack(second.payment))).await.unwrap());
    // It goes back by itself, once, however often the news comes.
    pays(bench, &first).await;
    let asked = RefundsOf { tenant: tenant(), payment: first.payment };
    let asked = bench.store().run(asked).await.unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].amount, asked[0].who.as_str()), (first.total, "The gateway"));
    let back = Evidence::Refund {
        refund: "re_1".into(),
        created: 2,
        status: RefundStatus::Succeeded,
        amount: first.total,
    };
    assert_eq!(learn(bench, first.payment, vec![back]).await.0.state, PaymentState::Refunded);
    assert_eq!(state(bench, &second).await, PaymentState::Paid);
    // Another amount, because it was for more.
    let third = card(bench, 3, &[("N-1", 6500), ("N-2", 4000)]).await;
    assert_eq!(third.state, PaymentState::AlreadyPaid);
    assert_eq!(pays(bench, &third).await.state, PaymentState::NeedsAttention);
    assert!(!bench.store().run(Look(GoesBack(third.payment))).await.unwrap());
    let asked = RefundsOf { tenant: tenant(), payment: third.payment };
    assert_eq!(bench.store().run(asked).await.unwrap(), []);
    // What nobody else had settled, it settles.
    assert!(claims(bench, "N-2").await.contains(&(third.payment, ClaimState::Settled)));
}

pub(super) async fn a_trial_settles_nothing<B: Bench>(bench: &B) {
    owing(bench).await;
    let trial = card(bench, 1, &[("N-1", 6500)]).await;
    open(bench, &trial).await;
    pays(bench, &trial).await;
    bench.put_payment_type(PaymentType { mode: Mode::Live, ..payment_type() }).await;
    let live =
        OrderPayload { mode: Mode::Live, ..order_for(2, &[("N-1", 6500)], Provider::Stripe) };
    let live = held(bench, live).await;
    assert_eq!((live.state, live.held_up.clone()), (PaymentState::Sent, None));
}

pub(super) async fn charges_are_written_all_or_none<B: Bench>(bench: &B) {
    owing(bench).await;
    let same = put(bench, vec![charge("N-1", 6500)]).await;
    assert_eq!(same, PutOutcome::Written { new: 0, changed: 0 });
    let only_new =
        |charges| PutCharges { charges, may_change: false, seen_ms: None, who: "Test".into() };
    let both = only_new(vec![charge("N-5", 100), charge("N-1", 1)]);
    let refused = PutOutcome::Refused(vec![(1, ChargeRefused::Exists)]);
    assert_eq!(bench.store().run(both).await.unwrap(), refused);
    let written = bench.store().run(only_new(vec![charge("N-5", 100)])).await.unwrap();
    assert_eq!(written, PutOutcome::Written { new: 1, changed: 0 });
    let first = card(bench, 1, &[("N-1", 6500)]).await;
    let dearer = put(bench, vec![charge("N-1", 7000)]).await;
    assert_eq!(dearer, PutOutcome::Refused(vec![(0, ChargeRefused::BeingPaid)]));
    // The plate may be set right while it is being paid.
    let plate = Charge { plate: "AB 124".into(), ..charge("N-1", 6500) };
    assert_eq!(put(bench, vec![plate]).await, PutOutcome::Written { new: 0, changed: 1 });
    let reason = "Issued by mistake".to_owned();
    let take = WithdrawCharge {
        tenant: tenant(),
        reference: reference("N-1"),
        reason,
        who: "Test".into(),
    };
    let refused = WithdrawOutcome::Refused(ChargeRefused::BeingPaid);
    assert_eq!(bench.store().run(take.clone()).await.unwrap(), refused);
    withdraw(bench, &first, 0).await;
    assert_eq!(bench.store().run(take).await.unwrap(), WithdrawOutcome::Withdrawn);
    let again = put(bench, vec![charge("N-1", 6500)]).await;
    assert_eq!(again, PutOutcome::Refused(vec![(0, ChargeRefused::Withdrawn)]));
}
