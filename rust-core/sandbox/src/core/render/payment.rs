//! PaymentIntents, charges and refunds.

use holdfast_stripe::objects::{IntentStatus, RefundStatus};
use serde_json::{Value, json};

use super::method::{billing_details, card_json};
use super::{with, with_nulls};
use crate::core::Core;
use crate::core::calls::INSTRUCTIONS_LIFETIME_MS;
use crate::core::cards::Decline;
use crate::core::ids::{derived, kin};
use crate::core::model::{AutomaticMethods, Charge, Intent, LastError, Refund};

const INTENT_NULLS: &[&str] = &[
    "application",
    "application_fee_amount",
    "customer_account",
    "excluded_payment_method_types",
    "on_behalf_of",
    "payment_method_configuration_details",
    "processing",
    "review",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

const CHARGE_NULLS: &[&str] = &[
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "review",
    "shipping",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

impl Core {
    pub(in crate::core) fn intent_json(&self, intent: &Intent) -> Value {
        let held = intent.status == IntentStatus::RequiresCapture;
        let value = json!({
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount,
            "amount_capturable": if held { intent.amount } else { 0 },
            "amount_details": { "tip": {} },
            "amount_received": intent.amount_received,
            "automatic_payment_methods": automatic(intent.automatic),
            "canceled_at": intent.canceled.as_ref().map(|canceled| canceled.at),
            "cancellation_reason": intent.canceled.as_ref().map(|canceled| &canceled.reason),
            "capture_method": if intent.capture_by_hand { "manual" } else { "automatic_async" },
            "client_secret": self.client_secret(&intent.id),
            "confirmation_method": "automatic",
            "created": intent.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "description": intent.data.description,
            "last_payment_error": self.last_error_json(intent),
            "latest_charge": intent.charges.last(),
            "livemode": self.config.live,
            "metadata": *intent.data.metadata,
            "next_action": self.next_action(intent),
            "payment_method": self.method_of(intent),
            "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
            "payment_method_types": ["card"],
            "receipt_email": intent.data.receipt_email,
            "status": intent.status,
        });
        with_nulls(value, INTENT_NULLS)
    }

    /// What a browser shows to be let at the PaymentIntent.
    pub(in crate::core) fn client_secret(&self, intent: &str) -> String {
        format!("{intent}_secret_{}", derived(self.config.seed, intent, 25))
    }

    /// The payment method of the attempt that counts; a decline takes it off again.
    fn method_of(&self, intent: &Intent) -> Option<String> {
        let held = matches!(intent.status, IntentStatus::Succeeded | IntentStatus::RequiresCapture);
        let typed = intent.charges.last().filter(|_| held);
        let kept = intent.method.as_deref().map(str::to_owned);
        kept.or_else(|| typed.map(|charge| kin(charge, "pm_1")))
    }

    /// The way to the bank's question: an address when the caller gave a way back, else a frame
    /// that Stripe.js opens.
    fn next_action(&self, intent: &Intent) -> Value {
        let Some(pending) = &intent.pending else { return json!(null) };
        let secret = self.client_secret(&intent.id);
        let page = format!("{}/c/authenticate/{}?s={secret}", self.config.public_url, intent.id);
        match &pending.return_url {
            Some(return_url) => json!({
                "type": "redirect_to_url",
                "redirect_to_url": { "return_url": return_url, "url": page },
            }),
            None => json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": { "stripe_js": page, "type": "three_d_secure_redirect" },
            }),
        }
    }

    fn last_error_json(&self, intent: &Intent) -> Value {
        match intent.last_error.as_deref() {
            None => json!(null),
            Some(LastError::Declined(decline, charge)) => {
                let method =
                    self.charges.get(charge).map(|charge| self.method_of_charge_json(charge));
                let value = decline_json(decline);
                with(value, json!({ "charge": charge, "payment_method": method }))
            }
            Some(LastError::NotAuthenticated) => json!({
                "code": "payment_intent_authentication_failure",
                "doc_url": doc_url("payment_intent_authentication_failure"),
                "message": "The provided PaymentMethod has failed authentication. You can provide \
                    payment_method_data or a new PaymentMethod to attempt to fulfill this \
                    PaymentIntent again.",
                "type": "invalid_request_error",
            }),
        }
    }

    pub(in crate::core) fn charge_json(&self, charge: &Charge) -> Value {
        let paid = charge.decline.is_none();
        let card = &charge.presented;
        let address = format!("{}/receipts/{}", self.config.public_url, charge.id);
        let value = json!({
            "id": charge.id,
            "object": "charge",
            "amount": charge.amount,
            "amount_captured": charge.amount_captured,
            "amount_refunded": charge.amount_refunded,
            "balance_transaction": charge.captured.then(|| kin(&charge.id, "txn_3")),
            "billing_details": billing_details(&card.payer),
            "calculated_statement_descriptor": "HOLDFAST SANDBOX",
            "captured": charge.captured,
            "created": charge.created,
            "currency": charge.currency,
            "customer": charge.customer,
            "description": charge.data.description,
            "disputed": charge.dispute.is_some(),
            "dispute": charge.dispute,
            "failure_code": charge.decline.map(|decline| decline.code),
            "failure_message": charge.decline.map(|decline| decline.message),
            "fraud_details": {},
            "livemode": self.config.live,
            "metadata": *charge.data.metadata,
            "outcome": outcome(charge.decline),
            "paid": paid,
            "payment_intent": charge.intent,
            "payment_method": method_of_charge(charge),
            "payment_method_details": { "type": "card", "card": card_details(charge) },
            "radar_options": {},
            "receipt_email": charge.data.receipt_email,
            "receipt_url": paid.then_some(address),
            "refunded": charge.amount_refunded > 0 && charge.amount_refunded >= refundable(charge),
            "status": if paid { "succeeded" } else { "failed" },
        });
        with_nulls(value, CHARGE_NULLS)
    }

    pub(in crate::core) fn refund_json(&self, refund: &Refund) -> Value {
        let value = json!({
            "id": refund.id,
            "object": "refund",
            "amount": refund.amount,
            "balance_transaction": kin(&refund.id, "txn_3"),
            "charge": refund.charge,
            "created": refund.created,
            "currency": refund.currency,
            "destination_details": {
                "type": "card",
                "card": { "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" },
            },
            "metadata": *refund.metadata,
            "payment_intent": refund.intent,
            "reason": refund.reason,
            "status": refund.status,
        });
        let value = with_course(value, refund);
        with_nulls(
            value,
            &[
                "customer",
                "customer_account",
                "payment_method",
                "receipt_number",
                "source_transfer_reversal",
                "transfer_reversal",
            ],
        )
    }
}

/// What can go back of a charge.
fn refundable(charge: &Charge) -> i64 {
    if charge.captured { charge.amount_captured } else { charge.amount }
}

fn method_of_charge(charge: &Charge) -> String {
    let kept = charge.presented.method.as_deref().map(str::to_owned);
    kept.unwrap_or_else(|| kin(&charge.id, "pm_1"))
}

/// Fields that a refund has only in some states.
fn with_course(mut value: Value, refund: &Refund) -> Value {
    let Some(object) = value.as_object_mut() else { return value };
    let mut add = |name: &str, more: Value| object.insert(name.to_owned(), more);
    if let Some(reason) = refund.failure_reason {
        add("failure_reason", json!(reason));
    }
    if let Some(entry) = &refund.failure_entry {
        add("failure_balance_transaction", json!(entry));
    }
    if refund.status == RefundStatus::Pending {
        add("pending_reason", json!("processing"));
    }
    if let Some(address) = &refund.instructions_email {
        add("instructions_email", json!(address));
        if refund.status == RefundStatus::RequiresAction {
            add("next_action", ask_by_email(refund.created, address));
        }
    }
    value
}

fn ask_by_email(sent_at: i64, address: &str) -> Value {
    let lifetime_s = INSTRUCTIONS_LIFETIME_MS.div_euclid(1_000);
    json!({
        "type": "display_details",
        "display_details": {
            "email_sent": { "email_sent_at": sent_at, "email_sent_to": address },
            "expires_at": sent_at.saturating_add(lifetime_s),
        },
    })
}

fn automatic(methods: AutomaticMethods) -> Value {
    match methods {
        AutomaticMethods::Off => json!(null),
        AutomaticMethods::WithRedirects => json!({ "allow_redirects": "always", "enabled": true }),
        AutomaticMethods::WithoutRedirects => {
            json!({ "allow_redirects": "never", "enabled": true })
        }
    }
}

fn decline_json(decline: &Decline) -> Value {
    let mut value = json!({
        "advice_code": decline.advice_code,
        "code": decline.code,
        "doc_url": doc_url(decline.code),
        "message": decline.message,
        "type": "card_error",
    });
    if let Some(object) = value.as_object_mut() {
        let optional = [("decline_code", decline.decline_code), ("param", decline.param)];
        for (name, text) in optional {
            object.extend(text.map(|text| (name.to_owned(), json!(text))));
        }
    }
    value
}

fn doc_url(code: &str) -> String {
    format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))
}

fn outcome(decline: Option<&Decline>) -> Value {
    let Some(decline) = decline else {
        return json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "approved_by_network",
            "reason": null,
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "Payment complete.",
            "type": "authorized",
        });
    };
    json!({
        "advice_code": decline.advice_code,
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": "declined_by_network",
        "reason": decline.decline_code.unwrap_or(decline.code),
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank declined the payment.",
        "type": "issuer_declined",
    })
}

fn card_details(charge: &Charge) -> Value {
    let checked = match charge.decline {
        None => Some("pass"),
        Some(decline) if decline.param == Some("cvc") => Some("fail"),
        Some(_) => Some("unchecked"),
    };
    let approved = charge.decline.is_none();
    let value = json!({
        "amount_authorized": approved.then_some(charge.amount),
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": checked },
        "network": charge.presented.card.brand(),
    });
    let value = with(value, card_json(&charge.presented.card));
    with_nulls(
        value,
        &[
            "authorization_code",
            "installments",
            "mandate",
            "network_token",
            "network_transaction_id",
            "three_d_secure",
            "transaction_link_id",
            "wallet",
        ],
    )
}
