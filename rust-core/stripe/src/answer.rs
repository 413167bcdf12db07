//! One HTTP answer, as far as it matters here.

use crate::retry::Attempt;

/// Status, the headers that count, and the whole body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) replayed: bool,
    pub(crate) should_retry: Option<bool>,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) body: Vec<u8>,
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
