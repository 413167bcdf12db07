//! One tenant, one handheld, one price list, and orders signed for them.

use crate::{
    Accept, AcceptOutcome, Attempt, AttemptState, Carrier, Device, DeviceStatus, Payment,
    PaymentType, Pin, Proposal, Store,
};
use holdfast_domain::{
    Catalogue, CatalogueItem, Currency, DeviceId, GatewayId, Mode, Money, OfficerId, OrderLine,
    PaymentId, PaymentState, PaymentTypeCode, PricedLine, TenantSlug,
};
use holdfast_protocol::wire::Provider;
use holdfast_protocol::{
    DevicePublicKey, DeviceSignature, NoticeKind, NoticePayload, OrderPayload, SignedNotice,
    SignedOrder,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use std::future::Future;

/// The time at which every check starts.
pub const NOW_MS: i64 = 1_790_000_000_000;

/// A store under test, with what is no decision's to write.
pub trait Bench: Send + Sync {
    type Store: Store;
    fn store(&self) -> &Self::Store;
    fn set_now_ms(&self, now_ms: i64);
    fn put_device(&self, device: Device) -> impl Future<Output = ()> + Send;
    fn put_continuity(
        &self,
        device: DeviceId,
        earlier: DeviceId,
    ) -> impl Future<Output = ()> + Send;
    fn put_payment_type(&self, payment_type: PaymentType) -> impl Future<Output = ()> + Send;
    fn put_catalogue(&self, catalogue: Catalogue) -> impl Future<Output = ()> + Send;
    /// The shift of a cash payment is closed.
    fn hand_in(&self, payment: PaymentId) -> impl Future<Output = ()> + Send;
    /// Payments and orders in the ledger.
    fn counts(&self) -> impl Future<Output = (usize, usize)> + Send;
    fn has_payment(&self, payment: PaymentId) -> impl Future<Output = bool> + Send;
}

pub fn tenant() -> TenantSlug {
    TenantSlug::parse("demo").unwrap()
}

pub fn gateway() -> GatewayId {
    GatewayId::from_bytes([0xA1; 8])
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

pub fn device() -> Device {
    Device {
        device: DeviceId::from_bytes([0xB2; 8]),
        public_key: DevicePublicKey::from(*key().verifying_key()),
        status: DeviceStatus::Approved,
    }
}

pub fn payment_type() -> PaymentType {
    PaymentType {
        code: PaymentTypeCode::parse("STRIPE").unwrap(),
        provider: Provider::Stripe,
        mode: Mode::Test,
        currency: Currency::USD,
        minor_min: 50,
        minor_max: 99_999_999,
        pin: Some(Pin { account: "acct_1".into(), generation: 1 }),
        trial: None,
    }
}

pub fn catalogue() -> Catalogue {
    let price = Money::new(1250, Currency::USD);
    let item = CatalogueItem { id: 1, name: "Day permit".into(), price };
    Catalogue { version: 1, currency: Currency::USD, items: vec![item] }
}

/// An order for one day permit; `n` makes payment ID and sequence number.
pub fn payload(n: u64) -> OrderPayload {
    OrderPayload {
        gateway: gateway(),
        tenant: tenant(),
        mode: Mode::Test,
        device: device().device,
        sequence: n,
        payment: PaymentId::mint(NOW_MS.unsigned_abs() + n, &[3; 10]),
        officer: OfficerId(1),
        payment_type: payment_type().code,
        catalogue_version: 1,
        lines: vec![OrderLine::Item { item: 1, quantity: 1 }],
        total: Money::new(1250, Currency::USD),
        held_at_unix_s: NOW_MS.unsigned_abs() / 1000,
        lifetime_s: 86_400,
    }
}

/// The payload, signed by the device.
pub fn order(payload: OrderPayload) -> SignedOrder {
    let signature: Signature = key().sign(&payload.to_be_signed());
    let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap();
    SignedOrder::assemble(payload, signature)
}

/// A notice about a payment, signed by the device.
pub fn notice(payment: PaymentId, kind: NoticeKind) -> SignedNotice {
    let payload = NoticePayload {
        gateway: gateway(),
        tenant: tenant(),
        device: device().device,
        payment,
        kind,
        made_at_unix_s: NOW_MS.unsigned_abs() / 1000,
    };
    signed_notice(payload)
}

pub(super) fn signed_notice(payload: NoticePayload) -> SignedNotice {
    let signature: Signature = key().sign(&payload.to_be_signed());
    let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap();
    SignedNotice::assemble(payload, signature)
}

pub fn proposal(number: u32) -> Proposal {
    Proposal {
        number,
        idempotency_key: format!("key-{number}"),
        frozen_body: format!("attempt={number}"),
        expires_at_unix_s: NOW_MS / 1000 + 7_200,
    }
}

pub(super) async fn furnish<B: Bench>(bench: &B) {
    bench.set_now_ms(NOW_MS);
    bench.put_device(device()).await;
    bench.put_payment_type(payment_type()).await;
    bench.put_catalogue(catalogue()).await;
}

pub(super) fn accept(order: SignedOrder) -> Accept {
    Accept { order, tenant: tenant(), carrier: Carrier::Handheld }
}

pub(super) async fn accepted<B: Bench>(bench: &B, n: u64) -> Payment {
    match bench.store().run(accept(order(payload(n)))).await.unwrap() {
        AcceptOutcome::Accepted { payment, .. } => *payment,
        AcceptOutcome::Refused { message, .. } => panic!("refused: {message}"),
    }
}

/// A payment as a store would hold it, for tests without a store.
pub fn held_payment() -> Payment {
    let payload = payload(1);
    Payment {
        tenant: tenant(),
        payment: payload.payment,
        device: payload.device,
        sequence: 1,
        officer: payload.officer,
        digest: payload.digest(),
        order_bytes: order(payload.clone()).to_bytes(),
        carrier: Carrier::Handheld,
        mode: Mode::Test,
        payment_type: payload.payment_type,
        pin: Pin { account: "acct_1".into(), generation: 1 },
        lines: vec![PricedLine { name: "Day permit".into(), quantity: 1, amount: payload.total }],
        total: payload.total,
        held_at_unix_s: payload.held_at_unix_s,
        accepted_at_ms: NOW_MS,
        lifetime_ends_at_ms: NOW_MS + 86_400_000,
        state: PaymentState::Sent,
        decline: None,
        attention: None,
        revision: 1,
        changed_at_ms: NOW_MS,
        receipt_order_id: None,
        paid_at_ms: None,
        held_up: None,
    }
}

/// The first attempt of a payment, opened as `session`.
pub fn opened_attempt(payment: &Payment, session: &str) -> Attempt {
    let Proposal { number, idempotency_key, frozen_body, expires_at_unix_s } = proposal(1);
    Attempt {
        tenant: payment.tenant.clone(),
        payment: payment.payment,
        number,
        state: AttemptState::Opened,
        idempotency_key,
        frozen_body,
        frozen_at_ms: NOW_MS,
        expires_at_unix_s,
        session: Some(session.to_owned()),
        url: Some("https://checkout.example/c/pay/cs_1".into()),
    }
}
