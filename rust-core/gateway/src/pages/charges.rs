//! The pages of charges.

use super::office::Top;
use super::{Moment, Sign};
use crate::settings::FieldError;
use askama::Template;
use holdfast_domain::{ChargeState, Money};

/// What is owed.
#[derive(Template)]
#[template(path = "office/charges.html")]
pub(crate) struct ChargesPage {
    pub(crate) top: Top,
    pub(crate) rows: Vec<ChargeRow>,
    pub(crate) find: String,
    pub(crate) states: Vec<StateChoice>,
    pub(crate) is_narrowed: bool,
    pub(crate) state: &'static str,
    pub(crate) previous: Option<u32>,
    pub(crate) next: Option<u32>,
}

/// A state that the list can be narrowed to.
#[derive(Debug, Clone)]
pub(crate) struct StateChoice {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    pub(crate) chosen: bool,
}

/// One charge in the list.
#[derive(Debug, Clone)]
pub(crate) struct ChargeRow {
    pub(crate) reference: String,
    pub(crate) plate: String,
    pub(crate) payer: String,
    pub(crate) what: String,
    pub(crate) amount: Money,
    pub(crate) due_on: String,
    pub(crate) state: ChargeStateView,
    /// The payment that holds it or settled it.
    pub(crate) payment: Option<String>,
    /// True if that was in test mode.
    pub(crate) is_test: bool,
    /// The payment whose refund made it owed again, and when.
    pub(crate) owed_again: Option<OwedAgain>,
    /// A bank took back the money that settled it, and nobody has said what becomes of it.
    pub(crate) is_lost: bool,
}

/// A charge's state: word, icon, tone.
#[derive(Debug, Clone)]
pub(crate) struct ChargeStateView {
    pub(crate) words: &'static str,
    pub(crate) sign: Sign,
    pub(crate) tone: &'static str,
    /// Leads to the payment that holds it, settled it, or gave its money back.
    pub(crate) link: &'static str,
}

impl From<ChargeState> for ChargeStateView {
    fn from(state: ChargeState) -> Self {
        let (sign, tone) = match state {
            ChargeState::Open => (Sign::Waiting, "plain"),
            ChargeState::BeingPaid => (Sign::Waiting, "plain"),
            ChargeState::Settled => (Sign::Done, "good"),
            ChargeState::Withdrawn => (Sign::Stopped, "plain"),
        };
        let is_withdrawn = state == ChargeState::Withdrawn;
        let link = if is_withdrawn { "(its payment)" } else { "by this payment" };
        Self { words: state.words(), sign, tone, link }
    }
}

/// The payment whose money is gone, so that a charge is owed again.
#[derive(Debug, Clone)]
pub(crate) struct OwedAgain {
    pub(crate) payment: String,
    pub(crate) at: Moment,
    /// In words.
    pub(crate) how: &'static str,
}

/// A new charge, or a known one.
#[derive(Template)]
#[template(path = "office/charge.html")]
pub(crate) struct ChargePage {
    pub(crate) top: Top,
    /// None for a new one.
    pub(crate) row: Option<ChargeRow>,
    /// Why it was withdrawn; empty while it is owed.
    pub(crate) withdrawn: String,
    /// When the charge that is shown was last changed.
    pub(crate) seen: i64,
    pub(crate) reference: String,
    pub(crate) plate: String,
    pub(crate) payer: String,
    pub(crate) parts: Vec<PartView>,
    pub(crate) currency: String,
    pub(crate) due_on: String,
    /// Name, words, chosen.
    pub(crate) user_types: Vec<(&'static str, &'static str, bool)>,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) saved: bool,
}

/// One part of what is owed, as it was typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartView {
    pub(crate) text: String,
    pub(crate) amount: String,
}

impl ChargePage {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(known, _)| *known == field).map(|(_, why)| why.as_str())
    }
}

/// Charges from a file.
#[derive(Template)]
#[template(path = "office/charges_import.html")]
pub(crate) struct ImportPage {
    pub(crate) top: Top,
    pub(crate) columns: String,
    /// What was refused, to be corrected.
    pub(crate) text: String,
    pub(crate) errors: Vec<String>,
    /// New and changed.
    pub(crate) done: Option<(usize, usize)>,
}

/// Programs that write charges.
#[derive(Template)]
#[template(path = "office/charges_api.html")]
pub(crate) struct CredentialsPage {
    pub(crate) top: Top,
    pub(crate) address: String,
    pub(crate) credentials: Vec<CredentialView>,
    /// Just made, and shown only now.
    pub(crate) made: Option<String>,
    pub(crate) error: Option<String>,
    /// The name that was refused.
    pub(crate) name: String,
}

/// A credential, without what is secret of it.
#[derive(Debug, Clone)]
pub(crate) struct CredentialView {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) ends_with: String,
    pub(crate) made_at: Moment,
    pub(crate) used_at: Option<Moment>,
}
