//! One attempt to move money off a card, and what Stripe keeps of it.

use serde::{Deserialize, Serialize};

use super::{AdviceCode, Dispute, Expandable, Metadata, PaymentIntent, null_as_default};
use crate::open_enum::open_enum;

open_enum! {
    /// How a charge ended.
    pub enum ChargeStatus {
        Succeeded = "succeeded",
        Pending = "pending",
        Failed = "failed",
    }
}

/// A charge. A PaymentIntent has one for each attempt; its latest is the one that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// `ch_…` or `py_…`
    pub id: String,
    /// What was asked for, in Stripe's units.
    pub amount: i64,
    /// What was taken, in Stripe's units.
    #[serde(default)]
    pub amount_captured: i64,
    /// What went back so far, in Stripe's units.
    #[serde(default)]
    pub amount_refunded: i64,
    /// The entry in Stripe's books; there once the money has moved.
    #[serde(default)]
    pub balance_transaction: Option<Expandable<BalanceTransaction>>,
    /// Who paid, as typed on the card form.
    #[serde(default)]
    pub billing_details: Option<BillingDetails>,
    /// Whether the money was taken, not only reserved.
    #[serde(default)]
    pub captured: bool,
    /// Unix seconds.
    pub created: i64,
    /// Three letters, lower case.
    pub currency: String,
    /// Whether the payer has disputed it.
    #[serde(default)]
    pub disputed: bool,
    /// The dispute, when a version of the API names it here.
    #[serde(default)]
    pub dispute: Option<Expandable<Dispute>>,
    /// Why it failed.
    #[serde(default)]
    pub failure_code: Option<String>,
    /// Why it failed, in Stripe's words.
    #[serde(default)]
    pub failure_message: Option<String>,
    /// False for test money.
    pub livemode: bool,
    /// Copied from the PaymentIntent.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// What bank and Stripe thought of it.
    #[serde(default)]
    pub outcome: Option<ChargeOutcome>,
    /// Whether it succeeded, or was authorised.
    #[serde(default)]
    pub paid: bool,
    /// The PaymentIntent it belongs to.
    #[serde(default)]
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    /// The card.
    #[serde(default)]
    pub payment_method_details: Option<PaymentMethodDetails>,
    /// Stripe's receipt for the payer.
    #[serde(default)]
    pub receipt_url: Option<String>,
    /// Whether all of it went back.
    #[serde(default)]
    pub refunded: bool,
    /// How it ended.
    pub status: ChargeStatus,
}

impl Charge {
    /// The card it was made with, if it was a card.
    pub fn card(&self) -> Option<&CardDetails> {
        self.payment_method_details.as_ref().and_then(|details| details.card.as_ref())
    }
}

/// An entry in Stripe's books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceTransaction {
    /// `txn_…`
    pub id: String,
    /// Gross, in Stripe's units of the settlement currency.
    pub amount: i64,
    /// Lower-case settlement currency.
    pub currency: String,
    /// Stripe's fee.
    pub fee: i64,
    /// Gross less fee.
    pub net: i64,
}

/// Who paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingDetails {
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Name on the card.
    #[serde(default)]
    pub name: Option<String>,
}

/// What bank and Stripe thought of a charge. For finance; never for the payer's eyes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeOutcome {
    /// What to do about a decline.
    #[serde(default)]
    pub advice_code: Option<AdviceCode>,
    /// Such as `approved_by_network` or `declined_by_network`.
    #[serde(default)]
    pub network_status: Option<String>,
    /// The bank's reason, such as `insufficient_funds`.
    #[serde(default)]
    pub reason: Option<String>,
    /// A sentence for the seller.
    #[serde(default)]
    pub seller_message: Option<String>,
    /// Such as `authorized` or `issuer_declined`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
}

/// What a charge was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethodDetails {
    /// Such as `card`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// There when `kind` is `card`.
    #[serde(default)]
    pub card: Option<CardDetails>,
}

/// What may be known of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDetails {
    /// Such as `visa`.
    #[serde(default)]
    pub brand: Option<String>,
    /// Issuing country, two letters.
    #[serde(default)]
    pub country: Option<String>,
    /// 1 to 12.
    #[serde(default)]
    pub exp_month: Option<u32>,
    /// Four digits.
    #[serde(default)]
    pub exp_year: Option<u32>,
    /// `credit`, `debit`, `prepaid` or `unknown`.
    #[serde(default)]
    pub funding: Option<String>,
    /// The last four digits.
    #[serde(default)]
    pub last4: Option<String>,
}
