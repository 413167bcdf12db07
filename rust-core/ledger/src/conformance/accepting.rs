//! What is taken into the ledger, and what is not.

use super::fixture::{Bench, NOW_MS, accept, accepted, device, order, payload, payment_type};
use crate::{AcceptOutcome, Carrier, Device, DeviceStatus, PaymentType, Store};
use holdfast_domain::{Mode, Money, OrderLine, TenantSlug};
use holdfast_protocol::OrderPayload;
use holdfast_protocol::wire::ErrorCode;

pub(super) async fn the_same_order_again_is_answered_as_before<B: Bench>(bench: &B) {
    let first = accepted(bench, 1).await;
    let mut carried = accept(order(payload(1)));
    carried.carrier = Carrier::Payer;
    let again = bench.store().run(carried).await.unwrap();
    assert_eq!(again, AcceptOutcome::Accepted { payment: Box::new(first), new: false });
    assert_eq!(bench.counts().await, (1, 0));
}

pub(super) async fn another_payload_with_the_same_id_is_a_conflict<B: Bench>(bench: &B) {
    accepted(bench, 1).await;
    let changed = OrderPayload { held_at_unix_s: payload(1).held_at_unix_s - 1, ..payload(1) };
    refused(bench, changed, ErrorCode::PaymentConflict).await;
    assert_eq!(bench.counts().await, (1, 0));
}

pub(super) async fn a_known_order_is_answered_after_its_lifetime<B: Bench>(bench: &B) {
    let first = accepted(bench, 1).await;
    bench.set_now_ms(NOW_MS + 10 * 86_400_000);
    bench.put_device(Device { status: DeviceStatus::Revoked, ..device() }).await;
    let again = bench.store().run(accept(order(payload(1)))).await.unwrap();
    assert_eq!(again, AcceptOutcome::Accepted { payment: Box::new(first), new: false });
}

pub(super) async fn refused_orders_leave_nothing_behind<B: Bench>(bench: &B) {
    let good = payload(1);
    let cases = [
        (ErrorCode::WrongGateway, {
            OrderPayload { gateway: holdfast_domain::GatewayId::from_bytes([0; 8]), ..good.clone() }
        }),
        (ErrorCode::WrongTenant, {
            OrderPayload { tenant: TenantSlug::parse("other").unwrap(), ..good.clone() }
        }),
        (ErrorCode::UnknownDevice, {
            OrderPayload { device: holdfast_domain::DeviceId::from_bytes([0; 8]), ..good.clone() }
        }),
        (ErrorCode::ModeDiffers, OrderPayload { mode: Mode::Live, ..good.clone() }),
        (ErrorCode::LifetimeOver, OrderPayload { held_at_unix_s: 1, ..good.clone() }),
        (ErrorCode::UnknownCatalogue, OrderPayload { catalogue_version: 9, ..good.clone() }),
        (ErrorCode::LinesRefused, {
            OrderPayload { lines: vec![OrderLine::Item { item: 9, quantity: 1 }], ..good.clone() }
        }),
        (ErrorCode::TotalDiffers, {
            OrderPayload { total: Money::new(1, good.total.currency()), ..good.clone() }
        }),
        (ErrorCode::UnknownPaymentType, {
            OrderPayload { payment_type: "CASH".parse().unwrap(), ..good.clone() }
        }),
    ];
    for (code, payload) in cases {
        // The payment type takes any amount here, so that the total is what is looked at.
        bench.put_payment_type(PaymentType { minor_min: 0, ..payment_type() }).await;
        refused(bench, payload, code).await;
    }
    bench.put_device(Device { status: DeviceStatus::Pending, ..device() }).await;
    refused(bench, payload(1), ErrorCode::DeviceNotApproved).await;
    bench.put_device(device()).await;
    bench.put_payment_type(PaymentType { pin: None, ..payment_type() }).await;
    refused(bench, payload(1), ErrorCode::PaymentTypeNotReady).await;
    bench.put_payment_type(PaymentType { minor_min: 1251, ..payment_type() }).await;
    refused(bench, payload(1), ErrorCode::AmountRefused).await;
    bench.put_payment_type(payment_type()).await;
    let other_keys_order = {
        let other = order(OrderPayload { sequence: 2, ..payload(1) });
        let signature =
            order(payload(1)).to_bytes()[order(payload(1)).to_bytes().len() - 64..].to_vec();
        let mut bytes = other.to_bytes();
        let from = bytes.len() - 64;
        bytes.splice(from.., signature);
        holdfast_protocol::SignedOrder::parse(&bytes).unwrap()
    };
    let outcome = bench.store().run(accept(other_keys_order)).await.unwrap();
    assert!(matches!(outcome, AcceptOutcome::Refused { code: ErrorCode::SignatureWrong, .. }));
    assert_eq!(bench.counts().await, (0, 0));
    accepted(bench, 1).await;
    let reused = OrderPayload { sequence: 1, ..payload(2) };
    refused(bench, reused, ErrorCode::SequenceReused).await;
    assert!(!bench.has_payment(payload(2).payment).await);
}

async fn refused<B: Bench>(bench: &B, payload: OrderPayload, expected: ErrorCode) {
    match bench.store().run(accept(order(payload))).await.unwrap() {
        AcceptOutcome::Refused { code, message } => {
            assert_eq!(code, expected, "{message}");
            assert!(message.ends_with('.'), "{message}");
        }
        AcceptOutcome::Accepted { .. } => panic!("accepted instead of {expected:?}"),
    }
}
