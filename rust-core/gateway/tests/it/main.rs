//! The gateway as its neighbours see it: real HTTP, the real sandbox as Stripe, and a small signer
//! in place of a handheld.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod approving;
mod bad_input;
mod cash;
mod charges;
mod deliveries;
mod doubled;
mod enrolment;
mod exactly_one;
mod giving_up;
mod handheld;
mod hosts;
mod interrupted;
mod keys;
mod live_mode;
mod losses;
mod modes;
mod money_back;
mod office;
mod operation;
mod orders;
mod owed_again;
mod paying;
mod paying_back;
mod people;
mod permissions;
mod proxy;
mod pruning;
mod reconciling;
mod restored;
mod room;
mod rotation;
mod secrets;
mod serving;
mod strangers;
mod types;
mod webhooks;
mod world;
