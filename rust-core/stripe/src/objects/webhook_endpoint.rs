//! Where Stripe sends events.

use serde::{Deserialize, Serialize};

use super::{EventType, Metadata, null_as_default};
use crate::keys::WebhookSecret;
use crate::open_enum::open_enum;

open_enum! {
    /// Whether Stripe sends to it.
    pub enum EndpointStatus {
        Enabled = "enabled",
        Disabled = "disabled",
    }
}

/// A webhook endpoint, also called a destination.
#[derive(Debug, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// The version its events are rendered at; none means the account's.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Unix seconds.
    pub created: i64,
    /// The types it gets; `*` is all of them.
    #[serde(default)]
    pub enabled_events: Vec<EventType>,
    /// False for test events.
    pub livemode: bool,
    /// Our notes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// The signing secret: in the answer to its creation, and never again. Never written out.
    #[serde(default, skip_serializing)]
    pub secret: Option<WebhookSecret>,
    /// Whether Stripe sends to it.
    pub status: EndpointStatus,
    /// The address.
    pub url: String,
}

/// The answer to a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// What was deleted.
    pub id: String,
    /// Always true.
    pub deleted: bool,
}
