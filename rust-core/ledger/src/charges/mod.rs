//! What is owed, and which payment settles it.
//!
//! A charge is written by the office, from a file or through the API ([`PutCharges`],
//! [`WithdrawCharge`]). A payment whose order names a charge has a claim on it, written in the same
//! transaction as the payment. `claims` moves claims whenever a payment changes, so that each charge has
//! at most one that is settling: the store refuses a second one, whatever the code does.

pub(crate) mod claims;
mod put;

pub use put::{ChargeRefused, PutCharges, PutOutcome, WithdrawCharge, WithdrawOutcome};

use holdfast_domain::cart::ITEM_NAME_CHARS_MAX;
use holdfast_domain::{ChargeReference, ClaimState, Mode, Money, Owed, PaymentId, TenantSlug};
use serde::{Deserialize, Serialize};

/// One part of what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeLine {
    /// What for; the payer reads it. No plate and no name.
    pub text: String,
    /// In minor units of the charge's currency.
    pub minor: i64,
}

/// What is owed under one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Whose.
    pub tenant: TenantSlug,
    /// What it is called.
    pub reference: ChargeReference,
    /// The vehicle; empty if there is none.
    pub plate: String,
    /// Who owes it; empty if that is not known.
    pub payer: String,
    /// Its parts: at least one.
    pub lines: Vec<ChargeLine>,
    /// Their sum.
    pub amount: Money,
    /// `YYYY-MM-DD`; empty if it is due at once.
    pub due_on: String,
    /// Who may settle it: `officers`, `portal`; with commas between.
    pub user_types: String,
    /// Why it is not owed any more; empty while it is.
    pub withdrawn: String,
    /// When it was written first.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub changed_at_ms: i64,
}

impl Charge {
    /// As a cart needs it. The name is short enough for Stripe's page.
    pub fn owed(&self) -> Owed {
        let text = self.lines.first().map_or("", |line| line.text.as_str());
        let more = if self.lines.len() > 1 { ", …" } else { "" };
        let name = format!("{} {text}{more}", self.reference);
        let name = name.chars().take(ITEM_NAME_CHARS_MAX).collect();
        Owed { reference: self.reference.clone(), name, amount: self.amount }
    }

    /// True if such a user (`officers`, `portal`) may settle it.
    pub fn is_for(&self, users: &str) -> bool {
        self.user_types.split(',').any(|it| it == users)
    }

    /// When it is changed, at the gateway's time: later than before, so that two changes within one
    /// millisecond are told apart.
    pub(crate) fn changed_next_ms(&self, now_ms: i64) -> i64 {
        now_ms.max(self.changed_at_ms.saturating_add(1))
    }

    /// True if the other one says the same, whenever it was written.
    fn says_the_same(&self, other: &Self) -> bool {
        self.owes_the_same(other)
            && (&self.plate, &self.payer, &self.due_on)
                == (&other.plate, &other.payer, &other.due_on)
    }

    /// True if a payment of the one is a payment of the other.
    fn owes_the_same(&self, other: &Self) -> bool {
        (&self.lines, self.amount, &self.user_types)
            == (&other.lines, other.amount, &other.user_types)
    }
}

/// A payment's claim on a charge. Payments in test mode and in live mode never meet on one: a trial
/// settles nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub tenant: TenantSlug,
    /// Test or live, as the payment.
    pub mode: Mode,
    /// On which charge.
    pub reference: ChargeReference,
    /// Of which payment.
    pub payment: PaymentId,
    /// What it is.
    pub state: ClaimState,
    /// When the payment was accepted: the longest waiting comes next.
    pub made_at_ms: i64,
    /// When this payment's money, which had settled the charge, was gone again: refunded, cash that was
    /// voided, or lost by a dispute and said to be owed again. None while it settles the charge, and if it never did.
    pub returned_at_ms: Option<i64>,
}
