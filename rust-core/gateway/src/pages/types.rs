//! The pages of payment types.

use super::office::Top;
use crate::connection::Step;
use crate::settings::{FieldError, KeysView};
use askama::Template;
use holdfast_domain::Money;

/// All payment types.
#[derive(Template)]
#[template(path = "office/types.html")]
pub(crate) struct TypesPage {
    pub(crate) top: Top,
    pub(crate) types: Vec<TypeRow>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct TypeRow {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) provider: &'static str,
    pub(crate) currency: String,
    pub(crate) users: String,
    pub(crate) is_test: bool,
    /// True if the keys of its mode are there.
    pub(crate) ready: bool,
}

/// A new payment type, or a known one with its keys.
#[derive(Template)]
#[template(path = "office/type.html")]
pub(crate) struct TypePage {
    pub(crate) top: Top,
    pub(crate) is_new: bool,
    /// Cash has no keys.
    pub(crate) is_cash: bool,
    /// With cash: true while it is only training.
    pub(crate) is_test: bool,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) currency: String,
    /// Name, words, chosen.
    pub(crate) user_types: Vec<(&'static str, &'static str, bool)>,
    pub(crate) errors: Vec<FieldError>,
    /// Test and live, side by side; none for a new type.
    pub(crate) sets: Vec<KeysPart>,
    pub(crate) events: Vec<String>,
    pub(crate) address: String,
    pub(crate) address_by_host: String,
}

/// Live Mode: the guide, the trial, and off.
#[derive(Template)]
#[template(path = "office/live_mode.html")]
pub(crate) struct LiveModePage {
    pub(crate) top: Top,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) is_live: bool,
    pub(crate) is_trial: bool,
    pub(crate) proofs: Vec<ProofView>,
    /// Number, name, named for the trial.
    pub(crate) officers: Vec<(u32, String, bool)>,
    pub(crate) most: Money,
    pub(crate) error: Option<String>,
}

/// One step of the guide.
#[derive(Debug, Clone)]
pub(crate) struct ProofView {
    pub(crate) words: &'static str,
    /// How it is done.
    pub(crate) how: &'static str,
    /// Where it is done: address and words.
    pub(crate) place: (String, &'static str),
    pub(crate) done: bool,
}

impl LiveModePage {
    fn missing(&self) -> usize {
        self.proofs.iter().filter(|it| !it.done).count()
    }
}

/// One set of keys, and what was just found out about it.
#[derive(Debug, Clone)]
pub(crate) struct KeysPart {
    pub(crate) mode: &'static str,
    pub(crate) in_force: bool,
    pub(crate) keys: Option<KeysView>,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) heading: &'static str,
    pub(crate) steps: Vec<Step>,
    /// Publishable Key and Webhook ID as they were typed, when something was refused.
    pub(crate) typed: [String; 2],
}

impl TypePage {
    fn error(&self, field: &str) -> Option<&str> {
        error(&self.errors, field)
    }
}

impl KeysPart {
    fn error(&self, field: &str) -> Option<&str> {
        error(&self.errors, field)
    }

    /// What is stored in a field, secrets masked; empty if nothing is.
    fn known(&self, field: &str) -> &str {
        let Some(keys) = &self.keys else { return "" };
        match field {
            "secret_key" => &keys.secret_key,
            "publishable_key" => &keys.publishable_key,
            "webhook_id" => &keys.webhook_id,
            "webhook_secret" => &keys.webhook_secret,
            "account" => &keys.account,
            _ => "",
        }
    }

    /// What was typed into a field that is no secret.
    fn typed(&self, field: &str) -> &str {
        let [publishable_key, webhook_id] = &self.typed;
        match field {
            "publishable_key" => publishable_key,
            "webhook_id" => webhook_id,
            _ => "",
        }
    }

    fn is_live(&self) -> bool {
        self.mode == "live"
    }
}

fn error<'e>(errors: &'e [FieldError], field: &str) -> Option<&'e str> {
    errors.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
}
