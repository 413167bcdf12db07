//! The calls: which address is which, and what each reads, checks and does.
//!
//! Every call reads and checks all its parameters before it changes anything.

mod endpoints;
mod intents;
mod lookups;
mod refunds;
mod sessions;

use std::sync::Arc;

use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::Fields;
use super::model::{Row, Snapshot};
use super::reply::Reply;
use super::table::{Query, Table};
use super::{Core, expand};

/// A call, with the ID in its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Account,
    SessionCreate,
    SessionGet(&'a str),
    SessionLines(&'a str),
    SessionExpire(&'a str),
    SessionList,
    IntentCreate,
    IntentGet(&'a str),
    IntentCancel(&'a str),
    IntentList,
    ChargeGet(&'a str),
    ChargeList,
    RefundCreate,
    RefundGet(&'a str),
    RefundList,
    EventGet(&'a str),
    EventList,
    EndpointCreate,
    EndpointGet(&'a str),
    EndpointDelete(&'a str),
    EndpointList,
}

pub(super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    let ["v1", rest @ ..] = segments else { return None };
    Some(match (method, rest) {
        ("GET", ["account"]) => Route::Account,
        ("POST", ["checkout", "sessions"]) => Route::SessionCreate,
        ("GET", ["checkout", "sessions"]) => Route::SessionList,
        ("GET", ["checkout", "sessions", id]) => Route::SessionGet(id),
        ("GET", ["checkout", "sessions", id, "line_items"]) => Route::SessionLines(id),
        ("POST", ["checkout", "sessions", id, "expire"]) => Route::SessionExpire(id),
        ("POST", ["payment_intents"]) => Route::IntentCreate,
        ("GET", ["payment_intents"]) => Route::IntentList,
        ("GET", ["payment_intents", id]) => Route::IntentGet(id),
        ("POST", ["payment_intents", id, "cancel"]) => Route::IntentCancel(id),
        ("GET", ["charges"]) => Route::ChargeList,
        ("GET", ["charges", id]) => Route::ChargeGet(id),
        ("POST", ["refunds"]) => Route::RefundCreate,
        ("GET", ["refunds"]) => Route::RefundList,
        ("GET", ["refunds", id]) => Route::RefundGet(id),
        ("GET", ["events"]) => Route::EventList,
        ("GET", ["events", id]) => Route::EventGet(id),
        ("POST", ["webhook_endpoints"]) => Route::EndpointCreate,
        ("GET", ["webhook_endpoints"]) => Route::EndpointList,
        ("GET", ["webhook_endpoints", id]) => Route::EndpointGet(id),
        ("DELETE", ["webhook_endpoints", id]) => Route::EndpointDelete(id),
        _ => return None,
    })
}

impl Core {
    pub(super) fn run(&mut self, route: Route<'_>, fields: Fields<'_>) -> Result<Reply, ApiError> {
        match route {
            Route::Account => self.account_get(fields),
            Route::SessionCreate => self.session_create(fields),
            Route::SessionGet(id) => self.session_get(id, fields),
            Route::SessionLines(id) => self.session_lines(id, fields),
            Route::SessionExpire(id) => self.session_expire(id, fields),
            Route::SessionList => self.session_list(fields),
            Route::IntentCreate => self.intent_create(fields),
            Route::IntentGet(id) => self.intent_get(id, fields),
            Route::IntentCancel(id) => self.intent_cancel(id, fields),
            Route::IntentList => self.intent_list(fields),
            Route::ChargeGet(id) => self.charge_get(id, fields),
            Route::ChargeList => self.charge_list(fields),
            Route::RefundCreate => self.refund_create(fields),
            Route::RefundGet(id) => self.refund_get(id, fields),
            Route::RefundList => self.refund_list(fields),
            Route::EventGet(id) => self.event_get(id, fields),
            Route::EventList => self.event_list(fields),
            Route::EndpointCreate => self.endpoint_create(fields),
            Route::EndpointGet(id) => self.endpoint_get(id, fields),
            Route::EndpointDelete(id) => self.endpoint_delete(id, fields),
            Route::EndpointList => self.endpoint_list(fields),
        }
    }

    pub(super) fn json_of(&self, reply: &Reply) -> Value {
        match reply {
            Reply::Object(snapshot) => self.snapshot_json(snapshot),
            Reply::Json(value) => Value::clone(value),
        }
    }

    /// An object as an answer, with what was asked to be expanded.
    fn object_reply(&self, object: Snapshot, paths: &[&str]) -> Result<Reply, ApiError> {
        if paths.is_empty() {
            return Ok(Reply::Object(object));
        }
        let mut value = self.snapshot_json(&object);
        self.expand(&mut value, paths)?;
        Ok(value.into())
    }

    /// One page of a table as an answer.
    fn list_reply<T: Row>(
        &self,
        url: &str,
        table: &Table<T>,
        mut fields: Fields<'_>,
        keep: impl Fn(&T) -> bool,
        snapshot: impl Fn(&Self, &Arc<T>) -> Value,
    ) -> Result<Reply, ApiError> {
        let query = Query::read(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&["customer", "customer_account", "transfer_group"])?;
        let (rows, has_more) = table.page(&query, keep)?;
        let data: Vec<Value> = rows.iter().map(|row| snapshot(self, row)).collect();
        let mut list = list_json(url, data, has_more);
        self.expand(&mut list, &paths)?;
        Ok(list.into())
    }
}

fn list_json(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}
