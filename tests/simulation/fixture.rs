//! What every run starts from: one tenant, one price list, handhelds that are enrolled.

use holdfast_domain::{
    Catalogue, CatalogueItem, ChargeReference, Currency, DeviceId, GatewayId, Mode, Money,
    OfficerId, PaymentTypeCode, Secret, TenantSlug,
};
use holdfast_handheld::engine::{Config, Counters, Enrolment, Record, Write};
use holdfast_ledger::memory::Tables;
use holdfast_ledger::recovery::RecoveryKey;
use holdfast_ledger::{Charge, ChargeLine, Device, DeviceStatus, PaymentType, Pin};
use holdfast_protocol::DevicePublicKey;
use holdfast_protocol::wire::{
    CATALOGUE_LIFETIME_S, Caps, ConfigResponse, Officer, PaymentTypeOffer, Provider, WIRE_VERSION,
};
use p256::ecdsa::SigningKey;
use std::sync::LazyLock;

/// When every run starts, in milliseconds since 1970.
pub(super) const START_MS: i64 = 1_790_000_000_000;
pub(super) const GATEWAY_URL: &str = "https://gateway.example";
pub(super) const PUBLIC_URL: &str = "https://pay.example";
pub(super) const WEBHOOK_SECRET: &str = "whsec_made_up_for_the_simulation_0123456789";
pub(super) const SECRET_KEY: &str = "sk_test_made_up_for_the_simulation_0123456789";
/// Items that officers sell, by their number in the price list, with their price in cents.
pub(super) const ITEMS: [(u32, &str, i64); 3] =
    [(1, "Day permit", 1_250), (2, "Clamp release", 8_000), (3, "Towing", 19_900)];
/// More handhelds than this are not simulated.
pub(super) const DEVICES_MAX: usize = 2;

/// Made once: multiplying on the curve takes longer than most of a run.
static KEYS: LazyLock<[(SigningKey, DevicePublicKey); DEVICES_MAX]> = LazyLock::new(|| {
    [7, 9].map(|byte| {
        let key = SigningKey::from_slice(&[byte; 32]).expect("a scalar in range");
        let public = DevicePublicKey::from(*key.verifying_key());
        (key, public)
    })
});

pub(super) fn key(index: usize) -> &'static SigningKey {
    &KEYS.get(index).or(KEYS.first()).expect("a key").0
}

pub(super) fn public_key(index: usize) -> DevicePublicKey {
    KEYS.get(index).or(KEYS.first()).expect("a key").1.clone()
}

pub(super) fn device_id(index: usize) -> DeviceId {
    DeviceId::from_bytes([0xD1, 0, 0, 0, 0, 0, 0, u8::try_from(index).unwrap_or(0)])
}

pub(super) fn tenant() -> TenantSlug {
    static TENANT: LazyLock<TenantSlug> =
        LazyLock::new(|| TenantSlug::parse("demo").expect("a slug"));
    TENANT.clone()
}

/// What several handhelds may settle at once.
pub(super) const CHARGE: &str = "PN-1001";
const CHARGE_MINOR: i64 = 4_500;

pub(super) fn charge() -> Charge {
    Charge {
        tenant: tenant(),
        reference: ChargeReference::parse(CHARGE).expect("a reference"),
        plate: "AB 1234".to_owned(),
        payer: String::new(),
        lines: vec![ChargeLine { text: "Parking notice".to_owned(), minor: CHARGE_MINOR }],
        amount: Money::new(CHARGE_MINOR, Currency::USD),
        due_on: String::new(),
        user_types: "officers".to_owned(),
        withdrawn: String::new(),
        created_at_ms: 0,
        changed_at_ms: 0,
    }
}

pub(super) fn cash_code() -> PaymentTypeCode {
    PaymentTypeCode::parse("CASH").expect("a code")
}

pub(super) fn payment_type_code() -> PaymentTypeCode {
    PaymentTypeCode::parse("STRIPE").expect("a code")
}

/// The only credentials of the run.
pub(super) fn recovery_key() -> RecoveryKey {
    let (tenant, payment_type) = (tenant(), payment_type_code());
    RecoveryKey { tenant, payment_type, mode: Mode::Test, generation: 1 }
}

pub(super) fn gateway() -> GatewayId {
    GatewayId::from_bytes([0xA1; 8])
}

fn catalogue() -> Catalogue {
    let item = |(id, name, minor): (u32, &str, i64)| CatalogueItem {
        id,
        name: name.to_owned(),
        price: Money::new(minor, Currency::USD),
    };
    Catalogue { version: 3, currency: Currency::USD, items: ITEMS.map(item).to_vec() }
}

/// The ledger before the first order.
pub(super) fn tables(devices: usize) -> Tables {
    let mut tables = Tables::default();
    let tenant = tenant();
    for index in 0..devices {
        let device = Device {
            device: device_id(index),
            public_key: public_key(index),
            status: DeviceStatus::Approved,
        };
        tables.devices.insert((tenant.clone(), device.device), device);
    }
    let payment_type = PaymentType {
        code: payment_type_code(),
        provider: Provider::Stripe,
        mode: Mode::Test,
        currency: Currency::USD,
        minor_min: 50,
        minor_max: 99_999_999,
        pin: Some(Pin { account: String::new(), generation: 1 }),
        trial: None,
    };
    let cash = PaymentType {
        code: cash_code(),
        provider: Provider::Cash,
        pin: None,
        ..payment_type.clone()
    };
    for kind in [payment_type, cash] {
        tables.payment_types.insert((tenant.clone(), kind.code.clone()), kind);
    }
    tables.catalogues.insert((tenant, 3), catalogue());
    tables
}

/// What the gateway says about itself to a handheld.
pub(super) fn config(now_ms: i64, epoch: u64, approved: bool, lifetime_s: u32) -> ConfigResponse {
    ConfigResponse {
        version: WIRE_VERSION,
        gateway_time_unix_s: unix_s(now_ms),
        epoch,
        approved,
        organisation: "City of Hill".to_owned(),
        public_url: PUBLIC_URL.to_owned(),
        officer: Officer { id: OfficerId(1), name: "Officer One".to_owned() },
        order_lifetime_s: lifetime_s,
        catalogue_lifetime_s: CATALOGUE_LIFETIME_S,
        catalogue: Some(catalogue()),
        payment_types: vec![
            offer(payment_type_code(), "Online Payment", Provider::Stripe),
            offer(cash_code(), "Cash", Provider::Cash),
        ],
        caps: Caps::default(),
        // Longer than any run, so that nothing that was promised leaves the screen.
        history_days: 90,
    }
}

fn offer(code: PaymentTypeCode, name: &str, provider: Provider) -> PaymentTypeOffer {
    let (mode, currency) = (Mode::Test, Currency::USD);
    PaymentTypeOffer { code, name: name.to_owned(), provider, mode, currency }
}

/// The records of a handheld that was enrolled and has its configuration.
pub(super) fn enrolled(index: usize, lifetime_s: u32) -> Vec<Write> {
    let enrolment = Enrolment {
        gateway_url: GATEWAY_URL.to_owned(),
        public_url: PUBLIC_URL.to_owned(),
        tenant: tenant(),
        gateway: gateway(),
        gateway_public_key: public_key(0).to_sec1().to_vec(),
        device: device_id(index),
        // Uncompressed: to find the other half of a point takes longer than a step of the engine.
        public_key: key(index).verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        officer: OfficerId(1),
        officer_name: "Officer One".to_owned(),
        organisation: "City of Hill".to_owned(),
        approved: true,
        confirm_secret: Secret::new([5; 32]),
        copy_key: None,
        ca: None,
    };
    let config = Config {
        fetched_at_ms: START_MS.unsigned_abs(),
        config: config(START_MS, 1, true, lifetime_s),
    };
    vec![
        Write::enrolment(enrolment),
        Write::Put(Record::Config(config)),
        Write::Put(Record::Counters(Counters::new(device_id(index)))),
    ]
}

pub(super) fn unix_s(ms: i64) -> u64 {
    u64::try_from(ms.div_euclid(1_000)).unwrap_or(0)
}
