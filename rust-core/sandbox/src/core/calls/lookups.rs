//! Charges, events and the account: calls that only look.

use super::super::Core;
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Charge, Event, Snapshot};
use super::super::reply::Reply;

impl Core {
    pub(super) fn account_get(&self, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["expand"])?;
        Ok(self.account_json().into())
    }

    pub(super) fn charge_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let missing = || ApiError::no_such("charge", id, "charge");
        let charge = self.charges.get(id).cloned().ok_or_else(missing)?;
        self.object_reply(Snapshot::Charge(charge), &paths)
    }

    pub(super) fn charge_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let intent = fields.text("payment_intent")?;
        let keep = |charge: &Charge| intent.is_none_or(|intent| *charge.intent == *intent);
        self.list_reply("/v1/charges", &self.charges, fields, keep, |core, row| {
            core.charge_json(row)
        })
    }

    pub(super) fn event_get(&self, id: &str, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["expand"])?;
        let missing = || ApiError::no_such("event", id, "id");
        let event = self.events.get(id).ok_or_else(missing)?;
        Ok(self.event_json(event).into())
    }

    pub(super) fn event_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let kind = fields.text("type")?;
        let kinds = fields.texts("types")?;
        let everywhere = fields.boolean("delivery_success")?;
        let keep = |event: &Event| {
            kind.is_none_or(|kind| matches(event, kind))
                && (kinds.is_empty() || kinds.iter().any(|kind| event.kind.as_str() == *kind))
                && everywhere.is_none_or(|yes| self.deliveries.is_everywhere(&event.id) == yes)
        };
        self.list_reply("/v1/events", &self.events, fields, keep, |core, row| core.event_json(row))
    }
}

/// `charge.refunded`, or a whole family as `charge.*`.
fn matches(event: &Event, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(family) => event.kind.as_str().starts_with(family),
        None => event.kind.as_str() == wanted,
    }
}
