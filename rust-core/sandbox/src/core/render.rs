//! Rows as Stripe's JSON, with every field that the pinned version's description requires.

mod books;
mod method;
mod payment;
mod session;
mod setup;
mod shop;

use holdfast_stripe::objects::{ErrorBody, ErrorObject};
use serde_json::{Value, json};

use super::Core;
use super::model::{Id, Snapshot};

/// As long as most answers are, in bytes: a buffer that grows step by step copies all of it each time.
const BYTES_USUAL: usize = 4_096;

/// JSON as Stripe writes it: indented, so that whoever verifies a signature over anything but the
/// raw bytes is found out.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES_USUAL);
    // A value of ours always serializes: its keys are strings.
    let written = serde_json::to_writer_pretty(&mut bytes, value);
    written.map_or_else(|_| Vec::new(), |()| bytes)
}

/// The body of a refusal.
pub(super) fn error(mut object: ErrorObject, intent: Option<Value>, request_id: &Id) -> Value {
    object.request_log_url = Some(format!("https://dashboard.stripe.com/test/logs/{request_id}"));
    let mut value = serde_json::to_value(ErrorBody { error: object }).unwrap_or_default();
    if let (Some(error), Some(intent)) = (value.get_mut("error"), intent) {
        if let Some(method) = intent.pointer("/last_payment_error/payment_method") {
            error["payment_method"] = method.clone();
        }
        error["payment_intent"] = intent;
    }
    value
}

impl Core {
    pub(super) fn snapshot_json(&self, snapshot: &Snapshot) -> Value {
        match snapshot {
            Snapshot::Session(session) => self.session_json(session),
            Snapshot::Intent(intent) => self.intent_json(intent),
            Snapshot::Charge(charge) => self.charge_json(charge),
            Snapshot::Refund(refund) => self.refund_json(refund),
            Snapshot::Dispute(dispute) => self.dispute_json(dispute),
            Snapshot::Method(method) => self.method_json(method),
            Snapshot::Customer(customer) => self.customer_json(customer),
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
