//! One logical call, apart from the network: after each attempt it says whether to make another, and
//! at last what the call ended in. [`crate::Client`] runs it over HTTP, a simulation over its own
//! network.

use std::time::Duration;

use serde::de::DeserializeOwned;

pub use crate::answer::Answer;
use crate::error::{self, CallError, NotSentWhy, UnknownWhy};
use crate::retry::{self, Attempt, Decision, RetryPolicy};

/// What an attempt came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// No connection was made.
    NotSent,
    /// The request could not even be written down as HTTP.
    Malformed,
    /// It left, and no whole answer came.
    NoAnswer,
    /// A whole answer.
    Answered(Answer),
}

/// What follows an attempt.
#[derive(Clone, Debug)]
pub enum Next<T> {
    /// The same bytes again, after this wait.
    Again(Duration),
    /// This is what the call ended in.
    End(Result<T, CallError>),
}

/// The attempts of one call so far.
#[derive(Clone, Debug)]
pub struct Exchange {
    policy: RetryPolicy,
    has_effect: bool,
    attempts: u32,
    doubt: Option<UnknownWhy>,
}

impl Exchange {
    /// A call that was not tried yet; `has_effect` is false for one that only looks.
    pub fn new(policy: RetryPolicy, has_effect: bool) -> Self {
        Self { policy, has_effect, attempts: 0, doubt: None }
    }

    /// Takes in what the attempt just made came to. `jitter` is a random number.
    pub fn after<T: DeserializeOwned>(&mut self, sent: Outcome, jitter: u64) -> Next<T> {
        self.attempts = self.attempts.saturating_add(1);
        match retry::decide(sent.facts(), self.attempts, &self.policy, jitter) {
            Decision::Stop => Next::End(conclude(sent, self.doubt)),
            Decision::RetryAfter(wait) => {
                if self.has_effect {
                    self.doubt = doubt_left_by(&sent).or(self.doubt);
                }
                Next::Again(wait)
            }
        }
    }

    /// The call ends without a further attempt: too many wait for their turn already.
    pub(crate) fn held_back<T>(&self, retry_after_s: u64) -> Result<T, CallError> {
        let retry_after_s = Some(retry_after_s);
        let last = CallError::RateLimited { retry_after_s, request_id: None };
        Err(error::after_doubt(last, self.doubt))
    }
}

impl Outcome {
    pub(crate) fn facts(&self) -> Attempt {
        match self {
            Self::NotSent => Attempt::NotSent,
            Self::NoAnswer => Attempt::NoAnswer,
            Self::Answered(answer) => answer.facts(),
            // As final as a refusal: the same bytes will not become valid.
            Self::Malformed => Attempt::Answered {
                status: 400,
                replayed: false,
                should_retry: Some(false),
                retry_after_s: None,
            },
        }
    }

    /// Stripe refused it for coming too soon after others.
    pub(crate) fn is_one_too_many(&self) -> bool {
        matches!(self, Self::Answered(answer) if answer.status == 429)
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Answered(answer) => answer.request_id.as_deref(),
            _ => None,
        }
    }
}

/// What an attempt that is tried again may already have done.
fn doubt_left_by(sent: &Outcome) -> Option<UnknownWhy> {
    match sent {
        Outcome::NotSent | Outcome::Malformed => None,
        Outcome::NoAnswer => Some(UnknownWhy::NoAnswer),
        Outcome::Answered(answer) => match error::from_answer(answer) {
            CallError::Unknown { why, .. } => Some(why),
            _ => None,
        },
    }
}

fn conclude<T: DeserializeOwned>(sent: Outcome, doubt: Option<UnknownWhy>) -> Result<T, CallError> {
    let unknown = |why, request_id| CallError::Unknown { why, request_id };
    let last = match sent {
        Outcome::NotSent => CallError::NotSent(NotSentWhy::NoConnection),
        Outcome::Malformed => CallError::NotSent(NotSentWhy::Malformed),
        Outcome::NoAnswer => unknown(UnknownWhy::NoAnswer, None),
        Outcome::Answered(answer) if answer.is_success() => {
            match serde_json::from_slice(&answer.body) {
                Ok(value) => return Ok(value),
                Err(_) => unknown(UnknownWhy::Garbled { status: answer.status }, answer.request_id),
            }
        }
        Outcome::Answered(answer) => error::from_answer(&answer),
    };
    Err(error::after_doubt(last, doubt))
}
