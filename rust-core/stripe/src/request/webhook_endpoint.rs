//! Registering our address for webhooks.

use super::{FreezeError, FrozenRequest, checked_length, checked_metadata};
use crate::API_VERSION;
use crate::form::Form;
use crate::objects::{EventType, Metadata};

/// Stripe takes at most this many types for an endpoint.
const EVENT_TYPES_MAX: usize = 300;
/// Longest address, in characters.
const URL_LENGTH_MAX: usize = 5_000;

/// What is needed to register an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateWebhookEndpoint {
    /// Where events go.
    pub url: String,
    /// Which events.
    pub enabled_events: Vec<EventType>,
    /// Our notes.
    pub metadata: Metadata,
}

impl CreateWebhookEndpoint {
    /// Freezes the request under a key. The endpoint's events are rendered at our API version.
    pub fn freeze(&self, idempotency_key: &str) -> Result<FrozenRequest, FreezeError> {
        let count = self.enabled_events.len();
        if count == 0 || count > EVENT_TYPES_MAX {
            return Err(FreezeError::Count {
                field: "enabled_events",
                count_min: 1,
                count_max: EVENT_TYPES_MAX,
            });
        }
        let mut form = Form::default();
        form.set("url", checked_length("url", &self.url, URL_LENGTH_MAX)?)
            .set("api_version", API_VERSION);
        for (index, kind) in self.enabled_events.iter().enumerate() {
            form.set(&format!("enabled_events[{index}]"), kind);
        }
        form.set_map("metadata", checked_metadata("metadata", &self.metadata)?);
        FrozenRequest::new("/v1/webhook_endpoints".to_owned(), &form, idempotency_key)
    }
}
