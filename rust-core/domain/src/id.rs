//! Identifiers. Each is its own type, so that one cannot be passed where another is meant.

use crate::code::ShortCode;
use crate::inline::Inline;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The text is not an identifier of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("that is not a {kind}: {rule}")]
pub struct IdError {
    /// What was expected, in words.
    pub kind: &'static str,
    /// What such an identifier looks like.
    pub rule: &'static str,
}

/// One hold is one payment ID, minted on the handheld before the first network call, and the
/// root of every idempotency key. A UUID of version 7 (RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentId(Uuid);

impl PaymentId {
    /// A new ID from the time (milliseconds since 1970) and ten random bytes.
    pub fn mint(unix_ms: u64, random: &[u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, random).into_uuid())
    }

    /// The 16 bytes of a version 7 UUID, and of no other.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, IdError> {
        let id = Uuid::from_bytes(bytes);
        let is_v7 = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
        is_v7.then_some(Self(id)).ok_or(Self::REFUSED)
    }

    /// Reads the hyphenated form, in either case, and no other form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return Err(Self::REFUSED);
        }
        let id = Uuid::try_parse(text).map_err(|_| Self::REFUSED)?;
        Self::from_bytes(*id.as_bytes())
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    const REFUSED: IdError =
        IdError { kind: "payment ID", rule: "a UUID of version 7 with hyphens" };
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Eight random bytes, written as 16 hexadecimal digits.
macro_rules! eight_byte_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 8]);

        impl $name {
            /// From random bytes, or from the wire.
            pub const fn from_bytes(bytes: [u8; 8]) -> Self {
                Self(bytes)
            }

            /// Reads 16 hexadecimal digits in lower case.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let refused = IdError { kind: $kind, rule: "16 hexadecimal digits in lower case" };
                let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if text.len() != 16 || !text.bytes().all(plain) {
                    return Err(refused);
                }
                let number = u64::from_str_radix(text, 16).map_err(|_| refused)?;
                Ok(Self(number.to_be_bytes()))
            }

            /// The eight bytes.
            pub const fn as_bytes(&self) -> &[u8; 8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", u64::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

eight_byte_id!(
    /// A handheld, named by the gateway at enrolment.
    DeviceId,
    "device ID"
);
eight_byte_id!(
    /// One gateway installation: an order signed for another is refused.
    GatewayId,
    "gateway ID"
);

/// Number of an officer within a tenant, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfficerId(pub u32);

/// A tenant's slug: what stands in addresses and in every signed order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantSlug(Inline<TENANT_SLUG_CHARS_MAX>);

/// Longest slug, so that the pay address stays within its QR code.
pub const TENANT_SLUG_CHARS_MAX: usize = 24;

impl TenantSlug {
    /// Lower-case letters, digits and inner hyphens; 1 to 24 characters.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text != "system";
        let rule = "1 to 24 lower-case letters, digits and inner hyphens, and not \"system\"";
        let slug = good.then(|| Inline::of(text)).flatten();
        slug.map(Self).ok_or(IdError { kind: "tenant slug", rule })
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Code of a payment type, such as `STRIPE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentTypeCode(Inline<PAYMENT_TYPE_CODE_CHARS_MAX>);

/// Longest code of a payment type; it is part of every signed order.
pub const PAYMENT_TYPE_CODE_CHARS_MAX: usize = 12;

impl PaymentTypeCode {
    /// Capitals, digits and hyphens; 1 to 12 characters.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        let code = text.bytes().all(plain).then(|| Inline::of(text)).flatten();
        let rule = "1 to 12 capitals, digits and hyphens, such as STRIPE";
        code.map(Self).ok_or(IdError { kind: "payment type code", rule })
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What a payer and the office call a paid order: `R-XXXX-XXXX`, unique within a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReceiptOrderId(ShortCode);

impl ReceiptOrderId {
    /// From 40 random bits; the ledger draws again when the ID is taken.
    pub fn from_bits(bits: [u8; 5]) -> Self {
        Self(ShortCode::from_bits(bits))
    }

    /// Reads the ID as a person typed it, with or without `R-`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let trimmed = text.trim();
        let code = trimmed.strip_prefix("R-").or_else(|| trimmed.strip_prefix("r-"));
        ShortCode::parse(code.unwrap_or(trimmed))
            .map(Self)
            .ok_or(IdError { kind: "receipt order ID", rule: "R- and eight letters or digits" })
    }
}

impl fmt::Display for ReceiptOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R-{}", self.0)
    }
}

macro_rules! text_conversions {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
    )*};
}

text_conversions!(PaymentId, DeviceId, GatewayId, TenantSlug, PaymentTypeCode, ReceiptOrderId);

impl fmt::Display for TenantSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for PaymentTypeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_id_is_a_version_7_uuid_and_sorts_by_time() {
        let early = PaymentId::mint(1_700_000_000_000, &[0xFF; 10]);
        let late = PaymentId::mint(1_700_000_000_001, &[0; 10]);
        assert!(early < late);
        assert_eq!(PaymentId::parse(&early.to_string()), Ok(early));
        assert_eq!(PaymentId::from_bytes(*late.as_bytes()), Ok(late));
    }

    #[test]
    fn other_uuids_are_refused() {
        for text in [
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "018f0000000070008000000000000000",
            "{018f0000-0000-7000-8000-000000000000}",
            "",
            "../../../../etc/passwd",
        ] {
            assert!(PaymentId::parse(text).is_err(), "{text}");
        }
        assert!(PaymentId::from_bytes([0; 16]).is_err());
    }

    #[test]
    fn slugs_and_codes_keep_their_rules() {
        for good in ["demo", "city-of-hill", "a", "7"] {
            assert!(TenantSlug::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Demo", "-a", "a-", "a b", "a/b", "system", "abcdefghijklmnopqrstuvwxy"] {
            assert!(TenantSlug::parse(bad).is_err(), "{bad}");
        }
        assert!(PaymentTypeCode::parse("STRIPE").is_ok());
        for bad in ["", "stripe", "STRIPE ONLINE", "ABCDEFGHIJKLM"] {
            assert!(PaymentTypeCode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_are_read_back_as_written() {
        let device = DeviceId::from_bytes([0, 1, 2, 3, 4, 5, 6, 255]);
        assert_eq!(device.to_string(), "00010203040506ff");
        assert_eq!(DeviceId::parse("00010203040506ff"), Ok(device));
        assert!(DeviceId::parse("+0010203040506ff").is_err());
        let receipt = ReceiptOrderId::from_bits([1, 2, 3, 4, 5]);
        assert_eq!(ReceiptOrderId::parse(&receipt.to_string()), Ok(receipt));
        assert_eq!(ReceiptOrderId::parse(&receipt.to_string().to_lowercase()), Ok(receipt));
    }
}
