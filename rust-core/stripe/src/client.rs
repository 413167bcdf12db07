//! The calls. One method call is one logical call: it is retried as [`crate::retry`] decides, with
//! the same bytes each time, and ends in a value or in one [`CallError`].

mod reads;
mod transport;
mod turns;

pub use reads::{Created, Page};

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::config::{ClientConfig, ConfigError};
use crate::error::{CallError, NotSentWhy};
use crate::exchange::{Exchange, Next};
use crate::objects::Deleted;
use crate::pace::{Pace, RealPace};
use crate::path;
use crate::rate::Purpose;
use crate::request::FrozenRequest;
use transport::{Call, Transport};
use turns::{TooMany, Turns};

/// After a 429 nothing is sent with the key for so long: by then Stripe counts anew.
const ONE_TOO_MANY_WAIT: Duration = Duration::from_secs(1);

/// A client for one account and mode: the key decides both. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    pace: Arc<dyn Pace>,
    turns: Arc<Turns>,
}

impl Client {
    /// A client in real time. All clients with one key share its rate.
    pub fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        let turns = Turns::shared(&config);
        Ok(Self { transport: Arc::new(Transport::new(config)?), pace: Arc::new(RealPace), turns })
    }

    /// A client whose time and random numbers are passed in; its rate is its own and its clones'.
    pub fn with_pace(config: ClientConfig, pace: Arc<dyn Pace>) -> Result<Self, ConfigError> {
        let turns = Arc::new(Turns::new(config.rate));
        Ok(Self { transport: Arc::new(Transport::new(config)?), pace, turns })
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
        let mut exchange = Exchange::new(self.transport.retry_policy(), call.has_effect());
        let purpose = if call.has_effect() { Purpose::Act } else { Purpose::Look };
        loop {
            let turn = self.turns.wait(purpose, self.transport.patience(), &*self.pace).await;
            if let Err(TooMany { retry_after_s }) = turn {
                return exchange.held_back(retry_after_s);
            }
            let sent = self.transport.attempt(&call).await;
            tracing::debug!(
                method = call.method(), path = call.path(), outcome = ?sent.facts(),
                request_id = sent.request_id(), "stripe call"
            );
            if sent.is_one_too_many() {
                self.turns.refused(ONE_TOO_MANY_WAIT, self.pace.now());
            }
            match exchange.after(sent, self.pace.jitter()) {
                Next::End(outcome) => return outcome,
                Next::Again(wait) => self.pace.sleep(wait).await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
