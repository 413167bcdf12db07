//! The page of deliveries.

use super::office::Top;
use super::{Moment, StateView};
use crate::connection::Step;
use crate::deliveries::trouble::{Trouble, Weight};
use askama::Template;

/// Deliveries, what is wrong, signing secrets, and how to try an endpoint.
#[derive(Template)]
#[template(path = "office/deliveries.html")]
pub(crate) struct DeliveriesPage {
    pub(crate) top: Top,
    /// [`TroublePart`], rendered.
    pub(crate) trouble: String,
    /// What an act on this page just told.
    pub(crate) steps: Vec<Step>,
    /// [`DeliveryRow`]s, rendered.
    pub(crate) rows: Vec<String>,
    pub(crate) rows_max: i64,
    /// The live stream goes on after this number.
    pub(crate) newest: i64,
    pub(crate) repaired: Vec<RepairedRow>,
    pub(crate) secrets: Vec<SecretRow>,
    /// What Stripe has on its books; none if nobody has asked yet.
    pub(crate) books: Option<BooksView>,
    pub(crate) trial: TrialView,
    pub(crate) senders: FieldView,
    /// Typed into the field for an event's ID.
    pub(crate) replay: FieldView,
}

/// The ready commands, and the field for the CLI's secret.
#[derive(Debug, Clone)]
pub(crate) struct TrialView {
    pub(crate) address: String,
    /// With commas between.
    pub(crate) events: String,
    /// Where the sandbox is, if the test keys go to one.
    pub(crate) sandbox: Option<String>,
    pub(crate) secret_error: Option<String>,
}

/// A field with what was typed and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldView {
    pub(crate) typed: String,
    pub(crate) error: Option<String>,
}

/// What Stripe said about our webhooks.
#[derive(Debug, Clone)]
pub(crate) struct BooksView {
    pub(crate) asked: Moment,
    pub(crate) steps: Vec<Step>,
}

/// The part that says what is wrong; also sent over the live stream.
#[derive(Template)]
#[template(path = "office/trouble.html")]
pub(crate) struct TroublePart {
    pub(crate) all: Vec<Trouble>,
}

impl TroublePart {
    fn is_quiet(&self) -> bool {
        self.all.iter().all(|it| it.weight != Weight::Trouble)
    }
}

impl Trouble {
    fn is_bad(&self) -> bool {
        self.weight == Weight::Trouble
    }
}

/// One delivery, on the page and in its live stream.
#[derive(Template)]
#[template(path = "office/delivery_row.html")]
pub(crate) struct DeliveryRow {
    pub(crate) number: i64,
    pub(crate) at: Moment,
    pub(crate) address: String,
    pub(crate) endpoint: String,
    pub(crate) is_test: bool,
    pub(crate) kind: String,
    pub(crate) event: String,
    pub(crate) payment: String,
    pub(crate) outcome: &'static str,
    pub(crate) result: &'static str,
    pub(crate) good: bool,
    pub(crate) answer: Option<u16>,
    pub(crate) reason: String,
    pub(crate) sender: String,
}

/// A payment that went on without a webhook.
#[derive(Debug, Clone)]
pub(crate) struct RepairedRow {
    pub(crate) payment: String,
    pub(crate) at: Moment,
    pub(crate) state: StateView,
    pub(crate) how: &'static str,
    pub(crate) why: String,
}

/// A signing secret, masked.
#[derive(Debug, Clone)]
pub(crate) struct SecretRow {
    pub(crate) mode: &'static str,
    pub(crate) number: i64,
    pub(crate) account: String,
    pub(crate) endpoint: String,
    pub(crate) masked: String,
    pub(crate) added: Moment,
    pub(crate) last_used: Option<Moment>,
    pub(crate) advice: String,
    /// Until when the advice holds.
    pub(crate) until: Option<Moment>,
    /// True if nothing needs it any more.
    pub(crate) may_go: bool,
}
