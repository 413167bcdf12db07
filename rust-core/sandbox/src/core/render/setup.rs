//! Events, endpoints and the account.

use holdfast_stripe::API_VERSION;
use serde_json::{Value, json};

use super::with_nulls;
use crate::core::Core;
use crate::core::model::{Cause, Endpoint, Event};

impl Core {
    pub(in crate::core) fn event_json(&self, event: &Event) -> Value {
        json!({
            "id": event.id,
            "object": "event",
            "api_version": API_VERSION,
            "created": event.created,
            "data": { "object": self.snapshot_json(&event.subject) },
            "livemode": self.config.live,
            "pending_webhooks": event.pending_webhooks,
            "request": request_json(event.cause.as_deref()),
            "type": event.kind,
        })
    }

    pub(in crate::core) fn endpoint_json(&self, endpoint: &Endpoint) -> Value {
        json!({
            "id": endpoint.id,
            "object": "webhook_endpoint",
            "api_version": endpoint.api_version,
            "application": null,
            "created": endpoint.created,
            "description": endpoint.description,
            "enabled_events": *endpoint.enabled_events,
            "livemode": self.config.live,
            "metadata": *endpoint.metadata,
            "status": if endpoint.disabled { "disabled" } else { "enabled" },
            "url": endpoint.url,
        })
    }

    pub(in crate::core) fn account_json(&self) -> Value {
        let name = &self.config.business_name;
        let value = json!({
            "id": self.account,
            "object": "account",
            "business_profile": with_nulls(
                json!({ "mcc": null, "name": name }),
                &["product_description", "support_address", "support_email", "support_phone",
                  "support_url", "url"],
            ),
            "business_type": "company",
            "capabilities": { "card_payments": "active", "transfers": "active" },
            "charges_enabled": true,
            "country": "US",
            "created": self.opened,
            "default_currency": "usd",
            "details_submitted": true,
            "email": "sandbox@example.com",
            "metadata": {},
            "payouts_enabled": true,
            "settings": {
                "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
                "card_payments": {
                    "decline_on": { "avs_failure": false, "cvc_failure": true },
                    "statement_descriptor_prefix": null,
                },
                "dashboard": { "display_name": name, "timezone": "Etc/UTC" },
                "payments": { "statement_descriptor": "HOLDFAST SANDBOX" },
            },
            "type": "standard",
        });
        with_nulls(value, &["groups"])
    }
}

/// The payer on the page and the passing of time are no requests.
fn request_json(cause: Option<&Cause>) -> Value {
    json!({
        "id": cause.map(|cause| &cause.request),
        "idempotency_key": cause.and_then(|cause| cause.idempotency_key.as_ref()),
    })
}
