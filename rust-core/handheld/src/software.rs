//! A device key and a vault in software: for a desktop, for tests and for simulations. A handheld
//! has Android Keystore.

use crate::port::{DeviceKey, DeviceKeyError, KeyVault, VaultError};
use crate::store::seal::{DATA_KEY_BYTES, Sealer};
use holdfast_domain::Secret;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;

/// A device key in memory.
pub struct SoftwareKey(SigningKey);

impl SoftwareKey {
    /// From 32 bytes, which must not be zero nor above the order of P-256.
    pub fn from_bytes(secret: &Secret<[u8; 32]>) -> Result<Self, DeviceKeyError> {
        SigningKey::from_slice(secret.expose()).map(Self).map_err(|_| DeviceKeyError::Lost)
    }
}

impl DeviceKey for SoftwareKey {
    fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
        let der = self.0.verifying_key().to_public_key_der();
        der.map(|der| der.as_bytes().to_vec()).map_err(|_| DeviceKeyError::Lost)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, DeviceKeyError> {
        let signature: Signature = self.0.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

/// A vault in memory: AES-256-GCM under its own key.
pub struct SoftwareVault(Sealer);

/// What is wrapped, as the sealing names it.
const DATA_KEY: &[u8] = b"data key";

impl SoftwareVault {
    /// With its own key.
    pub fn new(key: &Secret<[u8; DATA_KEY_BYTES]>) -> Self {
        Self(Sealer::new(key, *b"software vault\0\0"))
    }
}

impl KeyVault for SoftwareVault {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, VaultError> {
        let failed = |_| VaultError::Unavailable { reason: "no randomness".to_owned() };
        self.0.seal(DATA_KEY, 1, key).map_err(failed)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.0.open(DATA_KEY, wrapped).map(|key| key.to_vec()).ok_or(VaultError::Lost)
    }
}
