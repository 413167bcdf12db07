//! Stripe as this project needs it: some fifteen calls, written so that a payment can neither be
//! doubled nor lost.
//!
//! # A guided tour
//!
//! - [`objects`]: Stripe's objects. Open enums and defaults everywhere; a newer Stripe still parses.
//! - [`amount`]: [`holdfast_domain::Money`] to Stripe's units and back, or a refusal.
//! - [`keys`]: API keys and webhook secrets by their prefixes; printed masked, never whole.
//! - [`request`]: every POST is first a [`FrozenRequest`], made by a pure function. Store it, then
//!   send it; when no answer came, send the stored one again.
//! - [`client`]: [`Client::send`] for frozen requests, and a method for each thing to look at. Each
//!   is one logical call: retried by the pure rules of [`retry`], ending in a value or one
//!   [`CallError`].
//! - [`rate`]: Stripe's limits, kept by all clients of one key together; look-ups never take the
//!   places of requests that move money.
//! - [`error`]: *refused* (nothing happened) apart from *unknown* (it may have happened).
//! - [`webhook`]: signing and verifying deliveries, on the raw bytes.
//!
//! # What always holds
//!
//! - A live key is sent to `https://api.stripe.com` only, any key over plain HTTP to this machine
//!   only ([`ClientConfig::new`]); no redirect is followed and no private address resolved.
//! - No key appears in `Debug`, `Display`, an error or a log line.
//! - The API version is pinned; what a call means does not change under us.

pub mod amount;
mod answer;
pub mod client;
pub mod config;
pub mod error;
pub mod exchange;
mod form;
pub mod keys;
pub mod objects;
mod open_enum;
pub mod pace;
mod path;
pub mod rate;
pub mod request;
mod resolver;
pub mod retry;
pub mod tls;
pub mod webhook;

pub use client::{Client, Created, Page};
pub use config::{ClientConfig, ConfigError, STRIPE_API_BASE, Timeouts};
pub use error::{CallError, NotSentWhy, StripeError, UnknownWhy};
pub use holdfast_domain::{Currency, Mode, Money};
pub use keys::{ApiKey, KeyError, KeyKind, WebhookSecret};
pub use path::NotAnId;
pub use request::{FreezeError, FrozenRequest};
pub use resolver::is_public;

/// The version of Stripe's API that requests name and this crate was written for.
pub const API_VERSION: &str = "2026-08-26.dahlia";
