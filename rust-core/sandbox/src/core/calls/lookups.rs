//! Charges, events and the account: calls that only look.

use std::sync::Arc;

use holdfast_stripe::objects::EventType;

use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Charge, Event, Snapshot};
use super::super::reply::Reply;
use super::super::shelf::Among;
use super::super::{Core, Id};

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
        let customer = fields.text("customer")?;
        let among = match (intent, customer) {
            (None, None) => Among::All,
            (Some(intent), _) => Among::These(self.charges_of(intent)),
            (None, Some(customer)) => Among::Group(customer),
        };
        let keep = |charge: &Arc<Charge>| {
            customer.is_none_or(|customer| charge.customer.as_deref() == Some(customer))
        };
        self.list_reply("/v1/charges", &self.charges, among, fields, keep, |core, row| {
            core.charge_json(row)
        })
    }

    /// What hangs on one charge, or on all of a PaymentIntent's, where a list names either.
    pub(super) fn among_those_of(
        &self,
        charge: Option<&str>,
        intent: Option<&str>,
        of: impl Fn(&Charge) -> Vec<Id>,
    ) -> Among<'static> {
        let charges = match (charge, intent) {
            (None, None) => return Among::All,
            (Some(charge), _) => vec![Id::from(charge)],
            (None, Some(intent)) => self.charges_of(intent),
        };
        let found = charges.iter().filter_map(|id| self.charges.get(id));
        Among::These(found.flat_map(|charge| of(charge)).collect())
    }

    /// Every attempt of a PaymentIntent.
    pub(super) fn charges_of(&self, intent: &str) -> Vec<Id> {
        self.intents.get(intent).map(|intent| intent.charges.clone()).unwrap_or_default()
    }

    pub(super) fn charge_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let metadata = fields.metadata_changes("metadata")?;
        let description = fields.text_or_unset("description", 40_000)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&[
            "customer",
            "fraud_details",
            "receipt_email",
            "shipping",
            "transfer_group",
        ])?;
        let missing = || ApiError::no_such("charge", id, "charge");
        let changed = self.charges.change(id, |charge| {
            let data = Arc::make_mut(&mut charge.data);
            metadata.apply(&mut data.metadata);
            if let Some(text) = description {
                data.description = text.map(Into::into);
            }
        });
        let charge = changed.ok_or_else(missing)?;
        self.emit(EventType::ChargeUpdated, Snapshot::Charge(charge.clone()));
        self.object_reply(Snapshot::Charge(charge), &paths)
    }

    pub(super) fn event_get(&self, id: &str, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["expand"])?;
        let missing = || ApiError::no_such("event", id, "id");
        let event = self.events.get(id).ok_or_else(missing)?;
        Ok(self.event_json(&event).into())
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
        let among = match (everywhere, kind) {
            (Some(false), _) => Among::These(self.deliveries.untaken()),
            (_, Some(kind)) if !kind.ends_with('*') => Among::Group(kind),
            _ => Among::All,
        };
        let url = "/v1/events";
        self.list_reply(url, &self.events, among, fields, keep, |core, row| core.event_json(row))
    }
}

/// `charge.refunded`, or a whole family as `charge.*`.
fn matches(event: &Event, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(family) => event.kind.as_str().starts_with(family),
        None => event.kind.as_str() == wanted,
    }
}
