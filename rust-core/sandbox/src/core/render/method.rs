//! Payment methods and customers.

use serde_json::{Value, json};

use super::{with, with_nulls};
use crate::core::Core;
use crate::core::cards::CardFacts;
use crate::core::ids::kin;
use crate::core::model::{Charge, Customer, Method, Payer};
use crate::core::notes::Notes;

impl Core {
    pub(in crate::core) fn method_json(&self, method: &Method) -> Value {
        let card = with_nulls(
            with(
                card_json(&method.card),
                json!({
                    "checks": {
                        "address_line1_check": null,
                        "address_postal_code_check": null,
                        "cvc_check": "pass",
                    },
                    "display_brand": method.card.brand(),
                    "networks": { "available": [method.card.brand()], "preferred": null },
                    "three_d_secure_usage": { "supported": true },
                }),
            ),
            &["generated_from", "wallet"],
        );
        json!({
            "id": method.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(&method.payer),
            "card": card,
            "created": method.created,
            "customer": method.customer,
            "customer_account": null,
            "livemode": self.config.live,
            "metadata": *method.metadata,
            "type": "card",
        })
    }

    /// The payment method of an attempt, as the attempt leaves it behind.
    pub(super) fn method_of_charge_json(&self, charge: &Charge) -> Value {
        let kept = charge.presented.method.as_deref().and_then(|id| self.methods.get(id));
        if let Some(method) = kept {
            return self.method_json(method);
        }
        self.method_json(&Method {
            id: kin(&charge.id, "pm_1").into(),
            created: charge.created,
            card: charge.presented.card,
            payer: charge.presented.payer.clone(),
            customer: None,
            metadata: Notes::none(),
        })
    }

    pub(in crate::core) fn customer_json(&self, customer: &Customer) -> Value {
        if customer.deleted {
            return json!({ "id": customer.id, "object": "customer", "deleted": true });
        }
        let prefix: String = customer.id.chars().rev().take(8).collect();
        let value = json!({
            "id": customer.id,
            "object": "customer",
            "balance": 0,
            "created": customer.created,
            "delinquent": false,
            "description": customer.description,
            "email": customer.email,
            "invoice_prefix": prefix.to_ascii_uppercase(),
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": null,
                "footer": null,
                "rendering_options": null,
            },
            "livemode": self.config.live,
            "metadata": *customer.metadata,
            "name": customer.name,
            "next_invoice_sequence": 1,
            "phone": customer.phone,
            "preferred_locales": [],
            "tax_exempt": "none",
        });
        with_nulls(
            value,
            &[
                "address",
                "currency",
                "customer_account",
                "default_source",
                "discount",
                "shipping",
                "test_clock",
            ],
        )
    }
}

pub(super) fn billing_details(payer: &Payer) -> Value {
    json!({
        "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
        "email": payer.email,
        "name": payer.name,
        "phone": null,
        "tax_id": null,
    })
}

pub(super) fn card_json(card: &CardFacts) -> Value {
    json!({
        "brand": card.brand(),
        "country": "US",
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.fingerprint(),
        "funding": card.funding(),
        "last4": card.last4(),
        "regulated_status": "unregulated",
    })
}
