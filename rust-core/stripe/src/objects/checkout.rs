//! Checkout Sessions: one visit to Stripe's hosted card page.

use serde::{Deserialize, Serialize};

use super::{Expandable, List, Metadata, PaymentIntent, null_as_default};
use crate::open_enum::open_enum;

open_enum! {
    /// Where a session stands. Complete and expired are final.
    pub enum SessionStatus {
        Open = "open",
        Complete = "complete",
        Expired = "expired",
    }
}

open_enum! {
    /// Whether the money came. A complete session can still be unpaid (delayed methods).
    pub enum SessionPaymentStatus {
        Paid = "paid",
        Unpaid = "unpaid",
        NoPaymentRequired = "no_payment_required",
    }
}

open_enum! {
    /// What a session is for.
    pub enum SessionMode {
        Payment = "payment",
        Setup = "setup",
        Subscription = "subscription",
    }
}

/// A Checkout Session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutSession {
    /// `cs_test_…` or `cs_live_…`
    pub id: String,
    /// Before taxes and discounts, in Stripe's units.
    #[serde(default)]
    pub amount_subtotal: Option<i64>,
    /// What the payer pays, in Stripe's units.
    #[serde(default)]
    pub amount_total: Option<i64>,
    /// Where the page's back link leads.
    #[serde(default)]
    pub cancel_url: Option<String>,
    /// Our own reference; a list cannot be filtered by it.
    #[serde(default)]
    pub client_reference_id: Option<String>,
    /// Unix seconds.
    pub created: i64,
    /// Three letters, lower case.
    #[serde(default)]
    pub currency: Option<String>,
    /// What the payer typed.
    #[serde(default)]
    pub customer_details: Option<CustomerDetails>,
    /// Unix seconds.
    pub expires_at: i64,
    /// What is paid for; only there when expanded.
    #[serde(default)]
    pub line_items: Option<List<LineItem>>,
    /// False for test money.
    pub livemode: bool,
    /// Our notes on the session (the PaymentIntent has its own).
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// What it is for.
    pub mode: SessionMode,
    /// Made when the payer first confirms; absent before.
    #[serde(default)]
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    /// Whether the money came.
    pub payment_status: SessionPaymentStatus,
    /// Where it stands.
    #[serde(default)]
    pub status: Option<SessionStatus>,
    /// Where a paid session leads.
    #[serde(default)]
    pub success_url: Option<String>,
    /// The page's address; only while open.
    #[serde(default)]
    pub url: Option<String>,
}

/// What the payer typed on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerDetails {
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
}

/// One line of what is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// `li_…`
    pub id: String,
    /// After taxes and discounts, in Stripe's units.
    pub amount_total: i64,
    /// Lower case.
    pub currency: String,
    /// The product's name.
    #[serde(default)]
    pub description: Option<String>,
    /// How many.
    #[serde(default)]
    pub quantity: Option<u64>,
}
