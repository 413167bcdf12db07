//! A stateful local Stripe, so that everyone can work without an account: the API, the hosted
//! card page, and signed webhooks, on one port of this machine.
//!
//! # A guided tour
//!
//! - [`core`]: the whole of its state and rules, without network, clock or thread. Requests and
//!   times go in, answers and deliveries come out; the same seed and inputs give the same of both,
//!   which is what the seeded simulation rests on.
//!   - `core::form` and `core::fields` read parameters as Stripe does, and refuse by name.
//!   - `core::calls` has the calls; each checks everything before it changes anything.
//!   - `core::pay` is the payer: cards, declines, the bank's question.
//!   - `core::idempotency`, `core::deliveries`: keys and webhooks, with Stripe's rules in prose.
//!   - `core::render` writes rows as Stripe's JSON.
//!   - `core::faults`, `core::trigger`, `core::control`: what a person lets go wrong, or happen.
//! - [`start`]: the core on a port. [`Running`] has its address, and a [`Handle`] for tests that
//!   look inside or move its clock ahead. [`Remote`] does so from another process.
//!
//! # What always holds
//!
//! - Only test cards are taken; any other number is refused and kept nowhere.
//! - A row that an event, a delivery or a stored answer holds is a photograph: it never changes.
//! - What is not played is refused by name, never silently ignored.

pub mod core;
mod outgoing;
mod remote;
mod server;

pub use core::{FaultError, FaultRule, KeyGrant, KeyGrantError, TRIGGERS, WebhookTarget};
pub use remote::{Listening, Remote, RemoteError};
pub use server::{Handle, Heard, Options, Running, StartError, TargetError, start};
