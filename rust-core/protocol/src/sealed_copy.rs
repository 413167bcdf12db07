//! The copy of a queued order that only the gateway can read.
//!
//! A handheld seals its outbox under a key that Android Keystore guards. Should the system lose
//! that key, the orders would be gone with it; so each queued order is also kept sealed to the
//! gateway's public key (HPKE, RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM). The
//! handheld itself cannot open these copies. They are exported as a file, which an administrator
//! imports at the gateway.

use holdfast_domain::{DeviceId, Secret, TenantSlug};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender};

/// Length of either key in bytes.
pub const COPY_KEY_BYTES: usize = 32;
/// Length of the encapsulated key that stands before the ciphertext.
const ENCAPSULATED_BYTES: usize = 32;
/// Longest copy in bytes: an order, the encapsulated key and the tag.
pub const COPY_BYTES_MAX: usize = crate::order::ORDER_BYTES_MAX + ENCAPSULATED_BYTES + 16;

const INFO: &[u8] = b"holdfast/sealed-copy/1";

/// The gateway's public key for copies, known to a handheld since enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyPublicKey([u8; COPY_KEY_BYTES]);

/// Why a copy was not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// Not a key of X25519.
    #[error("not a public key for copies; enrol again")]
    Key,
    /// Not sealed to this key for this handheld, or damaged.
    #[error("the copy cannot be opened here: it is damaged, or was made for another gateway")]
    Sealed,
}

impl CopyPublicKey {
    /// From the wire.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CopyError> {
        <Algorithm as Kem>::PublicKey::from_bytes(bytes).map_err(|_| CopyError::Key)?;
        <[u8; COPY_KEY_BYTES]>::try_from(bytes).map(Self).map_err(|_| CopyError::Key)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; COPY_KEY_BYTES] {
        &self.0
    }
}

type Algorithm = X25519HkdfSha256;

/// The key pair that secret bytes make (32 random bytes, kept sealed in the gateway's database).
pub fn public_half(secret: &Secret<[u8; COPY_KEY_BYTES]>) -> Result<CopyPublicKey, CopyError> {
    let private = private_key(secret)?;
    CopyPublicKey::from_bytes(&Algorithm::sk_to_pk(&private).to_bytes())
}

/// Seals an order's bytes to the gateway, bound to tenant and device.
pub fn seal(
    key: &CopyPublicKey,
    tenant: &TenantSlug,
    device: DeviceId,
    order: &[u8],
) -> Result<Vec<u8>, CopyError> {
    let key = <Algorithm as Kem>::PublicKey::from_bytes(&key.0).map_err(|_| CopyError::Key)?;
    let (encapsulated, mut context) =
        setup_sender::<AesGcm256, HkdfSha256, Algorithm>(&OpModeS::Base, &key, INFO)
            .map_err(|_| CopyError::Key)?;
    let sealed = context.seal(order, &bound_to(tenant, device)).map_err(|_| CopyError::Sealed)?;
    Ok([encapsulated.to_bytes().as_slice(), &sealed].concat())
}

/// Opens a copy with the gateway's secret.
pub fn open(
    secret: &Secret<[u8; COPY_KEY_BYTES]>,
    tenant: &TenantSlug,
    device: DeviceId,
    copy: &[u8],
) -> Result<Vec<u8>, CopyError> {
    if copy.len() > COPY_BYTES_MAX {
        return Err(CopyError::Sealed);
    }
    let (encapsulated, sealed) =
        copy.split_at_checked(ENCAPSULATED_BYTES).ok_or(CopyError::Sealed)?;
    let encapsulated =
        <Algorithm as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| CopyError::Sealed)?;
    let private = private_key(secret)?;
    let mut context = setup_receiver::<AesGcm256, HkdfSha256, Algorithm>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        INFO,
    )
    .map_err(|_| CopyError::Sealed)?;
    context.open(sealed, &bound_to(tenant, device)).map_err(|_| CopyError::Sealed)
}

fn private_key(
    secret: &Secret<[u8; COPY_KEY_BYTES]>,
) -> Result<<Algorithm as Kem>::PrivateKey, CopyError> {
    <Algorithm as Kem>::PrivateKey::from_bytes(secret.expose()).map_err(|_| CopyError::Key)
}

fn bound_to(tenant: &TenantSlug, device: DeviceId) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0], device.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret<[u8; COPY_KEY_BYTES]> {
        Secret::new([byte; COPY_KEY_BYTES])
    }

    fn tenant() -> TenantSlug {
        TenantSlug::parse("demo").unwrap()
    }

    #[test]
    fn only_the_gateway_opens_a_copy_and_only_for_its_device() {
        let device = DeviceId::from_bytes([1; 8]);
        let key = public_half(&secret(5)).unwrap();
        let copy = seal(&key, &tenant(), device, b"order").unwrap();
        assert_eq!(open(&secret(5), &tenant(), device, &copy), Ok(b"order".to_vec()));
        let refused = Err(CopyError::Sealed);
        assert_eq!(open(&secret(6), &tenant(), device, &copy), refused);
        let other = DeviceId::from_bytes([2; 8]);
        assert_eq!(open(&secret(5), &tenant(), other, &copy), refused);
        for bit in 0..copy.len() * 8 {
            let mut changed = copy.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&secret(5), &tenant(), device, &changed), refused, "bit {bit}");
        }
    }

    #[test]
    fn each_copy_is_sealed_anew() {
        let key = public_half(&secret(5)).unwrap();
        let device = DeviceId::from_bytes([1; 8]);
        let seal = || seal(&key, &tenant(), device, b"order").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn noise_is_no_copy() {
        let device = DeviceId::from_bytes([1; 8]);
        for copy in [&[][..], &[0; 31], &[9; 64], &[0; COPY_BYTES_MAX + 1]] {
            assert_eq!(open(&secret(5), &tenant(), device, copy), Err(CopyError::Sealed));
        }
        assert_eq!(CopyPublicKey::from_bytes(&[1; 31]), Err(CopyError::Key));
    }
}
