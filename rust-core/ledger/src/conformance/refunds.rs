//! Money goes back: once for each form, never more than came, and whoever must know is told.

use super::fixture::{Bench, NOW_MS, accepted, tenant};
use super::settling::{charge_of, learn, opened, pay, session};
use crate::{
    Acknowledge, AlertStatus, AskRefund, AskRefundOutcome, FinishJob, JobEnd, JobKind, LeaseJobs,
    Payment, RefundKey, RefundMade, RefundRefused, RefundRequest, RefundWaits, RefundsOf,
    RequestState, Source, Store,
};
use holdfast_domain::refund::{RefundAmount, RefundRefusal};
use holdfast_domain::{
    ChargeOutcome, Currency, DisputeOutcome, Evidence, Money, PaymentState, RefundStatus,
    SessionStatus,
};
use holdfast_stripe::objects::RefundReason;

/// A payment of 12.50 that is paid.
pub(super) async fn paid<B: Bench>(bench: &B) -> Payment {
    let payment = accepted(bench, 1).await;
    pay(bench, payment.payment, 1).await;
    opened(bench, payment.payment, 1).await;
    let evidence = vec![
        session(1, SessionStatus::Complete),
        charge_of(&payment, "ch_1", ChargeOutcome::Succeeded),
    ];
    learn(bench, payment.payment, evidence).await.0
}

fn key(n: u8) -> RefundKey {
    RefundKey::mint([n; 16])
}

fn wish(payment: &Payment, n: u8, amount: RefundAmount, known: Option<usize>) -> AskRefund {
    AskRefund {
        tenant: tenant(),
        payment: payment.payment,
        key: key(n),
        amount,
        reason: "paid for the wrong day".into(),
        stripe_reason: RefundReason::RequestedByCustomer,
        who: "Fay".into(),
        known,
        cancels_charges: false,
    }
}

fn part(minor: i64) -> RefundAmount {
    RefundAmount::Part(Money::new(minor, Currency::USD))
}

pub(super) async fn ask<B: Bench>(
    bench: &B,
    payment: &Payment,
    n: u8,
    amount: RefundAmount,
) -> AskRefundOutcome {
    bench.store().run(wish(payment, n, amount, None)).await.unwrap()
}

fn asked(outcome: AskRefundOutcome) -> RefundRequest {
    match outcome {
        AskRefundOutcome::Asked { request, .. } => *request,
        other => panic!("not asked: {other:?}"),
    }
}

fn refund(id: &str, status: RefundStatus, minor: i64) -> Evidence {
    let amount = Money::new(minor, Currency::USD);
    Evidence::Refund { refund: id.into(), created: 9, status, amount }
}

async fn made<B: Bench>(bench: &B, payment: &Payment, n: u8, evidence: Evidence) {
    let Evidence::Refund { refund, .. } = &evidence else { panic!("no refund") };
    let made = RefundMade {
        tenant: tenant(),
        payment: payment.payment,
        key: key(n),
        refund: refund.clone(),
        evidence,
        source: Source::Act,
    };
    assert!(bench.store().run(made).await.unwrap());
}

async fn refused<B: Bench>(bench: &B, payment: &Payment, n: u8) -> bool {
    let (key, why) = (key(n), "Stripe refused: no funds".to_owned());
    let refused = RefundRefused { tenant: tenant(), payment: payment.payment, key, why };
    bench.store().run(refused).await.unwrap()
}

async fn requests<B: Bench>(bench: &B, payment: &Payment) -> Vec<RefundRequest> {
    let of = RefundsOf { tenant: tenant(), payment: payment.payment };
    bench.store().run(of).await.unwrap()
}

async fn acknowledge<B: Bench>(bench: &B, object: &str, status: AlertStatus) -> bool {
    let (object, who) = (object.to_owned(), "Fay".to_owned());
    bench.store().run(Acknowledge { tenant: tenant(), object, status, who }).await.unwrap()
}

pub(super) async fn the_same_form_sent_twice_is_one_refund<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    let first = asked(ask(bench, &payment, 1, part(500)).await);
    assert!(first.frozen.body.contains("amount=500") && first.frozen.body.contains("charge=ch_1"));
    // Whatever the second press says, the first one counts.
    match ask(bench, &payment, 1, RefundAmount::Full).await {
        AskRefundOutcome::Asked { request, new: false } => assert_eq!(*request, first),
        other => panic!("{other:?}"),
    }
    assert_eq!(requests(bench, &payment).await, [first]);
    let jobs = bench.store().run(LeaseJobs { limit: 10 }).await.unwrap();
    assert_eq!(jobs.iter().filter(|job| job.kind == JobKind::SendRefund).count(), 1);
    let other = accepted(bench, 2).await;
    assert_eq!(ask(bench, &other, 1, RefundAmount::Full).await, AskRefundOutcome::Unknown);
}

pub(super) async fn a_second_form_is_told_what_the_first_did<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    let form = |n| wish(&payment, n, part(500), Some(0));
    let first = asked(bench.store().run(form(1)).await.unwrap());
    let overtaken = AskRefundOutcome::Overtaken { by: Some(Box::new(first)) };
    assert_eq!(bench.store().run(form(2)).await.unwrap(), overtaken);
    // A refund that was made in Stripe's Dashboard is news to the form as well.
    made(bench, &payment, 1, refund("re_1", RefundStatus::Succeeded, 500)).await;
    learn(bench, payment.payment, vec![refund("re_9", RefundStatus::Succeeded, 250)]).await;
    let form = |n, known| wish(&payment, n, part(500), Some(known));
    let outcome = bench.store().run(form(3, 1)).await.unwrap();
    assert!(matches!(outcome, AskRefundOutcome::Overtaken { .. }), "{outcome:?}");
    asked(bench.store().run(form(3, 2)).await.unwrap());
}

pub(super) async fn while_one_is_undecided_no_other_begins<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    let first = asked(ask(bench, &payment, 1, part(500)).await);
    let under_way = AskRefundOutcome::UnderWay { request: Box::new(first) };
    assert_eq!(ask(bench, &payment, 2, part(500)).await, under_way);
    let waits = RefundWaits {
        tenant: tenant(),
        payment: payment.payment,
        key: key(1),
        why: "no connection".into(),
    };
    bench.store().run(waits).await.unwrap();
    assert_eq!(requests(bench, &payment).await[0].problem, "no connection");
    // Only a known failure lets another form, with another key, try again.
    assert!(refused(bench, &payment, 1).await);
    assert!(!refused(bench, &payment, 1).await, "decided twice");
    let second = asked(ask(bench, &payment, 2, RefundAmount::Full).await);
    assert_eq!(second.amount, payment.total);
    assert_ne!(
        second.frozen.idempotency_key,
        requests(bench, &payment).await[0].frozen.idempotency_key
    );
}

pub(super) async fn never_more_goes_back_than_came<B: Bench>(bench: &B) {
    use AskRefundOutcome::Refused;
    let unpaid = accepted(bench, 2).await;
    let nothing = Refused(RefundRefusal::NothingReceived);
    assert_eq!(ask(bench, &unpaid, 9, RefundAmount::Full).await, nothing);
    let payment = paid(bench).await;
    let left = payment.total;
    let too_much = Refused(RefundRefusal::TooMuch { left });
    assert_eq!(ask(bench, &payment, 1, part(1251)).await, too_much);
    asked(ask(bench, &payment, 1, part(1000)).await);
    made(bench, &payment, 1, refund("re_1", RefundStatus::Pending, 1000)).await;
    let left = Money::new(250, Currency::USD);
    let too_much = Refused(RefundRefusal::TooMuch { left });
    assert_eq!(ask(bench, &payment, 2, part(251)).await, too_much);
    assert_eq!(asked(ask(bench, &payment, 2, RefundAmount::Full).await).amount, left);
    made(bench, &payment, 2, refund("re_2", RefundStatus::Succeeded, 250)).await;
    let none = Refused(RefundRefusal::NothingLeft);
    assert_eq!(ask(bench, &payment, 3, RefundAmount::Full).await, none);
    // What failed is here again.
    let failed = refund("re_1", RefundStatus::Failed, 1000);
    learn(bench, payment.payment, vec![failed]).await;
    let again = asked(ask(bench, &payment, 3, RefundAmount::Full).await);
    assert_eq!(again.amount, Money::new(1000, Currency::USD));
}

pub(super) async fn concurrent_forms_make_one_refund<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    let one = |n| ask(bench, &payment, n, RefundAmount::Full);
    let (a, b, c, d) = super::settling::join4(one(1), one(2), one(1), one(3)).await;
    let new = |it: &&AskRefundOutcome| matches!(it, AskRefundOutcome::Asked { new: true, .. });
    assert_eq!([&a, &b, &c, &d].into_iter().filter(new).count(), 1);
    assert_eq!(requests(bench, &payment).await.len(), 1);
}

pub(super) async fn stripes_object_says_how_a_refund_stands<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    asked(ask(bench, &payment, 1, RefundAmount::Full).await);
    let total = payment.total.minor();
    let state = async || learn(bench, payment.payment, vec![]).await.0.state;
    assert_eq!(state().await, PaymentState::Paid);
    for (status, told, becomes) in [
        (RefundStatus::Pending, AlertStatus::RefundPending, PaymentState::RefundPending),
        (RefundStatus::Succeeded, AlertStatus::RefundSucceeded, PaymentState::Refunded),
        (RefundStatus::Failed, AlertStatus::RefundFailed, PaymentState::RefundFailed),
    ] {
        made(bench, &payment, 1, refund("re_1", status, total)).await;
        assert_eq!(state().await, becomes);
        assert!(!acknowledge(bench, "re_1", AlertStatus::RefundRefused).await, "other news");
        assert!(acknowledge(bench, "re_1", told).await);
        assert!(!acknowledge(bench, "re_1", told).await, "acknowledged twice");
    }
    // An older word comes late: it is neither believed nor told again.
    made(bench, &payment, 1, refund("re_1", RefundStatus::Succeeded, total)).await;
    assert_eq!(state().await, PaymentState::RefundFailed);
    assert!(!acknowledge(bench, "re_1", AlertStatus::RefundSucceeded).await);
    let request = requests(bench, &payment).await.remove(0);
    assert_eq!((request.state, request.refund.as_deref()), (RequestState::Made, Some("re_1")));
}

pub(super) async fn a_dispute_is_told_and_stops_refunds<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    let dispute = |outcome| vec![Evidence::Dispute { dispute: "dp_1".into(), outcome }];
    learn(bench, payment.payment, dispute(DisputeOutcome::Open)).await;
    assert!(acknowledge(bench, "dp_1", AlertStatus::DisputeOpened).await);
    let disputed = AskRefundOutcome::Refused(RefundRefusal::Disputed);
    assert_eq!(ask(bench, &payment, 1, RefundAmount::Full).await, disputed);
    learn(bench, payment.payment, dispute(DisputeOutcome::Won)).await;
    assert!(acknowledge(bench, "dp_1", AlertStatus::DisputeWon).await);
    asked(ask(bench, &payment, 1, RefundAmount::Full).await);
}

pub(super) async fn a_refused_refund_is_told<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    asked(ask(bench, &payment, 1, part(500)).await);
    assert!(refused(bench, &payment, 1).await);
    assert!(acknowledge(bench, key(1).as_str(), AlertStatus::RefundRefused).await);
    // It was made all the same: Stripe's object outranks our conclusion.
    made(bench, &payment, 1, refund("re_1", RefundStatus::Succeeded, 500)).await;
    assert_eq!(requests(bench, &payment).await[0].state, RequestState::Made);
    assert_eq!(learn(bench, payment.payment, vec![]).await.0.state, PaymentState::PartlyRefunded);
}

pub(super) async fn a_refund_is_followed_for_weeks<B: Bench>(bench: &B) {
    let payment = paid(bench).await;
    asked(ask(bench, &payment, 1, part(500)).await);
    made(bench, &payment, 1, refund("re_1", RefundStatus::Succeeded, 500)).await;
    let (mut now_ms, mut looks) = (NOW_MS, 0);
    for _ in 0..40 {
        now_ms += 24 * 60 * 60 * 1000;
        bench.set_now_ms(now_ms);
        for job in bench.store().run(LeaseJobs { limit: 10 }).await.unwrap() {
            let follows = job.kind == JobKind::FollowRefunds;
            looks += usize::from(follows);
            let again = follows && crate::schedule::goes_on_following(job.tries);
            let end = if again { JobEnd::Again } else { JobEnd::Done };
            bench.store().run(FinishJob { job, end }).await.unwrap();
        }
    }
    assert_eq!(looks, 6);
}
