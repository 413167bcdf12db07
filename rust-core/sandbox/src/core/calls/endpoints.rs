//! Webhook endpoints. The signing secret is in the answer to the creation, and never again.

use std::sync::Arc;

use holdfast_stripe::WebhookSecret;
use holdfast_stripe::objects::{ErrorCode, EventType};
use serde_json::json;

use super::super::Core;
use super::super::error::ApiError;
use super::super::fields::Fields;
use super::super::model::Endpoint;
use super::super::reply::Reply;
use super::super::shelf::Among;

/// Stripe's most endpoints of one account.
const ENDPOINTS_MAX: usize = 16;

impl Core {
    pub(super) fn endpoint_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let url = fields.url("url")?.ok_or_else(|| ApiError::missing_param("url"))?;
        let events = fields.texts("enabled_events")?;
        if events.is_empty() {
            return Err(ApiError::missing_param("enabled_events"));
        }
        let metadata = fields.metadata("metadata")?;
        let api_version = fields.text_up_to("api_version", 40)?.map(Arc::from);
        let description = fields.text_up_to("description", 5_000)?.map(Arc::from);
        fields.finish(&["connect", "expand"])?;
        if self.endpoints.iter().filter(|endpoint| !endpoint.deleted).count() >= ENDPOINTS_MAX {
            let message = format!("You can have up to {ENDPOINTS_MAX} webhook endpoints.");
            return Err(ApiError::invalid(message).executed());
        }
        let secret = self.ids.text("whsec_", 32);
        let parsed = WebhookSecret::parse(&secret)
            .map_err(|_| ApiError::invalid("The sandbox could not make a signing secret."))?;
        let endpoint = self.endpoints.insert(Endpoint {
            id: self.ids.object("we_1"),
            created: self.now_s(),
            url: url.into(),
            secret: parsed,
            old_secret: None,
            description,
            disabled: false,
            enabled_events: events.into_iter().map(EventType::from).collect(),
            metadata,
            api_version,
            configured: false,
            deleted: false,
        });
        let mut value = self.endpoint_json(&endpoint);
        if let Some(object) = value.as_object_mut() {
            object.insert("secret".to_owned(), json!(secret));
        }
        Ok(value.into())
    }

    pub(super) fn endpoint_get(&self, id: &str, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["expand"])?;
        Ok(self.endpoint_json(&*self.endpoint(id)?).into())
    }

    pub(super) fn endpoint_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let url = fields.url("url")?.map(Arc::from);
        let events = fields.texts("enabled_events")?;
        let disabled = fields.boolean("disabled")?;
        let description = fields.text_or_unset("description", 5_000)?;
        let metadata = fields.metadata_changes("metadata")?;
        fields.finish(&["expand"])?;
        let endpoint = self.endpoint(id)?;
        let changed = self.endpoints.change(id, |endpoint| {
            endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
            if !events.is_empty() {
                endpoint.enabled_events = events.into_iter().map(EventType::from).collect();
            }
            endpoint.disabled = disabled.unwrap_or(endpoint.disabled);
            if let Some(text) = description {
                endpoint.description = text.map(Into::into);
            }
            metadata.apply(&mut endpoint.metadata);
        });
        Ok(self.endpoint_json(&changed.unwrap_or(endpoint)).into())
    }

    pub(super) fn endpoint_delete(
        &mut self,
        id: &str,
        fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        fields.finish(&[])?;
        self.endpoint(id)?;
        self.endpoints.change(id, |endpoint| endpoint.deleted = true);
        Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }).into())
    }

    pub(super) fn endpoint_list(&self, fields: Fields<'_>) -> Result<Reply, ApiError> {
        let keep = |endpoint: &Arc<Endpoint>| !endpoint.deleted;
        self.list_reply(
            "/v1/webhook_endpoints",
            &self.endpoints,
            Among::All,
            fields,
            keep,
            |core, row| core.endpoint_json(row),
        )
    }

    pub(in super::super) fn endpoint(&self, id: &str) -> Result<Arc<Endpoint>, ApiError> {
        let missing = || ApiError::no_such("webhook endpoint", id, "webhook_endpoint");
        let found = self.endpoints.get(id).filter(|endpoint| !endpoint.deleted);
        found
            .cloned()
            .ok_or_else(missing)
            .map_err(|error| error.with_code(ErrorCode::ResourceMissing))
    }
}
