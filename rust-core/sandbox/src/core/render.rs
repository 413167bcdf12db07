//! Rows as Stripe's JSON, with every field that the pinned version's description requires.

mod payment;
mod session;
mod setup;

use holdfast_stripe::objects::{ErrorBody, ErrorObject};
use serde_json::{Value, json};

use super::Core;
use super::model::{Id, Snapshot};

/// JSON as Stripe writes it: indented, so that whoever verifies a signature over anything but the
/// raw bytes is found out.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    // A value of ours always serializes: its keys are strings.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

/// The body of a refusal.
pub(super) fn error(mut object: ErrorObject, request_id: &Id) -> Value {
    object.request_log_url = Some(format!("https://dashboard.stripe.com/test/logs/{request_id}"));
    serde_json::to_value(ErrorBody { error: object }).unwrap_or_default()
}

impl Core {
    pub(super) fn snapshot_json(&self, snapshot: &Snapshot) -> Value {
        match snapshot {
            Snapshot::Session(session) => self.session_json(session),
            Snapshot::Intent(intent) => self.intent_json(intent),
            Snapshot::Charge(charge) => self.charge_json(charge),
            Snapshot::Refund(refund) => self.refund_json(refund),
        }
    }
}

/// Adds fields that Stripe always sends and that are always null here.
fn with_nulls(mut value: Value, names: &[&str]) -> Value {
    if let Some(object) = value.as_object_mut() {
        for name in names {
            object.insert((*name).to_owned(), json!(null));
        }
    }
    value
}

/// Adds the fields of one object to another.
fn with(mut value: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (value.as_object_mut(), more) {
        object.extend(more);
    }
    value
}
