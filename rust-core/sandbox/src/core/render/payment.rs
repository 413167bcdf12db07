//! PaymentIntents, charges and refunds.

use holdfast_stripe::objects::IntentStatus;
use serde_json::{Value, json};

use super::{with, with_nulls};
use crate::core::Core;
use crate::core::cards::{CardFacts, Decline};
use crate::core::ids::kin;
use crate::core::model::{Charge, Intent, LastError, Payer, Refund};

const INTENT_NULLS: &[&str] = &[
    "application",
    "application_fee_amount",
    "customer",
    "customer_account",
    "excluded_payment_method_types",
    "on_behalf_of",
    "payment_method_configuration_details",
    "processing",
    "receipt_email",
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
    "customer",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_email",
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
        let succeeded = intent.status == IntentStatus::Succeeded;
        let value = json!({
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": if succeeded { intent.amount } else { 0 },
            "automatic_payment_methods": null,
            "canceled_at": intent.canceled_at,
            "cancellation_reason": intent.cancellation_reason,
            "capture_method": "automatic_async",
            "client_secret": format!("{}_secret_{}", intent.id, kin(&intent.id, "")),
            "confirmation_method": "automatic",
            "created": intent.created,
            "currency": intent.currency,
            "description": intent.data.description,
            "last_payment_error": self.last_error_json(intent),
            "latest_charge": intent.charges.last(),
            "livemode": false,
            "metadata": *intent.data.metadata,
            "next_action": next_action(intent),
            "payment_method": self.method_of(intent),
            "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
            "payment_method_types": ["card"],
            "status": intent.status,
        });
        with_nulls(value, INTENT_NULLS)
    }

    /// The payment method of the attempt that counts; a decline takes it off again.
    fn method_of(&self, intent: &Intent) -> Option<String> {
        let succeeded = intent.status == IntentStatus::Succeeded;
        let charge = intent.charges.last().filter(|_| succeeded)?;
        Some(kin(charge, "pm_1"))
    }

    fn last_error_json(&self, intent: &Intent) -> Value {
        match &intent.last_error {
            None => json!(null),
            Some(LastError::Declined(decline, charge)) => {
                let method = self.charges.get(charge).map(|charge| method_json(charge));
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
        let address = format!("{}/receipts/{}", self.config.public_url, charge.id);
        let value = json!({
            "id": charge.id,
            "object": "charge",
            "amount": charge.amount,
            "amount_captured": if paid { charge.amount } else { 0 },
            "amount_refunded": charge.amount_refunded,
            "balance_transaction": paid.then(|| kin(&charge.id, "txn_3")),
            "billing_details": billing_details(&charge.payer),
            "calculated_statement_descriptor": "HOLDFAST SANDBOX",
            "captured": paid,
            "created": charge.created,
            "currency": charge.currency,
            "description": charge.data.description,
            "disputed": false,
            "failure_code": charge.decline.map(|decline| decline.code),
            "failure_message": charge.decline.map(|decline| decline.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": *charge.data.metadata,
            "outcome": outcome(charge.decline),
            "paid": paid,
            "payment_intent": charge.intent,
            "payment_method": kin(&charge.id, "pm_1"),
            "payment_method_details": { "type": "card", "card": card_details(charge) },
            "radar_options": {},
            "receipt_url": paid.then_some(address),
            "refunded": charge.amount_refunded == charge.amount,
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

fn next_action(intent: &Intent) -> Value {
    match intent.status {
        IntentStatus::RequiresAction => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": { "type": "three_d_secure_redirect" },
        }),
        _ => json!(null),
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

fn billing_details(payer: &Payer) -> Value {
    json!({
        "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
        "email": payer.email,
        "name": payer.name,
        "phone": null,
        "tax_id": null,
    })
}

fn card_details(charge: &Charge) -> Value {
    let checked = match charge.decline {
        None => Some("pass"),
        Some(decline) if decline.param == Some("cvc") => Some("fail"),
        Some(_) => Some("unchecked"),
    };
    let captured = charge.decline.is_none();
    let value = json!({
        "amount_authorized": captured.then_some(charge.amount),
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": checked },
        "network": charge.card.brand,
    });
    let value = with(value, card_json(&charge.card));
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

fn card_json(card: &CardFacts) -> Value {
    json!({
        "brand": card.brand,
        "country": "US",
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": null,
        "funding": card.funding,
        "last4": card.last4,
        "regulated_status": "unregulated",
    })
}

/// The payment method that a declined attempt leaves in `last_payment_error`.
fn method_json(charge: &Charge) -> Value {
    json!({
        "id": kin(&charge.id, "pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(&charge.payer),
        "card": card_json(&charge.card),
        "created": charge.created,
        "customer": null,
        "livemode": false,
        "metadata": {},
        "type": "card",
    })
}
