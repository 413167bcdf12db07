//! A payer who asks their bank for the money back.

use serde::{Deserialize, Serialize};

use super::{Charge, Expandable, Metadata, PaymentIntent, null_as_default};
use crate::open_enum::open_enum;

open_enum! {
    /// Where a dispute stands. Won and lost are final.
    pub enum DisputeStatus {
        NeedsResponse = "needs_response",
        UnderReview = "under_review",
        Won = "won",
        Lost = "lost",
        Prevented = "prevented",
        WarningNeedsResponse = "warning_needs_response",
        WarningUnderReview = "warning_under_review",
        WarningClosed = "warning_closed",
    }
}

/// A dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// `du_…` or `dp_…`
    pub id: String,
    /// What is disputed, in Stripe's units.
    pub amount: i64,
    /// The disputed charge.
    pub charge: Expandable<Charge>,
    /// Unix seconds.
    pub created: i64,
    /// Three letters, lower case.
    pub currency: String,
    /// Whether a refund would still end it (an inquiry, no money taken yet).
    #[serde(default)]
    pub is_charge_refundable: bool,
    /// False for test money.
    pub livemode: bool,
    /// Our notes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// The PaymentIntent of the charge.
    #[serde(default)]
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    /// The bank's word for it, such as `fraudulent`.
    #[serde(default)]
    pub reason: String,
    /// Where it stands.
    pub status: DisputeStatus,
}
