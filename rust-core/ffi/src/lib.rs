//! UniFFI surface of the device core: delegation only.
//!
//! - [`Core`] has the methods of [`holdfast_handheld::Core`], under the same names.
//! - `record` and `error` list the fields and variants of the handheld's types for the bindings
//!   generator (`uniffi::remote`): a type is written down a second time, and the compiler says
//!   when the two differ; no value is converted.
//! - `port` carries the three foreign traits across.
//! - `android` has `JNI_OnLoad`.
//!
//! UniFFI polls a future from the Kotlin coroutine that called, and drops it when that coroutine
//! is cancelled. Nothing is lost by that: the handheld's futures only wait for an answer of its
//! actor, which finishes what it began.

uniffi::setup_scaffolding!();

#[cfg(target_os = "android")]
mod android;
mod core;
mod error;
mod port;
mod record;
mod search;

pub use crate::core::{Core, qr_code};
pub use port::{CoreListener, DeviceKey, DeviceKeyError, KeyVault, VaultError};
