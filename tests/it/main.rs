//! A Rust handheld, the real gateway and the real sandbox: whole payments over real HTTP.
//!
//! Only the network between handheld and gateway can be broken on purpose ([`radio`]); the device
//! key and the vault are the software ones. The payer is a plain HTTP client that follows the same
//! links and presses the same buttons as a browser ([`payer`]).
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking, their helpers too")]

mod charges;
mod databases;
mod doubled;
mod field;
mod giving_up;
mod handheld;
mod offline;
mod own_ca;
mod payer;
mod paying;
mod proof;
mod radio;
mod recovery;
mod restoring;
mod trouble;
mod webhooks;
mod world;
