//! The device core.
