//! Events: hints that something happened to an object.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::null_as_default;
use crate::open_enum::open_enum;

open_enum! {
    /// The event types that this project knows.
    pub enum EventType {
        SessionCompleted = "checkout.session.completed",
        SessionExpired = "checkout.session.expired",
        SessionAsyncSucceeded = "checkout.session.async_payment_succeeded",
        SessionAsyncFailed = "checkout.session.async_payment_failed",
        IntentCreated = "payment_intent.created",
        IntentSucceeded = "payment_intent.succeeded",
        IntentFailed = "payment_intent.payment_failed",
        IntentCanceled = "payment_intent.canceled",
        IntentProcessing = "payment_intent.processing",
        IntentRequiresAction = "payment_intent.requires_action",
        IntentCapturable = "payment_intent.amount_capturable_updated",
        ChargeSucceeded = "charge.succeeded",
        ChargeFailed = "charge.failed",
        ChargeCaptured = "charge.captured",
        ChargeUpdated = "charge.updated",
        ChargeRefunded = "charge.refunded",
        RefundCreated = "refund.created",
        RefundUpdated = "refund.updated",
        RefundFailed = "refund.failed",
        DisputeCreated = "charge.dispute.created",
        DisputeClosed = "charge.dispute.closed",
    }
}

/// An event. Its object is a photograph of one moment and may be old when it arrives; what
/// counts is the object as retrieved now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `evt_…`; what an event is stored once by, with account and mode.
    pub id: String,
    /// The connected account, if the event is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The version that the object below was rendered at.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Unix seconds. It neither orders nor deduplicates.
    pub created: i64,
    /// The object.
    pub data: EventData,
    /// False for test money.
    pub livemode: bool,
    /// How many endpoints have not taken it yet.
    #[serde(default)]
    pub pending_webhooks: u32,
    /// The request that caused it.
    #[serde(default)]
    pub request: Option<EventRequest>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
}

/// What an event carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventData {
    /// The object as it was then, of whatever kind.
    #[serde(default, deserialize_with = "null_as_default")]
    pub object: Value,
    /// The values before, of the fields that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_attributes: Option<Value>,
}

/// The request that caused an event; both are absent when Stripe itself did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRequest {
    /// `req_…`
    #[serde(default)]
    pub id: Option<String>,
    /// The key of that request.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// What an event is about: all that may be taken from it before the object is retrieved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A Checkout Session.
    Session {
        /// `cs_…`
        id: String,
    },
    /// A PaymentIntent.
    PaymentIntent {
        /// `pi_…`
        id: String,
    },
    /// A charge.
    Charge {
        /// `ch_…`
        id: String,
        /// The PaymentIntent it belongs to.
        payment_intent: Option<String>,
    },
    /// A refund.
    Refund {
        /// `re_…`
        id: String,
        /// The PaymentIntent that is refunded.
        payment_intent: Option<String>,
    },
    /// A dispute.
    Dispute {
        /// `du_…`
        id: String,
        /// The PaymentIntent that is disputed.
        payment_intent: Option<String>,
    },
    /// Anything else.
    Other,
}

impl Event {
    /// What the event is about.
    pub fn subject(&self) -> Subject {
        let Some(id) = self.text("id") else { return Subject::Other };
        let payment_intent = self.text("payment_intent");
        match self.data.object.get("object").and_then(Value::as_str) {
            Some("checkout.session") => Subject::Session { id },
            Some("payment_intent") => Subject::PaymentIntent { id },
            Some("charge") => Subject::Charge { id, payment_intent },
            Some("refund") => Subject::Refund { id, payment_intent },
            Some("dispute") => Subject::Dispute { id, payment_intent },
            _ => Subject::Other,
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        let value = self.data.object.get(field)?;
        let id = value.as_str().or_else(|| value.get("id").and_then(Value::as_str))?;
        Some(id.to_owned())
    }
}
