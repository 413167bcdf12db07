//! The signed receipt: proof for a handheld without network that its payment is paid.
//!
//! The payer's page shows it as a QR code. It is signed by the gateway's key, whose public half the
//! handheld has known since enrolment. As an address it reads `{PUBLIC_URL}/R/{BASE32}`, so that a
//! payer who scans it lands on a page in place of noise.

use crate::canonical::{self, Malformed, decode_money, fixed_bytes, key};
use crate::canonical::{mode_number, mode_of_number};
use crate::cose::{MessageError, Payload, Sign1, sig_structure};
use crate::signature::{DevicePublicKey, DeviceSignature};
use data_encoding::BASE32_NOPAD;
use holdfast_domain::{GatewayId, Mode, Money, PaymentId, ReceiptOrderId, TenantSlug};
use minicbor::Decoder;

/// Version of the payload.
pub const RECEIPT_VERSION: u8 = 1;
/// Longest receipt in bytes.
pub const RECEIPT_BYTES_MAX: usize = 400;
/// First segment of the path, as the QR code spells it.
pub const PATH_SEGMENT: &str = "R";

const DOMAIN: &[u8] = b"holdfast/receipt/1";
const PAYLOAD_KEYS: u64 = 8;

/// What the gateway vouches for: this payment is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPayload {
    /// Who vouches.
    pub gateway: GatewayId,
    /// For whom the money is.
    pub tenant: TenantSlug,
    /// Test or live: a test receipt proves no money.
    pub mode: Mode,
    /// What is paid.
    pub payment: PaymentId,
    /// How much was paid.
    pub amount: Money,
    /// What people call the order.
    pub receipt_order_id: ReceiptOrderId,
    /// When the gateway learned of it: Unix seconds.
    pub paid_at_unix_s: u64,
}

impl ReceiptPayload {
    /// The one encoding of this payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(|e| {
            e.map(PAYLOAD_KEYS)?.u8(1)?.u8(RECEIPT_VERSION)?;
            e.u8(2)?.bytes(self.gateway.as_bytes())?;
            e.u8(3)?.str(self.tenant.as_str())?;
            e.u8(4)?.u8(mode_number(self.mode))?;
            e.u8(5)?.bytes(self.payment.as_bytes())?;
            e.u8(6)?.array(2)?.str(self.amount.currency().code())?.i64(self.amount.minor())?;
            e.u8(7)?.str(&self.receipt_order_id.to_string())?;
            e.u8(8)?.u64(self.paid_at_unix_s)?;
            Ok(())
        })
    }

    /// What the gateway's key signs.
    pub fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(DOMAIN, &self.to_bytes())
    }
}

impl Payload for ReceiptPayload {
    const VERSION: u8 = RECEIPT_VERSION;
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
        let payment = PaymentId::from_bytes(fixed_bytes(d)?).map_err(|_| Malformed)?;
        key(d, 6)?;
        let amount = decode_money(d)?;
        key(d, 7)?;
        let receipt_order_id = ReceiptOrderId::parse(d.str()?).map_err(|_| Malformed)?;
        key(d, 8)?;
        let paid_at_unix_s = d.u64()?;
        Ok(Self { gateway, tenant, mode, payment, amount, receipt_order_id, paid_at_unix_s })
    }
}

/// A receipt whose signature was checked: there is no other way to get one from bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedReceipt {
    payload: ReceiptPayload,
    envelope: Sign1,
}

impl SignedReceipt {
    /// Puts payload and signature together.
    pub fn assemble(payload: ReceiptPayload, signature: DeviceSignature) -> Self {
        let envelope = Sign1 { payload: payload.to_bytes(), signature };
        Self { payload, envelope }
    }

    /// Reads a receipt and checks that this gateway signed it.
    pub fn verify(bytes: &[u8], gateway: &DevicePublicKey) -> Result<Self, MessageError> {
        let envelope = Sign1::parse(bytes, RECEIPT_BYTES_MAX)?;
        envelope.verify(DOMAIN, gateway)?;
        let payload = ReceiptPayload::decode(&envelope.payload)?;
        Ok(Self { payload, envelope })
    }

    /// Reads what a handheld's camera saw: the address, or its base32 alone.
    pub fn verify_scanned(text: &str, gateway: &DevicePublicKey) -> Result<Self, MessageError> {
        let base32 = text.trim().rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
        if base32.len() > RECEIPT_BYTES_MAX.saturating_mul(2) {
            return Err(MessageError::TooLong);
        }
        let bytes = BASE32_NOPAD.decode(base32.as_bytes()).map_err(|_| MessageError::Malformed)?;
        Self::verify(&bytes, gateway)
    }

    /// What is vouched for.
    pub fn payload(&self) -> &ReceiptPayload {
        &self.payload
    }

    /// The envelope.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.envelope.to_bytes()
    }

    /// The address for the QR code, all capitals.
    pub fn address(&self, public_url: &str) -> String {
        let base = public_url.trim_end_matches('/').to_ascii_uppercase();
        format!("{base}/{PATH_SEGMENT}/{}", BASE32_NOPAD.encode(&self.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::SignatureError;
    use holdfast_domain::Currency;
    use p256::ecdsa::signature::Signer;
    use p256::ecdsa::{Signature, SigningKey};

    fn key_of(scalar: u8) -> SigningKey {
        SigningKey::from_slice(&[scalar; 32]).unwrap()
    }

    fn public(key: &SigningKey) -> DevicePublicKey {
        DevicePublicKey::from(*key.verifying_key())
    }

    fn receipt() -> SignedReceipt {
        let payload = ReceiptPayload {
            gateway: GatewayId::from_bytes([0xA1; 8]),
            tenant: TenantSlug::parse("demo").unwrap(),
            mode: Mode::Test,
            payment: PaymentId::mint(1_790_000_000_123, &[0xC3; 10]),
            amount: Money::new(1250, Currency::USD),
            receipt_order_id: ReceiptOrderId::from_bits([1, 2, 3, 4, 5]),
            paid_at_unix_s: 1_790_000_060,
        };
        let signature: Signature = key_of(9).sign(&payload.to_be_signed());
        let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap();
        SignedReceipt::assemble(payload, signature)
    }

    #[test]
    fn a_scanned_receipt_is_read_in_either_case() {
        let receipt = receipt();
        let address = receipt.address("https://pay.example.org");
        assert!(address.starts_with("HTTPS://PAY.EXAMPLE.ORG/R/"));
        for text in [address.clone(), address.to_lowercase(), format!(" {address}\n")] {
            let read = SignedReceipt::verify_scanned(&text, &public(&key_of(9)));
            assert_eq!(read, Ok(receipt.clone()));
        }
    }

    #[test]
    fn another_key_and_every_changed_bit_is_refused() {
        let bytes = receipt().to_bytes();
        let wrong = Err(MessageError::Signature(SignatureError::Wrong));
        assert_eq!(SignedReceipt::verify(&bytes, &public(&key_of(7))), wrong);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(SignedReceipt::verify(&changed, &public(&key_of(9))).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn noise_is_no_receipt() {
        let key = public(&key_of(9));
        for text in ["", "HTTPS://X/R/", "0", "AAAA", "https://pay.example.org/pay/1"] {
            assert!(SignedReceipt::verify_scanned(text, &key).is_err(), "{text}");
        }
        assert_eq!(
            SignedReceipt::verify_scanned(&"A".repeat(5_000), &key),
            Err(MessageError::TooLong)
        );
    }
}
