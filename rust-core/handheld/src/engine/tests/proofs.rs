//! Paid, verified offline.

use super::bench::Bench;
use super::fixture;
use super::gateway::Gateway;
use crate::engine::{CODE_LOCK_MS, CODE_TRIES_MAX, Call, Reply, StoreFault};
use crate::error::{CodeError, ReceiptError};
use holdfast_domain::{
    Currency, GatewayId, Mode, Money, PaymentId, PaymentState, ReceiptOrderId, TenantSlug,
};
use holdfast_protocol::{DeviceSignature, ReceiptPayload, SignedReceipt, confirm_code};
use p256::ecdsa::SigningKey;

fn receipt(payment: PaymentId) -> ReceiptPayload {
    ReceiptPayload {
        gateway: fixture::enrolment().gateway,
        tenant: fixture::tenant(),
        mode: Mode::Test,
        payment,
        amount: Money::new(2500, Currency::USD),
        receipt_order_id: ReceiptOrderId::from_bits([1, 2, 3, 4, 5]),
        paid_at_unix_s: fixture::START.wall_ms / 1_000,
    }
}

/// As the payer's page shows it. The gateway's key in these tests is the device's.
fn shown(payload: ReceiptPayload, key: &SigningKey) -> String {
    let der = fixture::signed_by(key, &payload.to_be_signed());
    let signature = DeviceSignature::from_der(&der).unwrap();
    SignedReceipt::assemble(payload, signature).address(fixture::PUBLIC_URL)
}

fn scan(bench: &mut Bench, text: String) -> Result<PaymentId, ReceiptError> {
    match bench.ask(Call::VerifyReceipt(text)) {
        Reply::VerifyReceipt(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn type_in(bench: &mut Bench, payment: PaymentId, code: &str) -> Result<(), CodeError> {
    match bench.ask(Call::VerifyCode(payment, code.to_owned())) {
        Reply::VerifyCode(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn code(payment: PaymentId) -> String {
    let secret = fixture::enrolment().confirm_secret;
    confirm_code(&secret, payment, Money::new(2500, Currency::USD)).to_string()
}

#[test]
fn the_payers_receipt_makes_it_paid_offline_and_the_gateway_confirms() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    let text = shown(receipt(payment), &fixture::device_key());
    assert_eq!(scan(&mut bench, text.clone()), Ok(payment));
    bench.restart();
    let view = bench.view(payment);
    assert_eq!((view.state, view.verified_offline), (PaymentState::Paid, true));
    let id = ReceiptOrderId::from_bits([1, 2, 3, 4, 5]).to_string();
    assert_eq!((view.receipt_order_id, view.pay_address), (Some(id), None));
    assert_eq!(scan(&mut bench, text), Ok(payment), "again is the same");

    // The order is still delivered. A gateway that has not heard of the money yet unsays nothing.
    bench.serve(&mut gateway);
    assert_eq!(gateway.accepted.len(), 1);
    assert_eq!(bench.view(payment).state, PaymentState::Paid);
    assert!(bench.view(payment).verified_offline);
    gateway.move_on(payment, PaymentState::Paid);
    bench.serve_poll(&mut gateway);
    let view = bench.view(payment);
    assert_eq!((view.state, view.verified_offline), (PaymentState::Paid, false));
    bench.pass(1_000);
    gateway.move_on(payment, PaymentState::Refunded);
    bench.serve_poll(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Refunded, "the later word wins");
}

#[test]
fn a_receipt_that_proves_nothing_is_refused_by_name() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    let draft = bench.draft();
    let good = || receipt(payment);
    let key = fixture::device_key();
    let forger = SigningKey::from_slice(&[8; 32]).unwrap();
    let euro = Currency::from_code("EUR").unwrap();
    let tenant = TenantSlug::parse("other").unwrap();
    let gateway = GatewayId::from_bytes([9; 8]);
    for (text, error) in [
        ("hello".to_owned(), ReceiptError::NotAReceipt),
        (bench.view(payment).pay_address.unwrap(), ReceiptError::NotAReceipt),
        (shown(good(), &forger), ReceiptError::NotByThisGateway),
        (shown(ReceiptPayload { gateway, ..good() }, &key), ReceiptError::NotByThisGateway),
        (shown(ReceiptPayload { tenant, ..good() }, &key), ReceiptError::AnotherTenant),
        (shown(ReceiptPayload { mode: Mode::Live, ..good() }, &key), ReceiptError::ModeDiffers),
        (
            shown(ReceiptPayload { amount: Money::new(2499, Currency::USD), ..good() }, &key),
            ReceiptError::AmountDiffers,
        ),
        (
            shown(ReceiptPayload { amount: Money::new(2500, euro), ..good() }, &key),
            ReceiptError::AmountDiffers,
        ),
        (shown(receipt(fixture::payment_id(99)), &key), ReceiptError::UnknownPayment),
        (shown(receipt(draft), &key), ReceiptError::UnknownPayment),
    ] {
        let scanned = scan(&mut bench, text);
        assert!(
            scanned == Err(error.clone())
                || (error == ReceiptError::NotAReceipt
                    && scanned == Err(ReceiptError::NotByThisGateway)),
            "{scanned:?} {error:?}"
        );
    }
    assert_eq!(bench.view(payment).state, PaymentState::Queued);
    bench.fault = Some(StoreFault::Failed);
    assert_eq!(scan(&mut bench, shown(good(), &key)), Err(ReceiptError::Storage));
    assert_eq!(bench.view(payment).state, PaymentState::Queued, "claimed only when it is on disk");
    let mut nobody = Bench::new(Vec::new());
    assert_eq!(scan(&mut nobody, shown(good(), &key)), Err(ReceiptError::NotByThisGateway));
}

#[test]
fn the_payers_code_makes_it_paid_offline_and_is_not_shown_before() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    assert_eq!(bench.view(payment).confirm_code, None);
    let typed = code(payment).to_lowercase().replace('-', " ");
    assert_eq!(type_in(&mut bench, payment, &typed), Ok(()));
    bench.restart();
    let view = bench.view(payment);
    assert_eq!((view.state, view.verified_offline), (PaymentState::Paid, true));
    assert_eq!(view.confirm_code, Some(code(payment)));
}

#[test]
fn wrong_codes_are_counted_over_restarts_and_then_each_try_waits() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    assert_eq!(type_in(&mut bench, payment, "123"), Err(CodeError::Unreadable));
    let draft = bench.draft();
    assert_eq!(type_in(&mut bench, draft, "0000-0000"), Err(CodeError::NotHeld));
    for tries_left in (0..CODE_TRIES_MAX).rev() {
        let wrong = type_in(&mut bench, payment, "0000-0000");
        assert_eq!(wrong, Err(CodeError::Wrong { tries_left }));
        bench.restart();
    }
    let wait_s = u32::try_from(CODE_LOCK_MS / 1_000).unwrap();
    let locked = Err(CodeError::Locked { wait_s });
    assert_eq!(type_in(&mut bench, payment, &code(payment)), locked, "even the right one");
    bench.pass(CODE_LOCK_MS);
    assert_eq!(type_in(&mut bench, payment, "0000-0000"), Err(CodeError::Wrong { tries_left: 0 }));
    assert_eq!(type_in(&mut bench, payment, &code(payment)), locked);
    bench.pass(CODE_LOCK_MS);
    assert_eq!(type_in(&mut bench, payment, &code(payment)), Ok(()));
}
