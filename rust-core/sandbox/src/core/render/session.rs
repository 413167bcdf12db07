//! Checkout Sessions and their lines.

use holdfast_stripe::objects::SessionStatus;
use serde_json::{Value, json};

use super::{with, with_nulls};
use crate::core::Core;
use crate::core::ids::kin;
use crate::core::model::{Line, Session};

/// Fields of features that the sandbox does not play.
const NULLS: &[&str] = &[
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer",
    "customer_account",
    "discounts",
    "integration_identifier",
    "invoice",
    "managed_payments",
    "optional_items",
    "origin_context",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "wallet_options",
];

impl Core {
    pub(in crate::core) fn session_json(&self, session: &Session) -> Value {
        let value = json!({
            "id": session.id,
            "object": "checkout.session",
            "amount_subtotal": session.amount_total,
            "amount_total": session.amount_total,
            "cancel_url": session.cancel_url,
            "client_reference_id": session.client_reference_id,
            "created": session.created,
            "currency": session.currency,
            "customer_details": customer_details(session),
            "customer_email": session.customer_email,
            "expires_at": session.expires_at,
            "livemode": false,
            "locale": session.locale,
            "metadata": *session.metadata,
            "mode": "payment",
            "payment_intent": session.intent,
            "payment_status": session.payment_status,
            "status": session.status,
            "submit_type": session.submit_type,
            "success_url": session.success_url,
            "url": self.page_address(session),
        });
        with_nulls(with(value, fixed()), NULLS)
    }

    /// Only an open session has a page.
    fn page_address(&self, session: &Session) -> Option<String> {
        (session.status == SessionStatus::Open)
            .then(|| format!("{}/c/pay/{}", self.config.public_url, session.id))
    }

    pub(in crate::core) fn lines_json(&self, session: &Session) -> Value {
        let lines: Vec<Value> = session.lines.iter().map(|line| line_json(session, line)).collect();
        json!({
            "object": "list",
            "data": lines,
            "has_more": false,
            "url": format!("/v1/checkout/sessions/{}/line_items", session.id),
        })
    }
}

/// What is the same for every session here.
fn fixed() -> Value {
    json!({
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "billing_address_collection": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null,
            "shipping_address": null,
            "submit": null,
            "terms_of_service_acceptance": null,
        },
        "customer_creation": "if_required",
        "invoice_creation": null,
        "payment_method_collection": "if_required",
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "phone_number_collection": { "enabled": false },
        "shipping_options": [],
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page",
    })
}

fn customer_details(session: &Session) -> Value {
    let Some(payer) = &session.payer else { return json!(null) };
    let value =
        json!({ "email": payer.email, "name": payer.name, "tax_exempt": "none", "tax_ids": [] });
    with_nulls(value, &["address", "business_name", "individual_name", "phone"])
}

fn line_json(session: &Session, line: &Line) -> Value {
    json!({
        "id": line.id,
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_subtotal": line.amount,
        "amount_tax": 0,
        "amount_total": line.amount,
        "currency": session.currency,
        "description": line.name,
        "metadata": {},
        "price": price_json(session, line),
        "quantity": line.quantity,
    })
}

/// The one-off price that Stripe makes of `price_data`.
fn price_json(session: &Session, line: &Line) -> Value {
    let value = json!({
        "id": kin(&line.id, "price_1"),
        "object": "price",
        "active": false,
        "billing_scheme": "per_unit",
        "created": session.created,
        "currency": session.currency,
        "livemode": false,
        "metadata": {},
        "product": kin(&line.id, "prod_"),
        "tax_behavior": "unspecified",
        "type": "one_time",
        "unit_amount": line.unit_amount,
        "unit_amount_decimal": line.unit_amount.to_string(),
    });
    with_nulls(
        value,
        &[
            "custom_unit_amount",
            "lookup_key",
            "nickname",
            "recurring",
            "tiers_mode",
            "transform_quantity",
        ],
    )
}
