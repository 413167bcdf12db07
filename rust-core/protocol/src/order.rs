//! The signed order: what the officer held for, signed by the handheld.
//!
//! A COSE_Sign1 (RFC 9052) over deterministic CBOR, ES256. Its identity is tenant, device,
//! payment ID and [`OrderDigest`] of the payload; the envelope's bytes are not part of it, because
//! ECDSA signatures of one payload differ from each other. `../WIRE.md` has the map keys.

use crate::canonical::{
    self, Malformed, array_of, decode_money, fixed_bytes, key, mode_number, mode_of_number,
};
use crate::cose::{MessageError, Payload, Sign1, sig_structure};
use crate::signature::{DevicePublicKey, DeviceSignature};
use holdfast_domain::{
    ChargeReference, DeviceId, GatewayId, Mode, Money, OfficerId, OrderLine, PaymentId,
    PaymentTypeCode, TenantSlug, cart::CART_LINES_MAX,
};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};

/// Version of the payload.
pub const ORDER_VERSION: u8 = 1;
/// Longest signed order in bytes; the longest that the rules allow is well below.
pub const ORDER_BYTES_MAX: usize = 1024;
/// Longest lifetime of an order in seconds: 30 days, as far back as Stripe lists events.
pub const LIFETIME_S_MAX: u32 = 30 * 24 * 60 * 60;

/// COSE's external data: keeps an order's signature from being one over anything else.
const DOMAIN: &[u8] = b"holdfast/order/1";
/// Keys 1 to 14 of the payload map.
const PAYLOAD_KEYS: u64 = 14;

/// Everything that the officer's hold binds. No name and no plate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPayload {
    /// The gateway it is meant for.
    pub gateway: GatewayId,
    /// The tenant.
    pub tenant: TenantSlug,
    /// Held in test mode or in live mode; it never runs in the other.
    pub mode: Mode,
    /// The handheld that signs.
    pub device: DeviceId,
    /// Counts this handheld's orders from 1, without gaps.
    pub sequence: u64,
    /// The root of every idempotency key.
    pub payment: PaymentId,
    /// Who held.
    pub officer: OfficerId,
    /// How it is to be paid.
    pub payment_type: PaymentTypeCode,
    /// Version of the catalogue that priced the lines;
    /// [`NO_CATALOGUE`](holdfast_domain::cart::NO_CATALOGUE) for charges where there is none.
    pub catalogue_version: u32,
    /// What is paid for.
    pub lines: Vec<OrderLine>,
    /// The sum that stood on the button.
    pub total: Money,
    /// When, by the handheld's clock: Unix seconds.
    pub held_at_unix_s: u64,
    /// For how long the order may be brought to the gateway and paid, in seconds.
    pub lifetime_s: u32,
}

/// SHA-256 of the payload bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderDigest(pub [u8; 32]);

/// Why bytes are not an order of this device.
pub type OrderError = MessageError;

impl OrderPayload {
    /// The one encoding of this payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(|e| {
            e.map(PAYLOAD_KEYS)?.u8(1)?.u8(ORDER_VERSION)?;
            e.u8(2)?.bytes(self.gateway.as_bytes())?;
            e.u8(3)?.str(self.tenant.as_str())?;
            e.u8(4)?.u8(mode_number(self.mode))?;
            e.u8(5)?.bytes(self.device.as_bytes())?;
            e.u8(6)?.u64(self.sequence)?;
            e.u8(7)?.bytes(self.payment.as_bytes())?;
            e.u8(8)?.u32(self.officer.0)?;
            e.u8(9)?.str(self.payment_type.as_str())?;
            e.u8(10)?.u32(self.catalogue_version)?;
            e.u8(11)?;
            encode_lines(e, &self.lines)?;
            e.u8(12)?.array(2)?.str(self.total.currency().code())?.i64(self.total.minor())?;
            e.u8(13)?.u64(self.held_at_unix_s)?;
            e.u8(14)?.u32(self.lifetime_s)?;
            Ok(())
        })
    }

    /// What the device key signs: COSE's Sig_structure (RFC 9052, section 4.4).
    pub fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(DOMAIN, &self.to_bytes())
    }

    /// The payload's part of the order's identity.
    pub fn digest(&self) -> OrderDigest {
        OrderDigest(Sha256::digest(self.to_bytes()).into())
    }
}

impl Payload for OrderPayload {
    const VERSION: u8 = ORDER_VERSION;
    const KEYS: u64 = PAYLOAD_KEYS;

    fn encoded(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn decode_fields(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        key(d, 2)?;
        let gateway = GatewayId::from_bytes(fixed_bytes(d)?);
        key(d, 3)?;
        let tenant = TenantSlug::parse(d.str()?).map_err(|_| Malformed)?;
        key(d, 4)?;
        let mode = mode_of_number(d.u8()?)?;
        key(d, 5)?;
        let device = DeviceId::from_bytes(fixed_bytes(d)?);
        key(d, 6)?;
        let sequence = d.u64()?;
        key(d, 7)?;
        let payment = PaymentId::from_bytes(fixed_bytes(d)?).map_err(|_| Malformed)?;
        key(d, 8)?;
        let officer = OfficerId(d.u32()?);
        key(d, 9)?;
        let payment_type = PaymentTypeCode::parse(d.str()?).map_err(|_| Malformed)?;
        key(d, 10)?;
        let catalogue_version = d.u32()?;
        key(d, 11)?;
        let lines = decode_lines(d)?;
        key(d, 12)?;
        let total = decode_money(d)?;
        key(d, 13)?;
        let held_at_unix_s = d.u64()?;
        key(d, 14)?;
        let lifetime_s = d.u32()?;
        if sequence == 0 || !(1..=LIFETIME_S_MAX).contains(&lifetime_s) {
            return Err(Malformed);
        }
        Ok(Self {
            gateway,
            tenant,
            mode,
            device,
            sequence,
            payment,
            officer,
            payment_type,
            catalogue_version,
            lines,
            total,
            held_at_unix_s,
            lifetime_s,
        })
    }
}

/// An order with the signature of its handheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOrder {
    payload: OrderPayload,
    envelope: Sign1,
}

impl SignedOrder {
    /// Puts payload and signature together.
    pub fn assemble(payload: OrderPayload, signature: DeviceSignature) -> Self {
        let envelope = Sign1 { payload: payload.to_bytes(), signature };
        Self { payload, envelope }
    }

    /// Reads an order without asking who signed it. Only good for finding the key to
    /// [`SignedOrder::verify`] with.
    pub fn parse(bytes: &[u8]) -> Result<Self, OrderError> {
        let envelope = Sign1::parse(bytes, ORDER_BYTES_MAX)?;
        let payload = OrderPayload::decode(&envelope.payload)?;
        Ok(Self { payload, envelope })
    }

    /// Checks the signature against the key of the device that the payload names.
    pub fn verify(&self, device: &DevicePublicKey) -> Result<(), OrderError> {
        self.envelope.verify(DOMAIN, device)
    }

    /// What was held for.
    pub fn payload(&self) -> &OrderPayload {
        &self.payload
    }

    /// The payload's part of the order's identity.
    pub fn digest(&self) -> OrderDigest {
        OrderDigest(Sha256::digest(&self.envelope.payload).into())
    }

    /// The envelope as it is sent, stored and carried.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.envelope.to_bytes()
    }
}

type EncodeResult = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn encode_lines(e: &mut Encoder<&mut Vec<u8>>, lines: &[OrderLine]) -> EncodeResult {
    e.array(u64::try_from(lines.len()).unwrap_or(u64::MAX))?;
    for line in lines {
        match line {
            OrderLine::Item { item, quantity } => e.array(2)?.u32(*item)?.u32(*quantity)?,
            OrderLine::Charge { reference, minor } => {
                e.array(2)?.str(reference.as_str())?.i64(*minor)?
            }
        };
    }
    Ok(())
}

fn decode_lines(d: &mut Decoder<'_>) -> Result<Vec<OrderLine>, Malformed> {
    let count = d.array()?.and_then(|count| usize::try_from(count).ok()).ok_or(Malformed)?;
    if !(1..=CART_LINES_MAX).contains(&count) {
        return Err(Malformed);
    }
    let mut lines = Vec::with_capacity(count);
    for _ in 0..count {
        array_of(d, 2)?;
        lines.push(if d.datatype()? == Type::String {
            let reference = ChargeReference::parse(d.str()?).map_err(|_| Malformed)?;
            OrderLine::Charge { reference, minor: d.i64()? }
        } else {
            OrderLine::Item { item: d.u32()?, quantity: d.u32()? }
        });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests;
