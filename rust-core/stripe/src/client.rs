//! The calls. One method call is one logical call: it is retried as [`crate::retry`] decides, with
//! the same bytes each time, and ends in a value or in one [`CallError`].

mod reads;
mod transport;

pub use reads::{Created, Page};

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::config::{ClientConfig, ConfigError};
use crate::error::{self, CallError, NotSentWhy, UnknownWhy};
use crate::objects::Deleted;
use crate::pace::{Pace, RealPace};
use crate::path;
use crate::request::FrozenRequest;
use crate::retry::{self, Decision};
use transport::{Call, Outcome, Transport};

/// A client for one account and mode: the key decides both. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    pace: Arc<dyn Pace>,
}

impl Client {
    /// A client in real time.
    pub fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        Self::with_pace(config, Arc::new(RealPace))
    }

    /// A client whose waits and random numbers are passed in.
    pub fn with_pace(config: ClientConfig, pace: Arc<dyn Pace>) -> Result<Self, ConfigError> {
        Ok(Self { transport: Arc::new(Transport::new(config)?), pace })
    }

    /// Sends a stored request, as often as the retry rules say; `T` is the object it answers with.
    pub async fn send<T: DeserializeOwned>(&self, request: &FrozenRequest) -> Result<T, CallError> {
        self.perform(Call::Post(request)).await
    }

    /// Removes a webhook endpoint. When it is gone already, that is
    /// [`CallError::is_missing`].
    pub async fn delete_webhook_endpoint(&self, id: &str) -> Result<Deleted, CallError> {
        let id = path::id_segment(id).map_err(NotSentWhy::from).map_err(CallError::NotSent)?;
        self.perform(Call::Delete(&format!("/v1/webhook_endpoints/{id}"))).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<T, CallError> {
        self.perform(Call::Get { path, query }).await
    }

    async fn perform<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, CallError> {
        let policy = self.transport.retry_policy();
        let mut doubt = None;
        let mut attempt = 1;
        loop {
            let sent = self.transport.attempt(&call).await;
            let decision = retry::decide(sent.facts(), attempt, &policy, self.pace.jitter());
            tracing::debug!(
                method = call.method(), path = call.path(), attempt, outcome = ?sent.facts(),
                request_id = sent.request_id(), ?decision, "stripe call"
            );
            match decision {
                Decision::Stop => return conclude(sent, doubt),
                Decision::RetryAfter(wait) => {
                    if call.has_effect() {
                        doubt = doubt_left_by(&sent).or(doubt);
                    }
                    self.pace.sleep(wait).await;
                    attempt += 1;
                }
            }
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

#[cfg(test)]
mod tests;
