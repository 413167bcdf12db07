//! The engine's tests.

mod absurd;
mod bench;
mod delivery;
mod drafts_and_holds;
pub(crate) mod fixture;
mod garbage;
pub(crate) mod gateway;
mod histories;
mod kills;
mod losses;
mod proofs;
mod requests;
mod session;
mod trust;
