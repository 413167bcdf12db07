//! The engine's tests.
pub(crate) mod fixture;
