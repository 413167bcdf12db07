//! The office's pages.

use super::{Moment, StateView};
use askama::Template;
use holdfast_domain::Money;
use holdfast_ledger::DeviceStatus;

/// What stands above every page of the office.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    pub(crate) organisation: String,
    pub(crate) page: &'static str,
    pub(crate) csrf: String,
    /// True while some payment type is in test mode.
    pub(crate) is_test: bool,
}

/// Behind the one-time link: a button, because following a link must change nothing.
#[derive(Template)]
#[template(path = "office/sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) action: String,
    pub(crate) session_hours: i64,
}

/// The live list.
#[derive(Template)]
#[template(path = "office/payments.html")]
pub(crate) struct PaymentsPage {
    pub(crate) top: Top,
    /// [`PaymentRow`]s, rendered.
    pub(crate) rows: Vec<String>,
    pub(crate) rows_max: i64,
    /// The live stream goes on after this revision.
    pub(crate) revision: u64,
}

/// One payment in the list.
#[derive(Template)]
#[template(path = "office/payment_row.html")]
pub(crate) struct PaymentRow {
    pub(crate) payment: String,
    pub(crate) state: StateView,
    pub(crate) sentence: Option<&'static str>,
    pub(crate) amount: Money,
    pub(crate) receipt_order_id: Option<String>,
    pub(crate) paid_at: Option<Moment>,
    pub(crate) held_at: Moment,
    pub(crate) officer: String,
    pub(crate) is_test: bool,
}

/// Handhelds, and how to add one.
#[derive(Template)]
#[template(path = "office/handhelds.html")]
pub(crate) struct HandheldsPage {
    pub(crate) top: Top,
    pub(crate) officers: Vec<OfficerView>,
    pub(crate) handhelds: Vec<HandheldView>,
    pub(crate) new_code: Option<NewCodeView>,
}

/// An officer to choose.
#[derive(Debug, Clone)]
pub(crate) struct OfficerView {
    pub(crate) id: u32,
    pub(crate) name: String,
}

/// An enrolled handheld.
#[derive(Debug, Clone)]
pub(crate) struct HandheldView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) officer: String,
    pub(crate) six_digits: String,
    pub(crate) enrolled_at: Moment,
    pub(crate) status: DeviceStatus,
}

/// A code that was just made.
#[derive(Debug, Clone)]
pub(crate) struct NewCodeView {
    pub(crate) code: String,
    pub(crate) link: String,
    /// SVG of the link.
    pub(crate) qr: String,
    pub(crate) officer: String,
    pub(crate) minutes: u64,
}
