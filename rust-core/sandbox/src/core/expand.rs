//! `expand[]`: IDs in an answer replaced by their objects.

use serde_json::{Map, Value};

use super::Core;
use super::error::ApiError;
use super::fields::Fields;

/// Stripe expands four levels.
const DEPTH_MAX: usize = 4;

/// Reads the `expand[]` parameter.
pub(super) fn read<'a>(fields: &mut Fields<'a>) -> Result<Vec<&'a str>, ApiError> {
    fields.texts("expand")
}

impl Core {
    pub(super) fn expand(&self, value: &mut Value, paths: &[&str]) -> Result<(), ApiError> {
        for path in paths {
            let steps: Vec<&str> = path.split('.').collect();
            let list_step = usize::from(steps.first() == Some(&"data"));
            if steps.len().saturating_sub(list_step) > DEPTH_MAX {
                let message =
                    format!("You cannot expand more than {DEPTH_MAX} levels of a property");
                return Err(ApiError::invalid(message).with_param("expand"));
            }
            self.expand_steps(value, &steps).map_err(|()| {
                let message = format!("This property cannot be expanded ({path}).");
                ApiError::invalid(message).with_param("expand")
            })?;
        }
        Ok(())
    }

    fn expand_steps(&self, value: &mut Value, steps: &[&str]) -> Result<(), ()> {
        let Some((first, rest)) = steps.split_first() else { return Ok(()) };
        let Value::Object(object) = value else { return Err(()) };
        if let ("data", Some(Value::Array(entries))) = (*first, object.get_mut("data")) {
            return entries.iter_mut().try_for_each(|entry| self.expand_steps(entry, rest));
        }
        if *first == "line_items" {
            self.insert_lines(object)?;
        }
        let field = object.get_mut(*first).ok_or(())?;
        if field.is_null() {
            return Ok(());
        }
        if let Value::String(id) = field {
            *field = self.object_json(id).ok_or(())?;
        }
        if let Value::Array(entries) = field {
            for entry in entries.iter_mut() {
                if let Value::String(id) = entry {
                    *entry = self.object_json(id).ok_or(())?;
                }
                self.expand_steps(entry, rest)?;
            }
            return Ok(());
        }
        if field.is_object() { self.expand_steps(field, rest) } else { Err(()) }
    }

    fn insert_lines(&self, object: &mut Map<String, Value>) -> Result<(), ()> {
        let id = object.get("id").and_then(Value::as_str).ok_or(())?;
        let session = self.sessions.get(id).ok_or(())?;
        let lines = self.lines_json(session, None).map_err(|_| ())?;
        object.insert("line_items".to_owned(), lines);
        Ok(())
    }

    /// The object with this ID, as it is now.
    pub(super) fn object_json(&self, id: &str) -> Option<Value> {
        let (prefix, _) = id.split_once('_')?;
        Some(match prefix {
            "cs" => self.session_json(self.sessions.get(id)?),
            "pi" => self.intent_json(self.intents.get(id)?),
            "ch" => self.charge_json(self.charges.get(id)?),
            "re" => self.refund_json(self.refunds.get(id)?),
            "du" => self.dispute_json(self.disputes.get(id)?),
            "txn" => self.entry_json(self.entries.get(id)?),
            "cus" => self.customer_json(self.customers.get(id)?),
            "pm" => self.method_json(&*self.method(id).ok()?),
            "price" => self.price_json(self.prices.get(id)?),
            "prod" => match self.products.get(id) {
                Some(product) => self.product_json(product),
                None => self.product_of_line_json(id)?,
            },
            _ => return None,
        })
    }
}
