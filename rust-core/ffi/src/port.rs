//! The foreign traits: what Kotlin implements, and how the handheld calls it.
//!
//! They are written a second time because UniFFI hands bytes over by value and needs an error
//! type that can also say "the Kotlin side threw something else".

use holdfast_handheld as handheld;
use std::sync::Arc;
use uniffi::UnexpectedUniFFICallbackError;

/// The device's signing key: P-256, hardware-backed where the device has it.
#[uniffi::export(with_foreign)]
pub trait DeviceKey: Send + Sync {
    /// The public half as X.509 SubjectPublicKeyInfo, DER.
    fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError>;

    /// Signs a message (`SHA256withECDSA`); the answer is a DER `ECDSA-Sig-Value`.
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError>;
}

/// Keeps the data key of this installation under a key that never leaves it.
#[uniffi::export(with_foreign)]
pub trait KeyVault: Send + Sync {
    /// Wraps the data key (32 bytes).
    fn wrap(&self, key: Vec<u8>) -> Result<Vec<u8>, VaultError>;

    /// Gives back what was wrapped.
    fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError>;
}

/// Hears that something changed; called from a thread of the core.
#[uniffi::export(with_foreign)]
pub trait CoreListener: Send + Sync {
    /// Read the snapshot again. Calls may be left out when changes come quickly, never the last. The
    /// first may come before `Core.open` has returned.
    fn on_change(&self, revision: u64);
}

/// Why the device key gave no answer.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum DeviceKeyError {
    /// The system has no such key any more.
    #[error("the device key is lost")]
    Lost,
    /// Not now.
    #[error("the device key is not available: {reason}")]
    Unavailable {
        /// For the log; no secret in it.
        reason: String,
    },
}

/// Why the vault gave no answer.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum VaultError {
    /// The vault's own key is gone.
    #[error("the vault's key is lost")]
    Lost,
    /// Not now.
    #[error("the vault is not available: {reason}")]
    Unavailable {
        /// For the log; no secret in it.
        reason: String,
    },
}

/// Makes the foreign objects into the handheld's ports.
pub(crate) fn adapt(
    device_key: Arc<dyn DeviceKey>,
    vault: Arc<dyn KeyVault>,
    listener: Arc<dyn CoreListener>,
) -> handheld::Ports {
    handheld::Ports {
        device_key: Arc::new(Foreign(device_key)),
        vault: Arc::new(Foreign(vault)),
        listener: Arc::new(Foreign(listener)),
    }
}

struct Foreign<T: ?Sized>(Arc<T>);

impl handheld::DeviceKey for Foreign<dyn DeviceKey> {
    fn public_key(&self) -> Result<Vec<u8>, handheld::DeviceKeyError> {
        Ok(self.0.public_key()?)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, handheld::DeviceKeyError> {
        Ok(self.0.sign(message.to_vec())?)
    }
}

impl handheld::KeyVault for Foreign<dyn KeyVault> {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, handheld::VaultError> {
        Ok(self.0.wrap(key.to_vec())?)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, handheld::VaultError> {
        Ok(self.0.unwrap(wrapped.to_vec())?)
    }
}

impl handheld::CoreListener for Foreign<dyn CoreListener> {
    fn on_change(&self, revision: u64) {
        self.0.on_change(revision);
    }
}

impl From<DeviceKeyError> for handheld::DeviceKeyError {
    fn from(error: DeviceKeyError) -> Self {
        match error {
            DeviceKeyError::Lost => Self::Lost,
            DeviceKeyError::Unavailable { reason } => Self::Unavailable { reason },
        }
    }
}

impl From<VaultError> for handheld::VaultError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Lost => Self::Lost,
            VaultError::Unavailable { reason } => Self::Unavailable { reason },
        }
    }
}

/// Kotlin threw something that is not declared.
impl From<UnexpectedUniFFICallbackError> for DeviceKeyError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable { reason: error.reason }
    }
}

impl From<UnexpectedUniFFICallbackError> for VaultError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable { reason: error.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Kotlin's side of all three.
    #[derive(Default)]
    struct Kotlin {
        heard: Mutex<Vec<u64>>,
    }

    impl DeviceKey for Kotlin {
        fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
            Err(DeviceKeyError::Lost)
        }
        fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
            Ok([b"signed ", message.as_slice()].concat())
        }
    }

    impl KeyVault for Kotlin {
        fn wrap(&self, key: Vec<u8>) -> Result<Vec<u8>, VaultError> {
            Ok(key.into_iter().rev().collect())
        }
        fn unwrap(&self, _wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
            // As UniFFI does when Kotlin throws what the trait does not declare.
            Err(UnexpectedUniFFICallbackError::new("NullPointerException").into())
        }
    }

    impl CoreListener for Kotlin {
        fn on_change(&self, revision: u64) {
            self.heard.lock().unwrap().push(revision);
        }
    }

    #[test]
    fn each_call_and_each_error_crosses() {
        let kotlin = Arc::new(Kotlin::default());
        let ports = adapt(kotlin.clone(), kotlin.clone(), kotlin.clone());
        assert_eq!(ports.device_key.sign(b"it"), Ok(b"signed it".to_vec()));
        assert_eq!(ports.device_key.public_key(), Err(handheld::DeviceKeyError::Lost));
        assert_eq!(ports.vault.wrap(&[1, 2]), Ok(vec![2, 1]));
        let unexpected =
            handheld::VaultError::Unavailable { reason: "NullPointerException".to_owned() };
        assert_eq!(ports.vault.unwrap(&[1]), Err(unexpected));
        ports.listener.on_change(7);
        assert_eq!(*kotlin.heard.lock().unwrap(), [7]);
    }
}
