//! The Cash page.

use super::Moment;
use super::office::Top;
use askama::Template;
use holdfast_domain::Money;

/// Open shifts and those that were counted.
#[derive(Template)]
#[template(path = "office/cash.html")]
pub(crate) struct CashPage {
    pub(crate) top: Top,
    pub(crate) shifts: Vec<ShiftView>,
    pub(crate) closed: Vec<ClosedView>,
    pub(crate) refused: Vec<RefusedView>,
    pub(crate) error: Option<String>,
}

/// Cash that was taken and whose order was refused.
#[derive(Debug, Clone)]
pub(crate) struct RefusedView {
    pub(crate) payment: String,
    pub(crate) officer: String,
    pub(crate) handheld: String,
    pub(crate) provisional: String,
    pub(crate) amount: Money,
    pub(crate) is_test: bool,
    pub(crate) held_at: Moment,
    pub(crate) why: String,
    /// What was done, by whom and when; none while it waits.
    pub(crate) handled: Option<(String, String, Moment)>,
}

/// An open shift.
#[derive(Debug, Clone)]
pub(crate) struct ShiftView {
    pub(crate) officer_number: u32,
    pub(crate) device: String,
    pub(crate) mode: &'static str,
    pub(crate) is_test: bool,
    pub(crate) currency: String,
    pub(crate) officer: String,
    pub(crate) handheld: String,
    /// Those that count, and all with those that were voided.
    pub(crate) payments: usize,
    pub(crate) all: usize,
    pub(crate) voided: usize,
    pub(crate) total: Money,
    /// The newest first.
    pub(crate) taken: Vec<TakenView>,
}

/// A cash payment.
#[derive(Debug, Clone)]
pub(crate) struct TakenView {
    pub(crate) payment: String,
    pub(crate) provisional: String,
    pub(crate) receipt: String,
    pub(crate) amount: Money,
    pub(crate) at: Moment,
    pub(crate) is_voided: bool,
    pub(crate) attention: Option<&'static str>,
}

/// A shift that was counted.
#[derive(Debug, Clone)]
pub(crate) struct ClosedView {
    pub(crate) number: i64,
    pub(crate) officer: String,
    pub(crate) handheld: String,
    pub(crate) is_test: bool,
    pub(crate) payments: i64,
    pub(crate) expected: Money,
    pub(crate) counted: Money,
    pub(crate) difference: Option<Money>,
    pub(crate) closed_at: Moment,
    pub(crate) closed_by: String,
}
