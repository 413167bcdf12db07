//! The gateway server.
#![allow(dead_code, unused_imports, reason = "TEMPORARY while the parts are joined")]
pub mod admin;
mod core;
mod device_tokens;
mod handhelds;
mod http;
mod looking;
mod opening;
pub mod pages;
mod payments;
mod processors;
mod sign_in;
mod store;
mod tokens;
mod urls;
mod vault;
mod worker;
pub mod world;
/// Where the gateway listens unless it is told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8480";
