//! What the tests start from: one enrolled handheld of one tenant.

use crate::engine::{
    BootId, Config, Counters, Delivery, Enrolment, Held, HeldMoment, Moment, Payment, Random,
    Record, Write,
};
use holdfast_domain::{
    Cart, Catalogue, CatalogueItem, Currency, DeviceId, GatewayId, Mode, Money, OfficerId,
    OrderLine, PaymentId, PaymentState, PaymentTypeCode, Secret, TenantSlug,
};
use holdfast_protocol::sealed_copy::{self, CopyPublicKey};
use holdfast_protocol::wire::{
    CATALOGUE_LIFETIME_S, ConfigResponse, Officer, PaymentStatus, PaymentTypeOffer, Provider,
    WIRE_VERSION,
};
use holdfast_protocol::{DevicePublicKey, OrderPayload, SignedOrder};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

pub(crate) const GATEWAY_URL: &str = "https://gateway.example";
pub(crate) const PUBLIC_URL: &str = "https://pay.example";
pub(crate) const START: Moment = Moment { wall_ms: 1_790_000_000_000, mono_ms: 1_000 };

pub(crate) fn device_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(crate) fn public_key() -> DevicePublicKey {
    DevicePublicKey::from(*device_key().verifying_key())
}

/// As Android Keystore answers: DER.
pub(crate) fn signed(message: &[u8]) -> Vec<u8> {
    signed_by(&device_key(), message)
}

pub(crate) fn signed_by(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(message);
    signature.to_der().as_bytes().to_vec()
}

pub(crate) fn device() -> DeviceId {
    DeviceId::from_bytes([0xD1; 8])
}

pub(crate) fn tenant() -> TenantSlug {
    TenantSlug::parse("demo").unwrap()
}

pub(crate) fn stripe() -> PaymentTypeCode {
    PaymentTypeCode::parse("STRIPE").unwrap()
}

/// The gateway's secret key for copies.
pub(crate) fn copy_secret() -> Secret<[u8; 32]> {
    Secret::new([6; 32])
}

pub(crate) fn copy_key() -> CopyPublicKey {
    sealed_copy::public_half(&copy_secret()).unwrap()
}

/// One run of the operating system.
pub(crate) const BOOT: BootId = [0xB0; 16];

pub(crate) fn enrolment() -> Enrolment {
    Enrolment {
        gateway_url: GATEWAY_URL.to_owned(),
        public_url: PUBLIC_URL.to_owned(),
        tenant: tenant(),
        gateway: GatewayId::from_bytes([0xA1; 8]),
        gateway_public_key: public_key().to_sec1().to_vec(),
        device: device(),
        public_key: public_key().to_sec1().to_vec(),
        officer: OfficerId(1),
        officer_name: "Officer One".to_owned(),
        organisation: "City of Hill".to_owned(),
        approved: true,
        confirm_secret: Secret::new([5; 32]),
        copy_key: Some(*copy_key().as_bytes()),
        ca: None,
    }
}

pub(crate) fn catalogue() -> Catalogue {
    let item = |id, name: &str, minor| CatalogueItem {
        id,
        name: name.to_owned(),
        price: Money::new(minor, Currency::USD),
    };
    Catalogue {
        version: 3,
        currency: Currency::USD,
        items: vec![item(1, "Parking", 1250), item(2, "Towing", 9900)],
    }
}

pub(crate) fn offer(mode: Mode) -> PaymentTypeOffer {
    PaymentTypeOffer {
        code: stripe(),
        name: "Online Payment".to_owned(),
        provider: Provider::Stripe,
        mode,
        currency: Currency::USD,
    }
}

pub(crate) fn config() -> ConfigResponse {
    ConfigResponse {
        version: WIRE_VERSION,
        gateway_time_unix_s: START.wall_ms / 1_000,
        epoch: 1,
        approved: true,
        organisation: "City of Hill".to_owned(),
        public_url: PUBLIC_URL.to_owned(),
        officer: Officer { id: OfficerId(1), name: "Officer One".to_owned() },
        order_lifetime_s: 604_800,
        catalogue_lifetime_s: CATALOGUE_LIFETIME_S,
        catalogue: Some(catalogue()),
        payment_types: vec![offer(Mode::Test)],
        caps: holdfast_protocol::wire::Caps::default(),
        history_days: 7,
    }
}

/// The records of a handheld that is enrolled and has fetched its configuration.
pub(crate) fn records() -> Vec<Record> {
    vec![
        Record::Enrolment(Box::new(enrolment())),
        Record::Config(Config { fetched_at_ms: START.wall_ms, config: config() }),
        Record::Counters(Counters::new(device())),
    ]
}

pub(crate) fn payment_id(number: u64) -> PaymentId {
    PaymentId::mint(START.wall_ms + number, &[1; 10])
}

/// A queued payment with a real order.
pub(crate) fn held_payment(sequence: u64) -> Payment {
    let lines = vec![OrderLine::Item { item: 1, quantity: 2 }];
    let cart = Cart::price(&catalogue(), lines).unwrap();
    let payment = payment_id(sequence);
    let enrolment = enrolment();
    let payload = OrderPayload {
        gateway: enrolment.gateway,
        tenant: tenant(),
        mode: Mode::Test,
        device: device(),
        sequence,
        payment,
        officer: enrolment.officer,
        payment_type: stripe(),
        catalogue_version: cart.catalogue_version,
        lines: cart.lines.clone(),
        total: cart.total,
        held_at_unix_s: START.wall_ms / 1_000,
        lifetime_s: 604_800,
    };
    let der = signed(&payload.to_be_signed());
    let signature = holdfast_protocol::DeviceSignature::from_der(&der).unwrap();
    Payment {
        payment,
        revision: 2,
        drafted_at_ms: START.wall_ms,
        cart,
        method: Some(offer(Mode::Test).into()),
        held: Some(Held {
            order: SignedOrder::assemble(payload, signature).to_bytes(),
            sequence,
            device: device(),
            held_at_ms: START.wall_ms,
            route: enrolment.route().into(),
            delivery: Delivery::Queued,
            status: None,
            moment: HeldMoment::default(),
            told: true,
            imported: false,
            epoch: 0,
            acknowledged_at_unix_s: None,
            proof: None,
            wrong_codes: 0,
        }),
    }
}

/// A write that is easy to tell from others.
pub(crate) fn write(sequence: u64) -> Write {
    Write::payment(held_payment(sequence))
}

pub(crate) fn status(payment: PaymentId, revision: u64, state: PaymentState) -> PaymentStatus {
    PaymentStatus {
        payment,
        revision,
        state,
        amount: Money::new(2500, Currency::USD),
        receipt_order_id: None,
        paid_at_unix_s: None,
        decline: None,
        attention: None,
        held_up: None,
    }
}

/// Randomness that only counts: enough for IDs that differ.
pub(crate) struct Counting(pub(crate) u64);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}
