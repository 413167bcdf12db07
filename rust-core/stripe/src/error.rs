//! What a call can end in, besides success.
//!
//! The one distinction that money depends on: *refused* means that Stripe looked and nothing
//! happened; *unknown* means that it may have happened. [`CallError::Unknown`] is resolved by
//! sending the same frozen request again, or by looking the object up; never by guessing.

use holdfast_domain::DeclineReason;

use crate::answer::Answer;
use crate::objects::{ErrorBody, ErrorCode, ErrorObject, ErrorType};
use crate::path::NotAnId;

/// Stripe's error with the circumstances of its answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Stripe answered {http_status} {}: {} (request {})",
    .object.code.as_ref().map_or(.object.kind.as_str(), ErrorCode::as_str),
    .object.message.as_deref().unwrap_or("no message"),
    .request_id.as_deref().unwrap_or("unknown")
)]
pub struct StripeError {
    /// Type, code, decline code, parameter, message.
    pub object: ErrorObject,
    /// `req_…`, for Stripe's support and the Dashboard's log.
    pub request_id: Option<String>,
    /// HTTP status of the answer.
    pub http_status: u16,
    /// Whether Stripe replayed a stored answer.
    pub replayed: bool,
}

/// Why a call did not leave this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSentWhy {
    /// No connection could be made, in no attempt.
    #[error("no connection to Stripe; check network, name resolution and firewall")]
    NoConnection,
    /// An ID in the path is none.
    #[error(transparent)]
    Id(#[from] NotAnId),
    /// The request cannot be put in HTTP (a control character in a key, a broken path).
    #[error("the request is not valid HTTP; this is a fault of the program")]
    Malformed,
}

/// Why nobody knows whether a call had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWhy {
    /// The request left and no whole answer came.
    #[error("no answer came")]
    NoAnswer,
    /// Stripe failed. A replayed failure is final for this key: look the object up.
    #[error("Stripe failed with status {status}")]
    ServerError {
        /// HTTP status.
        status: u16,
        /// Whether it was the stored answer of an earlier failure.
        replayed: bool,
    },
    /// The same key is still being worked on.
    #[error("an earlier request with the same key is still in flight")]
    InFlight,
    /// A search was given up after very many pages.
    #[error("too many sessions in this window of time; search a shorter one")]
    WindowTooWide,
    /// The answer is not what Stripe sends: an object that does not parse, or a proxy's page.
    #[error("the answer with status {status} is not Stripe's")]
    Garbled {
        /// HTTP status.
        status: u16,
    },
}

/// What a call can end in, besides success. Closed: whoever handles it handles all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Stripe refused; nothing happened. The request itself must change.
    #[error(transparent)]
    Refused(Box<StripeError>),
    /// The card was declined; no money moved, another card may do.
    #[error("{error}")]
    CardDeclined {
        /// What Stripe said. Not for the payer's eyes.
        error: Box<StripeError>,
        /// What officer and payer may hear.
        reason: DeclineReason,
    },
    /// The key was used before with another body or path: a fault of the program that made them.
    #[error("{0}")]
    IdempotencyMismatch(Box<StripeError>),
    /// The API key is wrong, expired or revoked. Nothing happened in this call.
    #[error("{0}; enter the secret key again")]
    Unauthorized(Box<StripeError>),
    /// The restricted key lacks a permission, which the message names. Nothing happened.
    #[error("{0}; give the restricted key this permission at Stripe")]
    PermissionMissing(Box<StripeError>),
    /// Too many requests: Stripe refused this one, or so many wait for their turn here that it was
    /// not sent. Nothing happened in this call; try later.
    #[error("Stripe asks for fewer requests; try again later")]
    RateLimited {
        /// How long Stripe asks to wait, in seconds.
        retry_after_s: Option<u64>,
        /// `req_…`
        request_id: Option<String>,
    },
    /// Nothing left this machine in this call. What an earlier call with the same frozen request
    /// did is as unknown as before.
    #[error("{0}")]
    NotSent(NotSentWhy),
    /// It may have happened. Send the same frozen request again within its key's lifetime, or
    /// look the object up.
    #[error("{why}; the outcome is unknown until the object is looked up")]
    Unknown {
        /// What is known.
        why: UnknownWhy,
        /// `req_…`, if an answer named it.
        request_id: Option<String>,
    },
}

impl CallError {
    /// Whether this answer also settles earlier sends of the same frozen request whose outcome
    /// was unknown. Stripe checks key, permission and rate *before* idempotency, so those
    /// refusals say nothing about an earlier send; any other refusal does, while the key lives
    /// ([`crate::request::IDEMPOTENCY_KEY_LIFETIME_S`]).
    pub fn settles_earlier_sends(&self) -> bool {
        match self {
            Self::Refused(_) | Self::CardDeclined { .. } => true,
            Self::IdempotencyMismatch(_)
            | Self::Unauthorized(_)
            | Self::PermissionMissing(_)
            | Self::RateLimited { .. }
            | Self::NotSent(_)
            | Self::Unknown { .. } => false,
        }
    }

    /// Whether Stripe has no object with the ID that was asked for (in this mode and account).
    pub fn is_missing(&self) -> bool {
        matches!(self.stripe(), Some(error) if error.object.code == Some(ErrorCode::ResourceMissing))
    }

    /// Stripe's own error, where there is one.
    pub fn stripe(&self) -> Option<&StripeError> {
        match self {
            Self::Refused(error)
            | Self::CardDeclined { error, .. }
            | Self::IdempotencyMismatch(error)
            | Self::Unauthorized(error)
            | Self::PermissionMissing(error) => Some(error),
            Self::RateLimited { .. } | Self::NotSent(_) | Self::Unknown { .. } => None,
        }
    }

    /// `req_…`, where an answer named it.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::RateLimited { request_id, .. } | Self::Unknown { request_id, .. } => {
                request_id.as_deref()
            }
            other => other.stripe().and_then(|error| error.request_id.as_deref()),
        }
    }
}

/// What an answer that is no success means by itself.
pub(crate) fn from_answer(answer: &Answer) -> CallError {
    let status = answer.status;
    let unknown = |why| CallError::Unknown { why, request_id: answer.request_id.clone() };
    if status >= 500 {
        return unknown(UnknownWhy::ServerError { status, replayed: answer.replayed });
    }
    if status == 429 {
        return CallError::RateLimited {
            retry_after_s: answer.retry_after_s,
            request_id: answer.request_id.clone(),
        };
    }
    let Ok(ErrorBody { error: object }) = serde_json::from_slice(&answer.body) else {
        return unknown(UnknownWhy::Garbled { status });
    };
    if status == 409 {
        return unknown(UnknownWhy::InFlight);
    }
    if object.kind == ErrorType::ApiError {
        return unknown(UnknownWhy::ServerError { status, replayed: answer.replayed });
    }
    let error = Box::new(StripeError {
        object,
        request_id: answer.request_id.clone(),
        http_status: status,
        replayed: answer.replayed,
    });
    match (status, &error.object.kind) {
        (401, _) => CallError::Unauthorized(error),
        (403, _) => CallError::PermissionMissing(error),
        (_, ErrorType::IdempotencyError) => CallError::IdempotencyMismatch(error),
        (_, ErrorType::CardError) => CallError::CardDeclined { reason: reason_of(&error), error },
        _ => CallError::Refused(error),
    }
}

/// What the end of a call means when an earlier attempt of it may already have had its effect.
pub(crate) fn after_doubt(last: CallError, earlier: Option<UnknownWhy>) -> CallError {
    match (last, earlier) {
        (last, None) => last,
        (last @ CallError::Unknown { .. }, Some(_)) => last,
        (last, Some(_)) if last.settles_earlier_sends() => last,
        (last @ CallError::IdempotencyMismatch(_), Some(_)) => last,
        (last, Some(why)) => {
            CallError::Unknown { why, request_id: last.request_id().map(str::to_owned) }
        }
    }
}

fn reason_of(error: &StripeError) -> DeclineReason {
    DeclineReason::from_stripe(
        error.object.code.as_ref().map(ErrorCode::as_str),
        error.object.decline_code.as_deref(),
    )
}

#[cfg(test)]
mod tests;
