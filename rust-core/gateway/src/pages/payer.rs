//! The payer's pages.

use super::{LineView, Moment, StateView};
use askama::Template;
use holdfast_domain::Money;

/// What the payer can do on the page of an order.
#[derive(Debug, Clone)]
pub(crate) enum NextStep {
    /// Press *Pay*: a POST to this path.
    Pay { action: String },
    /// Go to the payment's own page.
    Follow { address: String },
    /// Nothing.
    None,
}

/// The pay address, before anything is paid.
#[derive(Template)]
#[template(path = "payer/order.html")]
pub(crate) struct OrderPage {
    pub(crate) organisation: String,
    pub(crate) host: String,
    pub(crate) is_test: bool,
    pub(crate) lines: Vec<LineView>,
    pub(crate) total: Money,
    pub(crate) state: StateView,
    pub(crate) sentence: Option<&'static str>,
    pub(crate) next: NextStep,
}

/// The page that follows one payment.
#[derive(Template)]
#[template(path = "payer/payment.html")]
pub(crate) struct PaymentPage {
    pub(crate) organisation: String,
    pub(crate) host: String,
    pub(crate) is_test: bool,
    pub(crate) lines: Vec<LineView>,
    /// [`StandingPart`], rendered.
    pub(crate) standing: String,
    /// Of the standing; the live stream goes on after it.
    pub(crate) revision: u64,
    /// Address of the live stream.
    pub(crate) live: String,
    /// Address of this page.
    pub(crate) refresh: String,
}

/// The part of [`PaymentPage`] that changes; also sent over the live stream.
#[derive(Template)]
#[template(path = "payer/standing.html")]
pub(crate) struct StandingPart {
    pub(crate) state: StateView,
    pub(crate) amount: Money,
    pub(crate) sentence: Option<&'static str>,
    pub(crate) receipt: Option<ReceiptView>,
    /// Where *Pay* goes while it can still be paid.
    pub(crate) pay_again: Option<String>,
}

/// What proves that a payment was made.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptView {
    pub(crate) receipt_order_id: String,
    pub(crate) confirm_code: Option<String>,
    /// The signed receipt: as a picture for a handheld to scan, and as an address.
    pub(crate) signed: Option<SignedView>,
    pub(crate) paid_at: Moment,
}

/// A signed receipt.
#[derive(Debug, Clone)]
pub(crate) struct SignedView {
    /// Where the picture is.
    pub(crate) picture: String,
    /// What the picture says.
    pub(crate) address: String,
}
