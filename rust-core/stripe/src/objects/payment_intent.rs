//! PaymentIntents: Stripe's record of one intended payment, over all its attempts.

use serde::{Deserialize, Serialize};

use super::{Charge, ErrorObject, Expandable, Metadata, null_as_default};
use crate::open_enum::open_enum;

open_enum! {
    /// Where a PaymentIntent stands. A decline leads back to `requires_payment_method`;
    /// succeeded and canceled are final.
    pub enum IntentStatus {
        RequiresPaymentMethod = "requires_payment_method",
        RequiresConfirmation = "requires_confirmation",
        RequiresAction = "requires_action",
        Processing = "processing",
        RequiresCapture = "requires_capture",
        Succeeded = "succeeded",
        Canceled = "canceled",
    }
}

open_enum! {
    /// When the money is taken.
    pub enum CaptureMethod {
        Automatic = "automatic",
        AutomaticAsync = "automatic_async",
        Manual = "manual",
    }
}

/// A PaymentIntent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentIntent {
    /// `pi_…`
    pub id: String,
    /// What is to be paid, in Stripe's units.
    pub amount: i64,
    /// What was received, in Stripe's units.
    #[serde(default)]
    pub amount_received: i64,
    /// Unix seconds.
    #[serde(default)]
    pub canceled_at: Option<i64>,
    /// When the money is taken.
    #[serde(default)]
    pub capture_method: Option<CaptureMethod>,
    /// Unix seconds.
    pub created: i64,
    /// Three letters, lower case.
    pub currency: String,
    /// Why the last attempt failed.
    #[serde(default)]
    pub last_payment_error: Option<Box<ErrorObject>>,
    /// The latest attempt.
    #[serde(default)]
    pub latest_charge: Option<Expandable<Charge>>,
    /// False for test money.
    pub livemode: bool,
    /// Our notes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// Where it stands.
    pub status: IntentStatus,
}
