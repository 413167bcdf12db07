//! Golden vectors, and that nothing else than what was signed is an order.

use super::*;
use crate::cose::PROTECTED;
use crate::pay_address::{host_in_words, order_bytes, pay_address};
use data_encoding::HEXLOWER;
use holdfast_domain::Currency;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;

const VECTORS: &str = include_str!("../../../../tests/vectors/signed_order.json");

fn device_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn public_key() -> DevicePublicKey {
    DevicePublicKey::from(*device_key().verifying_key())
}

fn payload() -> OrderPayload {
    OrderPayload {
        gateway: GatewayId::from_bytes([0xA1; 8]),
        tenant: TenantSlug::parse("demo").unwrap(),
        mode: Mode::Test,
        device: DeviceId::from_bytes([0xB2; 8]),
        sequence: 1,
        payment: PaymentId::mint(1_790_000_000_123, &[0xC3; 10]),
        officer: OfficerId(1),
        payment_type: PaymentTypeCode::parse("STRIPE").unwrap(),
        catalogue_version: 1,
        lines: vec![
            OrderLine::Item { item: 1, quantity: 1 },
            OrderLine::Item { item: 24, quantity: 99 },
        ],
        total: Money::new(1250, Currency::USD),
        held_at_unix_s: 1_790_000_000,
        lifetime_s: 604_800,
    }
}

fn sign(payload: OrderPayload) -> SignedOrder {
    let signature: Signature = device_key().sign(&payload.to_be_signed());
    let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap();
    SignedOrder::assemble(payload, signature)
}

fn accept(bytes: &[u8]) -> Result<SignedOrder, OrderError> {
    let order = SignedOrder::parse(bytes)?;
    order.verify(&public_key())?;
    Ok(order)
}

#[test]
fn the_bytes_are_those_of_the_golden_vector() {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    let order = sign(payload());
    let found = [
        ("payload", HEXLOWER.encode(&payload().to_bytes())),
        ("to_be_signed", HEXLOWER.encode(&payload().to_be_signed())),
        ("digest", HEXLOWER.encode(&payload().digest().0)),
        ("signed_order", HEXLOWER.encode(&order.to_bytes())),
        ("pay_address", pay_address("https://pay.example.org", &order)),
    ];
    for (name, value) in found {
        assert_eq!(vectors[name], value, "{name}");
    }
}

#[test]
fn an_order_is_read_back() {
    let order = sign(payload());
    assert_eq!(accept(&order.to_bytes()), Ok(order.clone()));
    assert_eq!(order.payload(), &payload());
    assert_eq!(order.digest(), payload().digest());
}

#[test]
fn a_re_encoded_envelope_is_the_same_order() {
    let order = sign(payload());
    let tagged = [&[0xD2], order.to_bytes().as_slice()].concat();
    assert_eq!(accept(&tagged), Ok(order.clone()));
    // The array's length of four, spelled in two bytes.
    let longer = [&[0x98, 0x04], &order.to_bytes()[1..]].concat();
    assert_eq!(accept(&longer), Ok(order));
}

#[test]
fn a_payload_has_one_spelling() {
    let canonical = payload().to_bytes();
    // The version, 1, spelled in two bytes; the signature over it is right.
    let longer = [&canonical[..2], &[0x18, 0x01], &canonical[3..]].concat();
    let signature: Signature = device_key().sign(&sig_structure(DOMAIN, &longer));
    let envelope = canonical::encode(|e| {
        e.array(4)?.bytes(PROTECTED)?.map(0)?.bytes(&longer)?;
        e.bytes(&signature.normalize_s().to_bytes())?;
        Ok(())
    });
    assert_eq!(accept(&envelope), Err(OrderError::Malformed));
}

#[test]
fn headers_are_fixed() {
    let order = sign(payload());
    let envelope = |protected: &[u8], unprotected: u64| {
        canonical::encode(|e| {
            e.array(4)?.bytes(protected)?.map(unprotected)?;
            if unprotected == 1 {
                e.u8(4)?.bytes(b"key")?;
            }
            e.bytes(&order.envelope.payload)?.bytes(order.envelope.signature.as_bytes())?;
            Ok(())
        })
    };
    assert_eq!(accept(&envelope(PROTECTED, 0)), Ok(order.clone()));
    assert_eq!(accept(&envelope(PROTECTED, 1)), Err(OrderError::Malformed));
    assert_eq!(accept(&envelope(&[0xA1, 0x01, 0x27], 0)), Err(OrderError::Malformed));
    assert_eq!(accept(&envelope(&[], 0)), Err(OrderError::Malformed));
}

#[test]
fn another_version_is_named() {
    let mut bytes = payload().to_bytes();
    bytes[2] = 2;
    assert_eq!(OrderPayload::decode(&bytes), Err(OrderError::UnknownVersion));
}

#[test]
fn every_changed_bit_is_refused() {
    let bytes = sign(payload()).to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(accept(&changed).is_err(), "bit {bit}");
    }
}

#[test]
fn every_truncation_and_every_addition_is_refused() {
    let bytes = sign(payload()).to_bytes();
    for length in 0..bytes.len() {
        assert!(accept(&bytes[..length]).is_err(), "length {length}");
    }
    assert!(accept(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert_eq!(accept(&[0x84; ORDER_BYTES_MAX + 1]), Err(OrderError::TooLong));
}

#[test]
fn five_lines_and_a_long_host_fit_a_qr_code_of_version_15() {
    // Alphanumeric characters in version 15 at level M (ISO/IEC 18004, table 7).
    const VERSION_15_M: usize = 600;
    let mut large = payload();
    large.tenant = TenantSlug::parse("abcdefghijklmnopqrstuvwx").unwrap();
    large.payment_type = PaymentTypeCode::parse("ABCDEFGHIJKL").unwrap();
    large.sequence = 1_000_000;
    large.officer = OfficerId(10_000);
    large.catalogue_version = 10_000;
    large.total = Money::new(99_999_999, Currency::USD);
    let host = "https://".to_owned() + &"h".repeat(40);
    let charge = |i: i64| OrderLine::Charge {
        reference: ChargeReference::parse(&format!("ABCDEFGHIJ-{i}")).unwrap(),
        minor: 19_999_990 + i,
    };
    for lines in [
        (0..5).map(|i| OrderLine::Item { item: 65_000 + i, quantity: 99 }).collect::<Vec<_>>(),
        (0..5).map(charge).collect(),
    ] {
        let address = pay_address(&host, &sign(OrderPayload { lines, ..large.clone() }));
        assert!(address.len() <= VERSION_15_M, "{} characters", address.len());
        let alphanumeric =
            |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || " $%*+-./:".contains(c);
        assert!(address.chars().all(alphanumeric));
    }
}

#[test]
fn a_pay_address_carries_the_order_in_either_case() {
    let order = sign(payload());
    let address = pay_address("https://Pay.Example.org/", &order);
    let base32 = address.rsplit('/').next().unwrap();
    assert!(address.starts_with("HTTPS://PAY.EXAMPLE.ORG/O/"));
    assert_eq!(order_bytes(base32), Some(order.to_bytes()));
    assert_eq!(order_bytes(&base32.to_lowercase()), Some(order.to_bytes()));
    assert_eq!(order_bytes("0189"), None);
    assert_eq!(order_bytes(&"A".repeat(10_000)), None);
    assert_eq!(host_in_words("https://Pay.Example.org:8443/"), "pay.example.org:8443");
}

fn any_payload() -> impl Strategy<Value = OrderPayload> {
    let item = (any::<u32>(), any::<u32>())
        .prop_map(|(item, quantity)| OrderLine::Item { item, quantity });
    let charge = ("[A-Z0-9]{1,12}", any::<i64>()).prop_map(|(reference, minor)| {
        let reference = ChargeReference::parse(&reference).unwrap();
        OrderLine::Charge { reference, minor }
    });
    let line = prop_oneof![item, charge];
    (
        (any::<[u8; 8]>(), "[a-z0-9]{1,24}", any::<bool>(), any::<[u8; 8]>(), 1..u64::MAX),
        (0..1_u64 << 47, any::<[u8; 10]>(), any::<u32>(), "[A-Z0-9]{1,12}", any::<u32>()),
        (prop::collection::vec(line, 1..=CART_LINES_MAX), any::<i64>(), any::<u64>()),
        1..=LIFETIME_S_MAX,
    )
        .prop_map(|(a, b, c, lifetime_s)| OrderPayload {
            gateway: GatewayId::from_bytes(a.0),
            tenant: TenantSlug::parse(&a.1).unwrap(),
            mode: if a.2 { Mode::Live } else { Mode::Test },
            device: DeviceId::from_bytes(a.3),
            sequence: a.4,
            payment: PaymentId::mint(b.0, &b.1),
            officer: OfficerId(b.2),
            payment_type: PaymentTypeCode::parse(&b.3).unwrap(),
            catalogue_version: b.4,
            lines: c.0,
            total: Money::new(c.1, Currency::USD),
            held_at_unix_s: c.2,
            lifetime_s,
        })
}

/// The line `["N-1", 6500]` in the bytes of WIRE.md; and the same reference in small letters.
#[test]
fn a_charge_line_has_these_bytes() {
    let reference = ChargeReference::parse("N-1").unwrap();
    let with =
        OrderPayload { lines: vec![OrderLine::Charge { reference, minor: 6500 }], ..payload() };
    let line = [0x0B, 0x81, 0x82, 0x63, b'N', b'-', b'1', 0x19, 0x19, 0x64];
    let bytes = with.to_bytes();
    let at = bytes.windows(line.len()).position(|found| found == line).unwrap();
    assert_eq!(accept(&sign(with.clone()).to_bytes()).unwrap().payload(), &with);
    let mut small = bytes.clone();
    small[at + 4] = b'n';
    assert!(OrderPayload::decode(&small).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_payload_is_read_back(payload in any_payload()) {
        let order = sign(payload);
        prop_assert!(order.to_bytes().len() <= ORDER_BYTES_MAX);
        prop_assert_eq!(accept(&order.to_bytes()), Ok(order));
    }

    #[test]
    fn noise_is_never_an_order(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(accept(&bytes).is_err());
    }
}
