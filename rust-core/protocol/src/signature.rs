//! ES256 as this project uses it: P-256 with SHA-256, 64-byte signatures, low S only.
//!
//! Android Keystore answers in DER and with either S. [`DeviceSignature::from_der`] turns that into
//! the one accepted form; a high S on the wire is refused, so that a signature has one spelling.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;

/// Length of a signature on the wire: r and s, 32 bytes each, big-endian.
pub const SIGNATURE_BYTES: usize = 64;
/// Length of a public key on the wire: a compressed SEC 1 point.
pub const PUBLIC_KEY_BYTES: usize = 33;

/// Why a key or a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a point of P-256.
    #[error("not a public key of P-256")]
    Key,
    /// Not two numbers in range.
    #[error("not an ECDSA signature")]
    Malformed,
    /// The second spelling of a signature.
    #[error("the signature has a high S; normalise it")]
    HighS,
    /// Well-formed, and by another key or over other bytes.
    #[error("the signature does not match")]
    Wrong,
}

/// A handheld's public key, or the gateway's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePublicKey(VerifyingKey);

impl DevicePublicKey {
    /// From a SEC 1 point, compressed or not.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, SignatureError> {
        // The library also reads "compact" points (tag 5), a third spelling that nobody sends.
        if !matches!(bytes.first(), Some(2..=4)) {
            return Err(SignatureError::Key);
        }
        VerifyingKey::from_sec1_bytes(bytes).map(Self).map_err(|_| SignatureError::Key)
    }

    /// From X.509 SubjectPublicKeyInfo in DER, which is what Java's `getEncoded()` returns.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, SignatureError> {
        VerifyingKey::from_public_key_der(der).map(Self).map_err(|_| SignatureError::Key)
    }

    /// The compressed point, as it goes over the wire and into the database.
    pub fn to_sec1(&self) -> [u8; PUBLIC_KEY_BYTES] {
        let point = self.0.to_sec1_point(true);
        let mut bytes = [0; PUBLIC_KEY_BYTES];
        for (place, byte) in bytes.iter_mut().zip(point.as_bytes()) {
            *place = *byte;
        }
        bytes
    }

    /// Checks a signature over `message` (hashed with SHA-256 inside).
    pub fn verify(
        &self,
        message: &[u8],
        signature: &DeviceSignature,
    ) -> Result<(), SignatureError> {
        #[cfg(feature = "vouching")]
        if vouching::is_vouched_for(self, message, signature) {
            return Ok(());
        }
        let parsed = Signature::from_slice(&signature.0).map_err(|_| SignatureError::Malformed)?;
        self.0.verify(message, &parsed).map_err(|_| SignatureError::Wrong)
    }
}

impl From<VerifyingKey> for DevicePublicKey {
    fn from(key: VerifyingKey) -> Self {
        Self(key)
    }
}

/// A well-formed signature with a low S.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceSignature([u8; SIGNATURE_BYTES]);

impl DeviceSignature {
    /// From the wire: 64 bytes, low S, or refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        let signature = Signature::from_slice(bytes).map_err(|_| SignatureError::Malformed)?;
        if signature.normalize_s() != signature {
            return Err(SignatureError::HighS);
        }
        Ok(Self(signature.to_bytes().into()))
    }

    /// From a signer that answers in DER with either S (Android Keystore): normalised here.
    pub fn from_der(der: &[u8]) -> Result<Self, SignatureError> {
        let signature = Signature::from_der(der).map_err(|_| SignatureError::Malformed)?;
        Ok(Self(signature.normalize_s().to_bytes().into()))
    }

    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }
}

/// Signatures that a simulation vouches for: it has made them for just this key and message, so that
/// checking them again and again would only take time. Nothing is vouched for but by a call from test
/// code on the same thread; whatever is not, is checked as ever.
#[cfg(feature = "vouching")]
pub mod vouching {
    use super::{DevicePublicKey, DeviceSignature};
    use sha2::{Digest, Sha256};
    use std::cell::RefCell;
    use std::collections::HashSet;

    thread_local! {
        static VOUCHED: RefCell<HashSet<[u8; 32]>> = RefCell::default();
    }

    /// From now on this signature of this message is right under this key, on this thread.
    pub fn vouch(key: &DevicePublicKey, message: &[u8], signature: &DeviceSignature) {
        VOUCHED.with_borrow_mut(|vouched| vouched.insert(name(key, message, signature)));
    }

    /// Vouches for nothing any more.
    pub fn forget() {
        VOUCHED.with_borrow_mut(HashSet::clear);
    }

    pub(super) fn is_vouched_for(
        key: &DevicePublicKey,
        message: &[u8],
        signature: &DeviceSignature,
    ) -> bool {
        VOUCHED.with_borrow(|vouched| {
            !vouched.is_empty() && vouched.contains(&name(key, message, signature))
        })
    }

    fn name(key: &DevicePublicKey, message: &[u8], signature: &DeviceSignature) -> [u8; 32] {
        let mut hash = Sha256::new();
        // Key and signature have one length each, so nothing can run into the message.
        hash.update(key.to_sec1());
        hash.update(signature.as_bytes());
        hash.update(message);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer;

    fn key() -> SigningKey {
        SigningKey::from_slice(&[7; 32]).unwrap()
    }

    fn high_s(signature: Signature) -> Signature {
        let low = signature.normalize_s();
        let (r, s) = low.split_scalars();
        Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap()
    }

    #[test]
    fn der_with_a_high_s_is_normalised_and_on_the_wire_it_is_refused() {
        let signature: Signature = key().sign(b"held");
        let high = high_s(signature);
        let public = DevicePublicKey::from(*key().verifying_key());
        let from_der = DeviceSignature::from_der(high.to_der().as_bytes()).unwrap();
        assert_eq!(public.verify(b"held", &from_der), Ok(()));
        assert_eq!(public.verify(b"Held", &from_der), Err(SignatureError::Wrong));
        assert_eq!(DeviceSignature::from_bytes(&high.to_bytes()), Err(SignatureError::HighS));
    }

    #[test]
    fn what_is_no_signature_or_key_is_refused() {
        assert_eq!(DeviceSignature::from_bytes(&[0; 64]), Err(SignatureError::Malformed));
        assert_eq!(DeviceSignature::from_bytes(&[1; 63]), Err(SignatureError::Malformed));
        assert_eq!(DeviceSignature::from_der(b"no"), Err(SignatureError::Malformed));
        assert_eq!(DevicePublicKey::from_sec1(&[5; 33]), Err(SignatureError::Key));
        let beyond_the_field = [&[2][..], &[0xFF; 32]].concat();
        assert_eq!(DevicePublicKey::from_sec1(&beyond_the_field), Err(SignatureError::Key));
        assert_eq!(DevicePublicKey::from_spki_der(&[]), Err(SignatureError::Key));
    }

    #[test]
    fn a_key_is_read_back_in_each_form() {
        use p256::pkcs8::EncodePublicKey;
        let public = DevicePublicKey::from(*key().verifying_key());
        assert_eq!(DevicePublicKey::from_sec1(&public.to_sec1()), Ok(public.clone()));
        let der = key().verifying_key().to_public_key_der().unwrap();
        assert_eq!(DevicePublicKey::from_spki_der(der.as_bytes()), Ok(public));
    }

    #[test]
    #[cfg(feature = "vouching")]
    fn only_what_was_vouched_for_goes_unchecked() {
        let public = DevicePublicKey::from(*key().verifying_key());
        let made_up = DeviceSignature::from_bytes(&[0x11; 64]).unwrap();
        assert_eq!(public.verify(b"order", &made_up), Err(SignatureError::Wrong));
        vouching::vouch(&public, b"order", &made_up);
        assert_eq!(public.verify(b"order", &made_up), Ok(()));
        assert_eq!(public.verify(b"other", &made_up), Err(SignatureError::Wrong));
        vouching::forget();
        assert_eq!(public.verify(b"order", &made_up), Err(SignatureError::Wrong));
    }
}
