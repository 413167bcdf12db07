//! UniFFI surface of the device core: delegation only.
uniffi::setup_scaffolding!();
