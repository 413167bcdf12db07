//! One HTTP answer, as far as it matters here.

use crate::retry::Attempt;

/// Status, the headers that count, and the whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Request-Id`.
    pub request_id: Option<String>,
    /// `Idempotent-Replayed: true`.
    pub replayed: bool,
    /// `Stripe-Should-Retry`, if there.
    pub should_retry: Option<bool>,
    /// `Retry-After` in seconds, if there.
    pub retry_after_s: Option<u64>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn facts(&self) -> Attempt {
        Attempt::Answered {
            status: self.status,
            replayed: self.replayed,
            should_retry: self.should_retry,
            retry_after_s: self.retry_after_s,
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
