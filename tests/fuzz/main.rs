//! Bytes that strangers send: whatever they are, a decoder says no or reads back what it would write.
//!
//! Short here; `scripts/fuzz` runs the same for longer.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, their helpers too"
)]

mod sandbox;

use holdfast_domain::{
    Currency, DeviceId, GatewayId, Mode, Money, OfficerId, OrderLine, PaymentId, ReceiptOrderId,
    TenantSlug,
};
use holdfast_protocol::pay_address::{order_bytes, pay_address};
use holdfast_protocol::wire::{
    ChangesResponse, ConfigResponse, CopiesFile, EnrolResponse, ErrorBody, NoticeResponse,
    SubmitResponse, TokenResponse,
};
use holdfast_protocol::{
    DevicePublicKey, DeviceSignature, EnrolmentLink, NoticeKind, NoticePayload, OrderPayload,
    ReceiptPayload, SignedNotice, SignedOrder, SignedReceipt,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use std::sync::LazyLock;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_slice(&[7; 32]).unwrap());
static PUBLIC: LazyLock<DevicePublicKey> =
    LazyLock::new(|| DevicePublicKey::from(*KEY.verifying_key()));

fn signed(message: &[u8]) -> DeviceSignature {
    let signature: Signature = KEY.sign(message);
    DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap()
}

static ORDER: LazyLock<SignedOrder> = LazyLock::new(|| {
    let payload = OrderPayload {
        gateway: GatewayId::from_bytes([1; 8]),
        tenant: TenantSlug::parse("demo").unwrap(),
        mode: Mode::Test,
        device: DeviceId::from_bytes([2; 8]),
        sequence: 300,
        payment: PaymentId::mint(1_790_000_000_000, &[3; 10]),
        officer: OfficerId(1),
        payment_type: "STRIPE".parse().unwrap(),
        catalogue_version: 7,
        lines: vec![OrderLine::Item { item: 1, quantity: 2 }; 2],
        total: Money::new(2_500, Currency::USD),
        held_at_unix_s: 1_790_000_000,
        lifetime_s: 604_800,
    };
    let signature = signed(&payload.to_be_signed());
    SignedOrder::assemble(payload, signature)
});

static NOTICE: LazyLock<SignedNotice> = LazyLock::new(|| {
    let payload = NoticePayload {
        gateway: GatewayId::from_bytes([1; 8]),
        tenant: TenantSlug::parse("demo").unwrap(),
        device: DeviceId::from_bytes([2; 8]),
        payment: PaymentId::mint(1_790_000_000_000, &[3; 10]),
        kind: NoticeKind::Withdraw { reason: "The payer left.".to_owned() },
        made_at_unix_s: 1_790_000_000,
    };
    let signature = signed(&payload.to_be_signed());
    SignedNotice::assemble(payload, signature)
});

static RECEIPT: LazyLock<SignedReceipt> = LazyLock::new(|| {
    let payload = ReceiptPayload {
        gateway: GatewayId::from_bytes([1; 8]),
        tenant: TenantSlug::parse("demo").unwrap(),
        mode: Mode::Test,
        payment: PaymentId::mint(1_790_000_000_000, &[3; 10]),
        amount: Money::new(2_500, Currency::USD),
        receipt_order_id: ReceiptOrderId::from_bits([1, 2, 3, 4, 5]),
        paid_at_unix_s: 1_790_000_000,
    };
    let signature = signed(&payload.to_be_signed());
    SignedReceipt::assemble(payload, signature)
});

/// What can happen to bytes on their way.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Cut(usize),
    Repeat(usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (any::<usize>(), 1..=255_u8).prop_map(|(at, with)| Change::Flip(at, with)),
        2 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => any::<usize>().prop_map(Change::Remove),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => (any::<usize>(), 1..64_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ];
    prop::collection::vec(change, 1..6)
}

fn mangled(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let place = |at: usize| at % bytes.len().max(1);
        match *change {
            _ if bytes.is_empty() => {}
            Change::Flip(at, with) => {
                let at = place(at);
                bytes[at] ^= with;
            }
            Change::Insert(at, byte) => bytes.insert(place(at), byte),
            Change::Remove(at) => drop(bytes.remove(place(at))),
            Change::Cut(at) => bytes.truncate(place(at)),
            Change::Repeat(at, length) => {
                let at = place(at);
                let end = (at + length).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

/// Each reader, on whatever bytes.
fn read_all(bytes: &[u8]) {
    if let Ok(order) = SignedOrder::parse(bytes) {
        assert_eq!(SignedOrder::parse(&order.to_bytes()).as_ref(), Ok(&order));
        if order.verify(&PUBLIC).is_ok() {
            assert_eq!(order.digest(), ORDER.digest(), "signed for something else");
        }
    }
    if let Ok(notice) = SignedNotice::parse(bytes) {
        assert_eq!(SignedNotice::parse(&notice.to_bytes()).as_ref(), Ok(&notice));
        if notice.verify(&PUBLIC).is_ok() {
            assert_eq!(notice.payload(), NOTICE.payload(), "signed for something else");
        }
    }
    if let Ok(receipt) = SignedReceipt::verify(bytes, &PUBLIC) {
        assert_eq!(receipt.payload(), RECEIPT.payload(), "signed for something else");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = SignedReceipt::verify_scanned(text, &PUBLIC);
        let _ = order_bytes(text);
        if let Ok(link) = EnrolmentLink::parse(text) {
            assert_eq!(EnrolmentLink::parse(&link.to_string()), Ok(link));
        }
    }
}

fn read_wire(bytes: &[u8]) {
    macro_rules! read {
        ($($message:ty),*) => {$(
            if let Ok(message) = serde_json::from_slice::<$message>(bytes) {
                let written = serde_json::to_vec(&message).unwrap();
                let again: $message = serde_json::from_slice(&written).unwrap();
                assert_eq!(serde_json::to_vec(&again).unwrap(), written);
            }
        )*};
    }
    read!(
        ChangesResponse,
        ConfigResponse,
        CopiesFile,
        EnrolResponse,
        ErrorBody,
        NoticeResponse,
        SubmitResponse,
        TokenResponse
    );
}

const WIRE: [&str; 4] = [
    r#"{"revision":7,"epoch":1,"gateway_time_unix_s":1790000000,"payments":[{"payment":
       "01a0c450-6c00-7000-8000-000000000001","revision":3,"state":"paid","amount":{"minor":2500,
       "currency":"USD"},"receipt_order_id":"R-0123-ABCD","paid_at_unix_s":1790000000}]}"#,
    r#"{"version":1,"gateway_time_unix_s":1,"epoch":1,"approved":true,"organisation":"x",
       "public_url":"https://x","officer":{"id":1,"name":"x"},"order_lifetime_s":9,"catalogue":
       {"version":1,"currency":"USD","items":[{"id":1,"name":"x","price":{"minor":1,"currency":
       "USD"}}]},"payment_types":[{"code":"STRIPE","name":"x","provider":"stripe","mode":"test",
       "currency":"USD"}],"caps":{"orders_max":1,"age_s_max":1,"sum_minor_max":1}}"#,
    r#"{"code":"payment_conflict","message":"no","gateway_time_unix_s":1}"#,
    r#"{"version":1,"gateway":"0101010101010101","tenant":"demo","device":"0202020202020202",
       "copies":["AAAA"]}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_up_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..1_200)) {
        read_all(&bytes);
        read_wire(&bytes);
    }

    #[test]
    fn mangled_messages_are_refused_or_say_the_same(
        changes in changes(), message in 0..3_usize,
    ) {
        let bytes = [ORDER.to_bytes(), NOTICE.to_bytes(), RECEIPT.to_bytes()];
        read_all(&mangled(&bytes[message], &changes));
    }

    #[test]
    fn mangled_addresses_are_refused_or_say_the_same(changes in changes(), receipt in any::<bool>()) {
        let order = || pay_address("https://pay.example", &ORDER);
        let text = if receipt { RECEIPT.address("https://pay.example") } else { order() };
        let text = mangled(text.as_bytes(), &changes);
        let text = String::from_utf8_lossy(&text);
        let segment = text.rsplit('/').next().unwrap_or_default();
        if let Some(bytes) = order_bytes(segment) {
            read_all(&bytes);
        }
        read_all(text.as_bytes());
    }

    #[test]
    fn mangled_wire_messages_are_read_or_refused(changes in changes(), message in 0..WIRE.len()) {
        read_wire(&mangled(WIRE[message].as_bytes(), &changes));
    }
}

#[test]
fn the_wire_messages_that_are_mangled_are_good_ones() {
    assert!(serde_json::from_str::<ChangesResponse>(WIRE[0]).is_ok());
    assert!(serde_json::from_str::<ConfigResponse>(WIRE[1]).is_ok());
    assert!(serde_json::from_str::<ErrorBody>(WIRE[2]).is_ok());
    assert!(serde_json::from_str::<CopiesFile>(WIRE[3]).is_ok());
}
