//! Money on its way back.

use serde::{Deserialize, Serialize};

use super::{Charge, Expandable, Metadata, PaymentIntent, null_as_default};
use crate::open_enum::open_enum;

open_enum! {
    /// Where a refund stands. Succeeded can turn into failed later.
    pub enum RefundStatus {
        Pending = "pending",
        RequiresAction = "requires_action",
        Succeeded = "succeeded",
        Failed = "failed",
        Canceled = "canceled",
    }
}

open_enum! {
    /// Why a refund was made.
    pub enum RefundReason {
        Duplicate = "duplicate",
        Fraudulent = "fraudulent",
        RequestedByCustomer = "requested_by_customer",
        ExpiredUncapturedCharge = "expired_uncaptured_charge",
    }
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// `re_…` or `pyr_…`
    pub id: String,
    /// What goes back, in Stripe's units.
    pub amount: i64,
    /// The charge.
    #[serde(default)]
    pub charge: Option<Expandable<Charge>>,
    /// Unix seconds.
    pub created: i64,
    /// Three letters, lower case.
    pub currency: String,
    /// Why it failed.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// Our notes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// The PaymentIntent.
    #[serde(default)]
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    /// Why it waits.
    #[serde(default)]
    pub pending_reason: Option<String>,
    /// Why it was made.
    #[serde(default)]
    pub reason: Option<RefundReason>,
    /// Where it stands.
    #[serde(default)]
    pub status: Option<RefundStatus>,
}
