//! The calls: which address is which, and what each reads, checks and does.
//!
//! Every call reads and checks all its parameters before it changes anything.

mod books;
mod confirm;
mod customers;
mod disputes;
mod endpoints;
mod intents;
mod lookups;
mod methods;
mod refunds;
mod routes;
mod sessions;
mod shop;

pub(super) use books::Funds;
pub(super) use intents::NewIntent;
pub(super) use refunds::INSTRUCTIONS_LIFETIME_MS;
pub(super) use routes::route;

use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::Fields;
use super::model::Snapshot;
use super::reply::Reply;
use super::shelf::{Among, Query, Shelf};
use super::{Core, expand};

impl Core {
    pub(super) fn json_of(&self, reply: &Reply) -> Value {
        match reply {
            Reply::Object(snapshot) => self.snapshot_json(snapshot),
            Reply::Json(value) => Value::clone(value),
        }
    }

    /// An object as an answer, with what was asked to be expanded.
    fn object_reply(&self, object: Snapshot, paths: &[&str]) -> Result<Reply, ApiError> {
        if paths.is_empty() && !self.publishable {
            return Ok(Reply::Object(object));
        }
        let mut value = self.snapshot_json(&object);
        if self.publishable {
            keep_public(&mut value);
            return Ok(value.into());
        }
        self.expand(&mut value, paths)?;
        Ok(value.into())
    }

    /// One page of a table as an answer.
    fn list_reply<S: Shelf>(
        &self,
        url: &str,
        shelf: &S,
        among: Among<'_>,
        mut fields: Fields<'_>,
        keep: impl Fn(&S::Row) -> bool,
        snapshot: impl Fn(&Self, &S::Row) -> Value,
    ) -> Result<Reply, ApiError> {
        let query = Query::read(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&["customer_account", "test_clock", "transfer_group"])?;
        let (rows, has_more) = shelf.page(&query, &among, keep)?;
        let data: Vec<Value> = rows.iter().map(|row| snapshot(self, row)).collect();
        let mut list = list_json(url, data, has_more);
        self.expand(&mut list, &paths)?;
        Ok(list.into())
    }
}

/// What Stripe shows to nobody but the merchant.
const PRIVATE: [&str; 8] = [
    "application",
    "application_fee_amount",
    "customer",
    "latest_charge",
    "metadata",
    "payment_method_options",
    "review",
    "transfer_data",
];

fn keep_public(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|field, _| !PRIVATE.contains(&field.as_str()));
    }
}

fn list_json(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}
