//! Signed notices: what a handheld says about an order after the hold.
//!
//! Cancel and withdraw are messages like the order itself: signed by the device, durable in its
//! outbox, sent until answered, and answered as before when sent again. They never undo
//! a payment: paid wins.

use crate::canonical::{self, Malformed, fixed_bytes, key};
use crate::cose::{MessageError, Payload, Sign1, sig_structure};
use crate::signature::{DevicePublicKey, DeviceSignature};
use holdfast_domain::{DeviceId, GatewayId, PaymentId, TenantSlug};
use minicbor::Decoder;
use sha2::{Digest, Sha256};

/// Version of the payload.
pub const NOTICE_VERSION: u8 = 1;
/// Longest notice in bytes.
pub const NOTICE_BYTES_MAX: usize = 1024;
/// Longest reason, in characters: two sentences.
pub const REASON_CHARS_MAX: usize = 140;

const DOMAIN: &[u8] = b"holdfast/notice/1";
const PAYLOAD_KEYS: u64 = 8;

/// What is said about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// The officer asks to cancel it.
    Cancel,
    /// The officer gives it up, for a reason.
    Withdraw {
        /// Typed by the officer; 1 to [`REASON_CHARS_MAX`] characters.
        reason: String,
    },
    /// The handheld can no longer read its record of this payment.
    Quarantined {
        /// What is wrong with the record, in the handheld's words.
        reason: String,
    },
}

/// Everything that the device signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticePayload {
    /// The gateway it is meant for.
    pub gateway: GatewayId,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The handheld that signs.
    pub device: DeviceId,
    /// What it is about.
    pub payment: PaymentId,
    /// What is said.
    pub kind: NoticeKind,
    /// When, by the handheld's clock: Unix seconds.
    pub made_at_unix_s: u64,
}

impl NoticeKind {
    fn number(&self) -> u8 {
        match self {
            Self::Cancel => 1,
            Self::Withdraw { .. } => 2,
            Self::Quarantined { .. } => 3,
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Cancel => "",
            Self::Withdraw { reason } | Self::Quarantined { reason } => reason,
        }
    }

    fn of(number: u8, reason: &str) -> Result<Self, Malformed> {
        let chars = reason.chars().count();
        let reason_is_good = (1..=REASON_CHARS_MAX).contains(&chars)
            && !reason.chars().any(char::is_control)
            && reason.trim() == reason;
        match number {
            1 if reason.is_empty() => Ok(Self::Cancel),
            2 if reason_is_good => Ok(Self::Withdraw { reason: reason.to_owned() }),
            3 if reason_is_good => Ok(Self::Quarantined { reason: reason.to_owned() }),
            _ => Err(Malformed),
        }
    }
}

impl NoticePayload {
    /// The one encoding of this payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(|e| {
            e.map(PAYLOAD_KEYS)?.u8(1)?.u8(NOTICE_VERSION)?;
            e.u8(2)?.bytes(self.gateway.as_bytes())?;
            e.u8(3)?.str(self.tenant.as_str())?;
            e.u8(4)?.bytes(self.device.as_bytes())?;
            e.u8(5)?.bytes(self.payment.as_bytes())?;
            e.u8(6)?.u8(self.kind.number())?;
            e.u8(7)?.str(self.kind.reason())?;
            e.u8(8)?.u64(self.made_at_unix_s)?;
            Ok(())
        })
    }

    /// What the device key signs.
    pub fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(DOMAIN, &self.to_bytes())
    }
}

impl Payload for NoticePayload {
    const VERSION: u8 = NOTICE_VERSION;
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
        let device = DeviceId::from_bytes(fixed_bytes(d)?);
        key(d, 5)?;
        let payment = PaymentId::from_bytes(fixed_bytes(d)?).map_err(|_| Malformed)?;
        key(d, 6)?;
        let number = d.u8()?;
        key(d, 7)?;
        let kind = NoticeKind::of(number, d.str()?)?;
        key(d, 8)?;
        let made_at_unix_s = d.u64()?;
        Ok(Self { gateway, tenant, device, payment, kind, made_at_unix_s })
    }
}

/// A notice with the signature of its handheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNotice {
    payload: NoticePayload,
    envelope: Sign1,
}

impl SignedNotice {
    /// Puts payload and signature together.
    pub fn assemble(payload: NoticePayload, signature: DeviceSignature) -> Self {
        let envelope = Sign1 { payload: payload.to_bytes(), signature };
        Self { payload, envelope }
    }

    /// Reads a notice without asking who signed it, to find the key to verify it with.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let envelope = Sign1::parse(bytes, NOTICE_BYTES_MAX)?;
        let payload = NoticePayload::decode(&envelope.payload)?;
        Ok(Self { payload, envelope })
    }

    /// Checks the signature against the key of the device that the payload names.
    pub fn verify(&self, device: &DevicePublicKey) -> Result<(), MessageError> {
        self.envelope.verify(DOMAIN, device)
    }

    /// What is said.
    pub fn payload(&self) -> &NoticePayload {
        &self.payload
    }

    /// SHA-256 of the payload: the same notice has the same digest, however it was signed.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.envelope.payload).into()
    }

    /// The envelope as it is sent and stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.envelope.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Signer;
    use p256::ecdsa::{Signature, SigningKey};

    fn key() -> SigningKey {
        SigningKey::from_slice(&[7; 32]).unwrap()
    }

    fn sign(kind: NoticeKind) -> SignedNotice {
        let payload = NoticePayload {
            gateway: GatewayId::from_bytes([0xA1; 8]),
            tenant: TenantSlug::parse("demo").unwrap(),
            device: DeviceId::from_bytes([0xB2; 8]),
            payment: PaymentId::mint(1_790_000_000_123, &[0xC3; 10]),
            kind,
            made_at_unix_s: 1_790_000_060,
        };
        let signature: Signature = key().sign(&payload.to_be_signed());
        let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap();
        SignedNotice::assemble(payload, signature)
    }

    fn accept(bytes: &[u8]) -> Result<SignedNotice, MessageError> {
        let notice = SignedNotice::parse(bytes)?;
        notice.verify(&DevicePublicKey::from(*key().verifying_key()))?;
        Ok(notice)
    }

    #[test]
    fn each_kind_is_read_back() {
        let reason = || "The payer left. Écrit à la main.".to_owned();
        for kind in [
            NoticeKind::Cancel,
            NoticeKind::Withdraw { reason: reason() },
            NoticeKind::Quarantined { reason: reason() },
        ] {
            let notice = sign(kind);
            assert_eq!(accept(&notice.to_bytes()), Ok(notice));
        }
    }

    #[test]
    fn a_reason_is_short_plain_and_not_empty() {
        for reason in ["", " ", "a\nb", " a", &"x".repeat(REASON_CHARS_MAX + 1)] {
            let notice = sign(NoticeKind::Withdraw { reason: reason.to_owned() });
            assert_eq!(accept(&notice.to_bytes()), Err(MessageError::Malformed), "{reason:?}");
        }
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let bytes = sign(NoticeKind::Withdraw { reason: "No card.".into() }).to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(accept(&changed).is_err(), "bit {bit}");
        }
    }
}
