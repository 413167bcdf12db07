//! Checkout Sessions and their lines.

use holdfast_stripe::objects::SessionStatus;
use serde_json::{Value, json};

use super::{with, with_nulls};
use crate::core::Core;
use crate::core::error::ApiError;
use crate::core::model::{Line, Price, Product, Session};
use crate::core::notes::Notes;
use crate::core::shelf::Query;

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
            "customer": session.customer,
            "customer_details": customer_details(session),
            "customer_email": session.customer_email,
            "expires_at": session.expires_at,
            "livemode": self.config.live,
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

    /// A page of a session's lines, oldest first as Stripe lists them; without a query, the first.
    pub(in crate::core) fn lines_json(
        &self,
        session: &Session,
        query: Option<&Query>,
    ) -> Result<Value, ApiError> {
        let ids: Vec<String> =
            (0..session.lines.len()).map(|index| line_id(session, index, "li_")).collect();
        let page = match query {
            Some(query) => query.of(&ids)?,
            None => 0..ids.len(),
        };
        let has_more = page.end < ids.len();
        let lines = session.lines.iter().enumerate();
        let shown = lines.skip(page.start).take(page.len());
        let data: Vec<Value> =
            shown.map(|(index, line)| self.line_json(session, index, line)).collect();
        Ok(json!({
            "object": "list",
            "data": data,
            "has_more": has_more,
            "url": format!("/v1/checkout/sessions/{}/line_items", session.id),
        }))
    }

    fn line_json(&self, session: &Session, index: usize, line: &Line) -> Value {
        let price = line.price.as_deref().and_then(|price| self.prices.get(price));
        let price = match price {
            Some(price) => self.price_json(price),
            None => self.price_json(&price_of_line(session, index, line)),
        };
        json!({
            "id": line_id(session, index, "li_"),
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": line.amount,
            "amount_tax": 0,
            "amount_total": line.amount,
            "currency": session.currency,
            "description": line.name,
            "metadata": {},
            "price": price,
            "quantity": line.quantity,
        })
    }

    /// The product that Stripe makes of a line's `price_data`.
    pub(in crate::core) fn product_of_line_json(&self, id: &str) -> Option<Value> {
        let (index, letters) = id.strip_prefix("prod_")?.split_at_checked(2)?;
        let session = self.sessions.get(&format!("cs_test_{letters}"))?;
        let line = session.lines.get(index.parse::<usize>().ok()?)?;
        Some(self.product_json(&Product {
            id: id.into(),
            created: session.created,
            name: line.name.clone(),
            description: None,
            metadata: Notes::none(),
            active: false,
        }))
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

/// A line and what is made of it need no memory of their own: their IDs are the session's kin.
fn line_id(session: &Session, index: usize, prefix: &str) -> String {
    let letters = session.id.strip_prefix("cs_test_").unwrap_or(&session.id);
    format!("{prefix}{index:02}{letters}")
}

/// The one-off price that Stripe makes of `price_data`.
fn price_of_line(session: &Session, index: usize, line: &Line) -> Price {
    Price {
        id: line_id(session, index, "price_").into(),
        created: session.created,
        product: line_id(session, index, "prod_").into(),
        currency: session.currency.clone(),
        unit_amount: line.unit_amount,
        metadata: Notes::none(),
        active: false,
    }
}
