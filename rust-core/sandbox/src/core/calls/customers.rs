//! Customers.

use std::sync::Arc;

use holdfast_stripe::objects::EventType;
use serde_json::json;

use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Customer, Snapshot};
use super::super::reply::Reply;
use super::super::shelf::Among;
use super::super::{Core, Id};

const ALSO_AT_STRIPE: &[&str] = &[
    "address",
    "balance",
    "business_name",
    "cash_balance",
    "default_source",
    "individual_name",
    "invoice_prefix",
    "invoice_settings",
    "next_invoice_sequence",
    "payment_method",
    "preferred_locales",
    "shipping",
    "source",
    "tax",
    "tax_exempt",
    "tax_id_data",
    "test_clock",
];

/// Texts of a customer: absent, unset or set.
type Text<'a> = Option<Option<&'a str>>;

struct Texts<'a> {
    email: Text<'a>,
    name: Text<'a>,
    phone: Text<'a>,
    description: Text<'a>,
}

impl<'a> Texts<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, ApiError> {
        Ok(Self {
            email: fields.text_or_unset("email", 512)?,
            name: fields.text_or_unset("name", 256)?,
            phone: fields.text_or_unset("phone", 20)?,
            description: fields.text_or_unset("description", 5_000)?,
        })
    }

    fn apply(&self, customer: &mut Customer) {
        let set = |kept: &mut Option<Arc<str>>, text: Text<'_>| {
            if let Some(text) = text {
                *kept = text.map(Into::into);
            }
        };
        set(&mut customer.email, self.email);
        set(&mut customer.name, self.name);
        set(&mut customer.phone, self.phone);
        set(&mut customer.description, self.description);
    }
}

impl Core {
    pub(super) fn customer_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let texts = Texts::read(&mut fields)?;
        let metadata = fields.metadata("metadata")?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let mut customer = Customer {
            id: self.ids.text("cus_", 14).into(),
            created: self.now_s(),
            email: None,
            name: None,
            phone: None,
            description: None,
            metadata,
            deleted: false,
        };
        texts.apply(&mut customer);
        let customer = self.customers.insert(customer);
        if let Some(email) = &customer.email {
            self.customers.group(email, &customer.id);
        }
        self.emit(EventType::from("customer.created"), Snapshot::Customer(customer.clone()));
        self.object_reply(Snapshot::Customer(customer), &paths)
    }

    pub(super) fn customer_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        match self.customers.get(id).filter(|customer| customer.deleted) {
            Some(_) => Ok(deleted(id)),
            None => self.object_reply(Snapshot::Customer(self.customer(id)?), &paths),
        }
    }

    pub(super) fn customer_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let texts = Texts::read(&mut fields)?;
        let metadata = fields.metadata_changes("metadata")?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let before = self.customer(id)?;
        if let Some(email) = &before.email {
            self.customers.ungroup(email, id);
        }
        let changed = self.customers.change(id, |customer| {
            texts.apply(customer);
            metadata.apply(&mut customer.metadata);
        });
        let customer = changed.unwrap_or(before);
        if let Some(email) = &customer.email {
            self.customers.group(email, id);
        }
        self.emit(EventType::from("customer.updated"), Snapshot::Customer(customer.clone()));
        self.object_reply(Snapshot::Customer(customer), &paths)
    }

    pub(super) fn customer_delete(
        &mut self,
        id: &str,
        fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        fields.finish(&[])?;
        // The event tells who it was.
        let last_seen = self.customer(id)?;
        self.customers.change(id, |customer| customer.deleted = true);
        self.emit(EventType::from("customer.deleted"), Snapshot::Customer(last_seen));
        Ok(deleted(id))
    }

    pub(super) fn customer_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let email = fields.text("email")?;
        let among = email.map_or(Among::All, Among::Group);
        let keep = |customer: &Arc<Customer>| !customer.deleted;
        self.list_reply("/v1/customers", &self.customers, among, fields, keep, |core, row| {
            core.customer_json(row)
        })
    }

    pub(super) fn customer(&self, id: &str) -> Result<Arc<Customer>, ApiError> {
        let missing = || ApiError::no_such("customer", id, "customer");
        let found = self.customers.get(id).filter(|customer| !customer.deleted);
        found.cloned().ok_or_else(missing)
    }

    /// The customer that another object names.
    pub(super) fn customer_param(&self, fields: &mut Fields<'_>) -> Result<Option<Id>, ApiError> {
        let Some(id) = fields.text("customer")? else { return Ok(None) };
        let missing = || ApiError::no_such_reference("customer", id, "customer");
        let found = self.customers.get(id).filter(|customer| !customer.deleted);
        Ok(Some(found.ok_or_else(missing)?.id.clone()))
    }
}

fn deleted(id: &str) -> Reply {
    json!({ "id": id, "object": "customer", "deleted": true }).into()
}
