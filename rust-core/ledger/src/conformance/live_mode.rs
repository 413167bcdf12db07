//! Real money: off, on trial, on.

use super::fixture::{Bench, accept, order, payload, payment_type};
use super::settling::{charge_of, learn, opened, pay, session};
use crate::{AcceptOutcome, Payment, PaymentType, Store};
use holdfast_domain::{ChargeOutcome, Mode, Money, OfficerId, OrderLine, SessionStatus};
use holdfast_protocol::OrderPayload;
use holdfast_protocol::wire::ErrorCode;

fn live(n: u64) -> OrderPayload {
    OrderPayload { mode: Mode::Live, ..payload(n) }
}

async fn held<B: Bench>(bench: &B, payload: OrderPayload) -> Result<Payment, ErrorCode> {
    match bench.store().run(accept(order(payload))).await.unwrap() {
        AcceptOutcome::Accepted { payment, .. } => Ok(*payment),
        AcceptOutcome::Refused { code, .. } => Err(code),
    }
}

pub(super) async fn a_live_order_is_refused_while_live_mode_is_off<B: Bench>(bench: &B) {
    assert_eq!(held(bench, live(1)).await, Err(ErrorCode::ModeDiffers));
    assert_eq!(bench.counts().await, (0, 0));
}

pub(super) async fn a_trial_is_for_named_officers_and_small_sums<B: Bench>(bench: &B) {
    let trial = |officers: &[u32]| {
        let trial = Some(officers.iter().copied().map(OfficerId).collect());
        PaymentType { mode: Mode::Live, trial, ..payment_type() }
    };
    // The day permit costs 12.50, which is more than a trial may cost.
    bench.put_payment_type(trial(&[1, 7])).await;
    assert_eq!(held(bench, live(1)).await, Err(ErrorCode::AmountRefused));
    let cheap = |n| {
        let mut cheap = live(n);
        cheap.catalogue_version = 2;
        cheap.total = Money::new(500, cheap.total.currency());
        cheap.lines = vec![OrderLine::Item { item: 1, quantity: 1 }];
        cheap
    };
    let mut list = super::fixture::catalogue();
    list.version = 2;
    list.items[0].price = Money::new(500, list.currency);
    bench.put_catalogue(list).await;
    bench.put_payment_type(trial(&[7])).await;
    assert_eq!(held(bench, cheap(1)).await, Err(ErrorCode::UnknownPaymentType));
    // A test order cannot run while the type is live.
    assert_eq!(held(bench, payload(2)).await, Err(ErrorCode::ModeDiffers));
    bench.put_payment_type(trial(&[1, 7])).await;
    let payment = held(bench, cheap(1)).await.unwrap();
    // Not paid yet: the trial goes on.
    assert_eq!(held(bench, live(3)).await, Err(ErrorCode::AmountRefused));
    pay(bench, payment.payment, 1).await;
    opened(bench, payment.payment, 1).await;
    let evidence = vec![
        session(1, SessionStatus::Complete),
        charge_of(&payment, "ch_1", ChargeOutcome::Succeeded),
    ];
    learn(bench, payment.payment, evidence).await;
    // Really paid: open to every officer, for every sum.
    held(bench, OrderPayload { officer: OfficerId(2), ..live(3) }).await.unwrap();
}
