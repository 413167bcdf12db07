//! From evidence to state: the one place where a payment changes.
//!
//! A payment is never told "you are paid now". It is a heap of [`Evidence`], each piece about one
//! object (a session, a charge, a refund …), and [`Facts`] keeps for each object the furthest
//! thing known about it. [`Facts::standing`] then reads the state off those facts. Because merging
//! takes, for each object, the greater of two facts, it does not matter in which order evidence
//! arrives, nor how often: webhook, redirect, poll and reconciler may all bring the same news.
//!
//! What outranks what:
//! - A succeeded charge makes the payment paid, whatever was asked before (*paid wins* over
//!   canceled, withdrawn and expired).
//! - On a paid payment, an open or lost dispute outranks refunds, a complete refund outranks
//!   a pending one, and a refund that failed outranks that it had succeeded before.
//! - Cash is paid by the hold; voided, it is withdrawn. A charge that another payment settled makes
//!   this one *already paid*, unless money came here too: then a person must look.
//! - Evidence that does not fit what we opened (amount, currency, mode, account, session) or
//!   money that came twice means *needs attention*, above all else: no machine may guess there.
//! - Without a succeeded charge, an open session is waiting, processing or declined; when no
//!   session is open any more, the payment is owed until it is canceled, withdrawn or past its
//!   lifetime.

mod evidence;
mod facts;
mod state;

pub use evidence::{
    ChargeOutcome, DisputeOutcome, Elsewhere, Evidence, RefundStatus, SessionStatus,
};
pub use facts::{Facts, Standing};
pub use state::{AttentionReason, PaymentState};

#[cfg(test)]
mod tests;
