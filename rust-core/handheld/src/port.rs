//! What the platform lends to the core. On a handheld these are Android Keystore and the screens,
//! on a desktop and in tests they are software.
//!
//! All are synchronous and may be slow (a secure element takes its time), so the core calls them
//! away from its workers and gives up after a deadline.

use std::sync::Arc;

/// The three together.
#[derive(Clone)]
pub struct Ports {
    /// Signs orders and requests.
    pub device_key: Arc<dyn DeviceKey>,
    /// Wraps the data key.
    pub vault: Arc<dyn KeyVault>,
    /// Hears of changes.
    pub listener: Arc<dyn CoreListener>,
}

/// The device's signing key: P-256, hardware-backed where the device has it.
pub trait DeviceKey: Send + Sync {
    /// The public half as X.509 SubjectPublicKeyInfo, DER.
    fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError>;

    /// Signs a message (`SHA256withECDSA`). The answer is a DER `ECDSA-Sig-Value`; either S is
    /// taken, since Android Keystore does not normalise it.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, DeviceKeyError>;
}

/// Why the device key gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// The system has no such key any more.
    #[error("the device key is lost; enrol this handheld again")]
    Lost,
    /// Not now.
    #[error("the device key is not available: {reason}")]
    Unavailable {
        /// For the log; no secret in it.
        reason: String,
    },
}

/// Keeps the data key of this installation under a key that never leaves it.
pub trait KeyVault: Send + Sync {
    /// Wraps the data key (32 bytes).
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// Gives back what was wrapped.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, VaultError>;
}

/// Why the vault gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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

/// Hears that something changed.
pub trait CoreListener: Send + Sync {
    /// Called from a thread of the core; the screen then reads [`crate::Core::snapshot`]. Calls
    /// may be left out when changes come quickly, never the last one. The first may come before
    /// [`crate::Core::open`] has returned.
    fn on_change(&self, revision: u64);
}
