//! The HTML of payer and office. Templates get words and amounts ready to show; whatever comes
//! from outside is escaped by askama, and the few places that insert HTML insert our own.

pub(crate) mod assets;
pub(crate) mod cash;
pub(crate) mod charges;
pub(crate) mod deliveries;
pub(crate) mod office;
pub(crate) mod payer;
pub(crate) mod refunds;
pub(crate) mod types;
mod words;

pub(crate) use words::{
    LineView, Moment, Sign, StateView, sentence_for_office, sentence_for_payer,
};

use askama::Template;

/// A page that says what went wrong and what to do.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage<'a> {
    pub(crate) heading: &'a str,
    pub(crate) what: &'a str,
    pub(crate) todo: &'a str,
    /// Where to go next, and the words of the button.
    pub(crate) next: Option<(&'static str, &'static str)>,
    pub(crate) request_id: &'a str,
}
