//! What a device's system lends to the core, in software and for tests only.

use std::fs;
use std::path::Path;
use std::sync::mpsc::Sender;

use holdfast_handheld::{CoreListener, DeviceKey, DeviceKeyError, KeyVault, VaultError};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;

/// Bytes of a P-256 private key.
const KEY_BYTES: usize = 32;

/// A device key in a file.
pub(crate) struct SoftwareKey(SigningKey);

impl SoftwareKey {
    /// The key of this folder, made at the first call.
    pub(crate) fn kept_in(folder: &str) -> Result<Self, String> {
        let file = Path::new(folder).join("robot-device-key");
        let bytes = fs::read(&file).or_else(|_| {
            let mut fresh = [0; KEY_BYTES];
            getrandom::fill(&mut fresh).map_err(|error| error.to_string())?;
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
            fs::write(&file, fresh).map_err(|error| error.to_string())?;
            Ok::<_, String>(fresh.to_vec())
        })?;
        let key = SigningKey::from_slice(&bytes).map_err(|_| "the robot's key file is damaged")?;
        Ok(Self(key))
    }
}

impl DeviceKey for SoftwareKey {
    fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
        let der = self.0.verifying_key().to_public_key_der();
        der.map(|der| der.into_vec()).map_err(|_| DeviceKeyError::Lost)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, DeviceKeyError> {
        let signature: Signature = self.0.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

/// A vault that keeps nothing from anybody.
pub(crate) struct OpenVault;

impl KeyVault for OpenVault {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(key.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(wrapped.to_vec())
    }
}

/// Rings whenever something changed.
pub(crate) struct Bell(pub(crate) Sender<()>);

impl CoreListener for Bell {
    fn on_change(&self, _revision: u64) {
        // Nobody listens any more once the robot ends.
        self.0.send(()).ok();
    }
}
