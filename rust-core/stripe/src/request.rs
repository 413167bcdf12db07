//! Requests that change something, frozen before they are sent.
//!
//! A [`FrozenRequest`] is what Stripe's idempotency rests on: path, body and key, byte for byte.
//! The gateway stores it before the first send and, when no answer came, sends the stored one
//! again; a body built anew (with a later `expires_at`, say) would be another request. Freezing is
//! pure: the same parameters make the same bytes, and what Stripe is known to refuse is refused
//! here, before anything is stored.

mod checkout;
mod intent;
mod refund;
mod webhook_endpoint;

pub use checkout::{
    CreateSession, SESSION_ID_PLACEHOLDER, SESSION_LIFETIME_S_MAX, SESSION_LIFETIME_S_MIN,
    SessionLine, expire_session,
};
pub use intent::{CreateIntent, cancel_intent};
pub use refund::{CreateRefund, RefundTarget};
pub use webhook_endpoint::CreateWebhookEndpoint;

use serde::{Deserialize, Serialize};

use crate::amount::AmountError;
use crate::form::Form;
use crate::objects::Metadata;
use crate::path::{self, NotAnId};

/// Stripe keeps at most this many notes on an object.
pub const METADATA_ENTRIES_MAX: usize = 50;
/// Longest name of a note, in characters.
pub const METADATA_KEY_LENGTH_MAX: usize = 40;
/// Longest value of a note, in characters.
pub const METADATA_VALUE_LENGTH_MAX: usize = 500;
/// Longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_LENGTH_MAX: usize = 255;
/// After this long, in seconds, Stripe may have forgotten a key, and a request with it would be a
/// new one: look the object up instead.
pub const IDEMPOTENCY_KEY_LIFETIME_S: i64 = 24 * 60 * 60;

/// A POST, complete and unchangeable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRequest {
    /// Such as `/v1/checkout/sessions`.
    pub path: String,
    /// Form-encoded.
    pub body: String,
    /// The key under which Stripe does this once.
    pub idempotency_key: String,
}

/// Why parameters make no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FreezeError {
    /// The amount cannot be charged.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// The idempotency key is empty, too long or holds control characters.
    #[error("an idempotency key has 1 to 255 visible ASCII characters")]
    IdempotencyKey,
    /// An ID is not of Stripe's form.
    #[error(transparent)]
    Id(#[from] NotAnId),
    /// A text is empty or too long for its field.
    #[error("{field} must have 1 to {length_max} characters")]
    Length {
        /// Which field.
        field: &'static str,
        /// How long it may be.
        length_max: usize,
    },
    /// A note's name has square brackets, which would become nesting.
    #[error("a name in {field} must not have square brackets")]
    Brackets {
        /// Which field.
        field: &'static str,
    },
    /// Too many entries, or none where some are needed.
    #[error("{field} must have {count_min} to {count_max} entries")]
    Count {
        /// Which field.
        field: &'static str,
        /// How few it may have.
        count_min: usize,
        /// How many it may have.
        count_max: usize,
    },
    /// The lines of one session are in more than one currency.
    #[error("all lines of a session must be in one currency")]
    Currencies,
}

impl FrozenRequest {
    fn new(path: String, form: &Form, idempotency_key: &str) -> Result<Self, FreezeError> {
        let visible = idempotency_key.bytes().all(|b| b.is_ascii_graphic());
        let length = idempotency_key.len();
        if length == 0 || length > IDEMPOTENCY_KEY_LENGTH_MAX || !visible {
            return Err(FreezeError::IdempotencyKey);
        }
        Ok(Self { path, body: form.encode(), idempotency_key: idempotency_key.to_owned() })
    }
}

fn checked_length<'a>(
    field: &'static str,
    text: &'a str,
    length_max: usize,
) -> Result<&'a str, FreezeError> {
    if text.is_empty() || text.chars().count() > length_max {
        return Err(FreezeError::Length { field, length_max });
    }
    Ok(text)
}

fn checked_metadata<'a>(
    field: &'static str,
    metadata: &'a Metadata,
) -> Result<&'a Metadata, FreezeError> {
    if metadata.len() > METADATA_ENTRIES_MAX {
        return Err(FreezeError::Count { field, count_min: 0, count_max: METADATA_ENTRIES_MAX });
    }
    for (key, value) in metadata {
        checked_length(field, key, METADATA_KEY_LENGTH_MAX)?;
        checked_length(field, value, METADATA_VALUE_LENGTH_MAX)?;
        if key.contains(['[', ']']) {
            return Err(FreezeError::Brackets { field });
        }
    }
    Ok(metadata)
}

fn action_path(collection: &str, id: &str, action: &str) -> Result<String, FreezeError> {
    Ok(format!("/v1/{collection}/{}/{action}", path::id_segment(id)?))
}

#[cfg(test)]
mod tests;
