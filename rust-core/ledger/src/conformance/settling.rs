//! From *Pay* to the one order.

use super::fixture::{Bench, NOW_MS, accepted, proposal, tenant};
use crate::{
    Attempt, EndLifetime, Learn, LearnOutcome, OpenRefused, Pay, PayOutcome, Payment,
    SessionOpened, Source, Store,
};
use holdfast_domain::{
    AttentionReason, ChargeOutcome, DeclineReason, Evidence, PaymentId, PaymentState, SessionStatus,
};

pub(super) async fn pay<B: Bench>(bench: &B, payment: PaymentId, number: u32) -> PayOutcome {
    let proposal = proposal(number);
    bench.store().run(Pay { tenant: tenant(), payment, proposal }).await.unwrap()
}

pub(super) fn opening(outcome: PayOutcome) -> Attempt {
    match outcome {
        PayOutcome::Opening { attempt } => *attempt,
        _ => panic!("no attempt is being opened"),
    }
}

pub(super) async fn opened<B: Bench>(bench: &B, payment: PaymentId, number: u32) -> Payment {
    let session = format!("cs_{number}");
    let url = Some(format!("https://checkout.example/{session}"));
    let opened = SessionOpened { tenant: tenant(), payment, number, session, url };
    bench.store().run(opened).await.unwrap().unwrap()
}

pub(super) async fn learn<B: Bench>(
    bench: &B,
    payment: PaymentId,
    evidence: Vec<Evidence>,
) -> (Payment, bool) {
    let learn =
        Learn { tenant: tenant(), payment, source: Source::Poll, evidence, objects: vec![] };
    match bench.store().run(learn).await.unwrap() {
        LearnOutcome::Known { payment, order_made } => (*payment, order_made),
        LearnOutcome::Unknown => panic!("unknown payment"),
    }
}

pub(super) fn session(number: u32, status: SessionStatus) -> Evidence {
    Evidence::Session { session: format!("cs_{number}"), status }
}

fn charge(payment: &Payment, outcome: ChargeOutcome) -> Evidence {
    charge_of(payment, "ch_1", outcome)
}

pub(super) fn charge_of(payment: &Payment, id: &str, outcome: ChargeOutcome) -> Evidence {
    Evidence::Charge { charge: id.into(), created: 1, outcome, amount: payment.total }
}

fn paid(payment: &Payment) -> Vec<Evidence> {
    vec![session(1, SessionStatus::Complete), charge(payment, ChargeOutcome::Succeeded)]
}

pub(super) async fn two_payers_at_once_share_one_attempt<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    let first = opening(pay(bench, payment, 1).await);
    let second = opening(pay(bench, payment, 1).await);
    assert_eq!((first.number, &first.frozen_body), (second.number, &second.frozen_body));
    assert_eq!(opened(bench, payment, 1).await.state, PaymentState::WaitingForCard);
    match pay(bench, payment, 2).await {
        PayOutcome::Open { url } => assert_eq!(url, "https://checkout.example/cs_1"),
        _ => panic!("the open page is not found"),
    }
}

pub(super) async fn a_new_attempt_needs_proof_that_the_last_is_over<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    opening(pay(bench, payment, 1).await);
    // Nobody knows what became of the first request, so it stays the only one.
    assert_eq!(opening(pay(bench, payment, 2).await).number, 1);
    opened(bench, payment, 1).await;
    let (expired, _) = learn(bench, payment, vec![session(1, SessionStatus::Expired)]).await;
    assert_eq!(expired.state, PaymentState::Owed);
    assert!(matches!(pay(bench, payment, 1).await, PayOutcome::Propose { number: 2 }));
    assert_eq!(opening(pay(bench, payment, 2).await).number, 2);
}

pub(super) async fn evidence_makes_one_order_however_often_it_comes<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await;
    let id = payment.payment;
    opening(pay(bench, id, 1).await);
    opened(bench, id, 1).await;
    let declined = ChargeOutcome::Failed(DeclineReason::NotEnoughFunds);
    let (declined, made) = learn(bench, id, vec![charge(&payment, declined)]).await;
    assert_eq!((declined.state, made), (PaymentState::Declined, false));
    assert_eq!(declined.decline, Some(DeclineReason::NotEnoughFunds));
    let (first, made) = learn(bench, id, paid(&payment)).await;
    assert_eq!((first.state, made), (PaymentState::Paid, true));
    let (again, made) = learn(bench, id, paid(&payment)).await;
    assert_eq!((again, made), (first, false));
    assert_eq!(bench.counts().await, (1, 1));
    assert!(matches!(pay(bench, id, 2).await, PayOutcome::NotPayable { .. }));
}

pub(super) async fn concurrent_evidence_makes_one_order<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await;
    opening(pay(bench, payment.payment, 1).await);
    opened(bench, payment.payment, 1).await;
    let one = || learn(bench, payment.payment, paid(&payment));
    let (a, b, c, d) = join4(one(), one(), one(), one()).await;
    let all = [a, b, c, d];
    assert_eq!(all.iter().filter(|(_, made)| *made).count(), 1);
    let receipts: Vec<_> = all.iter().map(|(payment, _)| payment.receipt_order_id).collect();
    assert!(receipts[0].is_some() && receipts.iter().all(|receipt| *receipt == receipts[0]));
    assert_eq!(bench.counts().await, (1, 1));
}

pub(super) async fn a_refused_request_needs_a_person<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    opening(pay(bench, payment, 1).await);
    let refused = OpenRefused { tenant: tenant(), payment, number: 1, needs_attention: true };
    let after = bench.store().run(refused).await.unwrap().unwrap();
    assert_eq!(after.attention, Some(AttentionReason::StripeRefuses));
    assert!(matches!(pay(bench, payment, 2).await, PayOutcome::NotPayable { .. }));
}

pub(super) async fn the_end_of_the_lifetime_expires_only_what_is_unpaid<B: Bench>(bench: &B) {
    let (left, settled) = (accepted(bench, 1).await, accepted(bench, 2).await);
    opening(pay(bench, settled.payment, 1).await);
    opened(bench, settled.payment, 1).await;
    learn(bench, settled.payment, paid(&settled)).await;
    let end = |payment: &Payment| EndLifetime { tenant: tenant(), payment: payment.payment };
    assert_eq!(bench.store().run(end(&left)).await.unwrap(), None);
    bench.set_now_ms(NOW_MS + 86_400_000);
    let state = bench.store().run(end(&left)).await.unwrap().unwrap().state;
    assert_eq!(state, PaymentState::Expired);
    let state = bench.store().run(end(&settled)).await.unwrap().unwrap().state;
    assert_eq!(state, PaymentState::Paid);
    assert!(matches!(pay(bench, left.payment, 1).await, PayOutcome::NotPayable { .. }));
}

pub(super) async fn every_change_has_a_revision_of_its_own<B: Bench>(bench: &B) {
    let first = accepted(bench, 1).await;
    let second = accepted(bench, 2).await;
    assert!(second.revision > first.revision);
    opening(pay(bench, first.payment, 1).await);
    let changed = opened(bench, first.payment, 1).await;
    assert!(changed.revision > second.revision);
    let (same, _) = learn(bench, first.payment, vec![session(1, SessionStatus::Open)]).await;
    assert_eq!(same.revision, changed.revision);
}

pub(super) async fn join4<F: Future>(
    a: F,
    b: F,
    c: F,
    d: F,
) -> (F::Output, F::Output, F::Output, F::Output) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut c, mut d) = (std::pin::pin!(c), std::pin::pin!(d));
    let mut done = (None, None, None, None);
    std::future::poll_fn(move |cx| {
        use std::task::Poll;
        if done.0.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            done.0 = Some(value);
        }
        if done.1.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            done.1 = Some(value);
        }
        if done.2.is_none()
            && let Poll::Ready(value) = c.as_mut().poll(cx)
        {
            done.2 = Some(value);
        }
        if done.3.is_none()
            && let Poll::Ready(value) = d.as_mut().poll(cx)
        {
            done.3 = Some(value);
        }
        match &done {
            (Some(_), Some(_), Some(_), Some(_)) => Poll::Ready((
                done.0.take().unwrap(),
                done.1.take().unwrap(),
                done.2.take().unwrap(),
                done.3.take().unwrap(),
            )),
            _ => Poll::Pending,
        }
    })
    .await
}
