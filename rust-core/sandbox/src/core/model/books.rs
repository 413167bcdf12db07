//! What Stripe's books say: entries, and money that payers want back.

use std::sync::Arc;

use holdfast_stripe::objects::DisputeStatus;

use super::Id;
use crate::core::notes::Notes;

/// An entry in the books, which Stripe calls a balance transaction.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `txn_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// When the money can be paid out, in Unix seconds.
    pub available_on: i64,
    /// What came in, in Stripe's units; negative when it went out.
    pub amount: i64,
    /// What Stripe keeps, in Stripe's units.
    pub fee: i64,
    /// Lower case.
    pub currency: Arc<str>,
    /// Why.
    pub kind: EntryKind,
    /// Of which object.
    pub source: Id,
}

/// Why there is an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A charge.
    Charge,
    /// A refund.
    Refund,
    /// A refund failed, and the money is back.
    RefundFailure,
    /// The bank took the money back for a payer.
    Dispute,
    /// A dispute was won.
    DisputeReversal,
}

impl EntryKind {
    /// Stripe's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute | Self::DisputeReversal => "adjustment",
        }
    }

    /// Stripe's `reporting_category`.
    pub fn category(self) -> &'static str {
        match self {
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
            other => other.as_str(),
        }
    }
}

/// A payer asked the bank for the money back.
#[derive(Clone, Debug)]
pub struct Dispute {
    /// `du_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// In Stripe's units.
    pub amount: i64,
    /// Lower case.
    pub currency: Arc<str>,
    /// What is disputed.
    pub charge: Id,
    /// Its PaymentIntent.
    pub intent: Id,
    /// The bank's word for it.
    pub reason: &'static str,
    /// An inquiry: no money was taken.
    pub inquiry: bool,
    /// Where it stands.
    pub status: DisputeStatus,
    /// The entries in the books, oldest first.
    pub entries: Vec<Id>,
    /// What was answered to the bank.
    pub evidence: Option<Arc<str>>,
    /// How often.
    pub submissions: u32,
    /// Notes.
    pub metadata: Arc<Notes>,
}
