//! What changed something, noted so that it can be done again.
//!
//! The core follows from its seed and its inputs. Whoever keeps the inputs keeps the sandbox:
//! replaying them into a new core gives the same state, IDs included. Reading changes nothing and
//! is not noted, and neither is a request whose key was refused. Each input carries where the
//! source of IDs stood after it, so that a core of another version, which would draw otherwise,
//! is found out.

use holdfast_stripe::WebhookSecret;
use holdfast_stripe::objects::EventType;
use serde::{Deserialize, Serialize};

use super::cards::CardForm;
use super::deliveries::{DeliveryId, SendResult, WebhookTarget};
use super::faults::{ApiFault, FaultRule};
use super::ids::Ids;
use super::inbox::Message;
use super::keyring::KeyGrant;
use super::pay::ChallengeAnswer;
use super::{ApiRequest, Core, Id};

/// One thing that changed something.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    at_ms: i64,
    action: Action,
    ids_after: u64,
}

/// What it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Action {
    Call {
        method: String,
        path: String,
        query: String,
        body: String,
        idempotency_key: Option<String>,
        request_id: Id,
        /// What went wrong with it, as the lot fell.
        #[serde(default)]
        fault: Option<ApiFault>,
        /// Whether it came from a browser, with the publishable key.
        #[serde(default)]
        publishable: bool,
    },
    Pay {
        session: String,
        form: CardForm,
    },
    Challenge {
        session: String,
        answer: ChallengeAnswer,
    },
    Authentication {
        intent: String,
        answer: ChallengeAnswer,
    },
    Delivery {
        delivery: usize,
        result: SendResult,
    },
    Targets(Vec<Target>),
    Faults(Vec<FaultRule>),
    Roll {
        endpoint: String,
        overlap_s: i64,
    },
    Resend {
        delivery: usize,
    },
    Listen {
        events: Vec<EventType>,
    },
    StopListening {
        endpoint: String,
    },
    Trigger {
        kind: String,
    },
    Keys(Vec<KeyGrant>),
    Message(Message),
    /// Somebody moved the clock; so far it is ahead of the system's, in milliseconds.
    Clock {
        ahead_ms: i64,
    },
}

/// A configured endpoint. Its secret is written out in plain: it signs made-up events only, and
/// the journal is readable by its owner alone.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Target {
    url: String,
    secret: String,
    events: Vec<EventType>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

impl Action {
    pub(super) fn targets(targets: &[WebhookTarget]) -> Self {
        let plain = |target: &WebhookTarget| Target {
            url: target.url.clone(),
            secret: target.secret.expose().to_owned(),
            events: target.events.clone(),
        };
        Self::Targets(targets.iter().map(plain).collect())
    }
}

/// Why inputs do not give the state that they gave before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Another version of the sandbox wrote them.
    #[error("it was written by another version of the sandbox")]
    OtherVersion,
    /// An input is damaged.
    #[error("it is damaged")]
    Damaged,
}

impl Core {
    /// What changed something since this was last asked, oldest first; empty unless the core is
    /// recorded.
    pub fn take_inputs(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.inputs)
    }

    /// Does again what was done before, in order, in a new core with the same seed and start.
    pub fn replay(&mut self, inputs: impl IntoIterator<Item = Input>) -> Result<(), ReplayError> {
        let mut count = 0_u64;
        for input in inputs {
            let expected = input.ids_after;
            self.redo(input)?;
            count = count.saturating_add(1);
            if self.ids.state() != expected {
                return Err(ReplayError::OtherVersion);
            }
        }
        self.inputs.clear();
        // Another run must not repeat the request IDs of this one.
        self.noise = Ids::new(!self.config.seed ^ count);
        Ok(())
    }

    fn redo(&mut self, input: Input) -> Result<(), ReplayError> {
        let at_ms = input.at_ms;
        self.advance(at_ms);
        match input.action {
            Action::Call {
                method,
                path,
                query,
                body,
                idempotency_key,
                request_id,
                fault,
                publishable,
            } => {
                let body = body.into_bytes();
                let request =
                    ApiRequest { method, path, query, body, idempotency_key, ..Default::default() };
                (self.fault, self.publishable) = (fault, publishable);
                self.admitted(&request, &request_id);
                (self.fault, self.publishable) = (None, false);
                self.cause = None;
            }
            Action::Pay { session, form } => {
                self.pay_session(&session, &form, at_ms);
            }
            Action::Challenge { session, answer } => {
                self.answer_challenge(&session, answer, at_ms);
            }
            Action::Authentication { intent, answer } => {
                self.answer_authentication(&intent, answer, at_ms);
            }
            Action::Delivery { delivery, result } => self.settle(DeliveryId(delivery), result),
            Action::Targets(targets) => self.set_targets(&parsed(targets)?, at_ms),
            Action::Faults(rules) => self.set_faults(rules, at_ms),
            Action::Roll { endpoint, overlap_s } => {
                self.roll_secret(&endpoint, overlap_s, at_ms);
            }
            Action::Resend { delivery } => {
                self.resend(DeliveryId(delivery), at_ms);
            }
            Action::Listen { events } => {
                self.listen(&events, at_ms);
            }
            Action::StopListening { endpoint } => self.stop_listening(&endpoint, at_ms),
            Action::Trigger { kind } => {
                self.trigger(&kind, at_ms).map_err(|_| ReplayError::OtherVersion)?;
            }
            Action::Keys(keys) => self.set_keys(keys, at_ms),
            Action::Message(message) => self.hand_over(message, at_ms),
            Action::Clock { ahead_ms } => self.clock_moved(ahead_ms, at_ms),
        }
        Ok(())
    }

    /// Somebody moved the clock: it is now so far ahead of the system's, in milliseconds. The core
    /// keeps it for whoever starts it again.
    pub fn clock_moved(&mut self, ahead_ms: i64, now_ms: i64) {
        self.advance(now_ms);
        self.clock_ahead_ms = ahead_ms;
        self.record(Action::Clock { ahead_ms });
    }

    /// How far ahead the clock was when it was last moved, and the time up to which things have
    /// happened, both in milliseconds.
    pub fn clock(&self) -> (i64, i64) {
        (self.clock_ahead_ms, self.now_ms)
    }

    pub(super) fn record(&mut self, action: Action) {
        if self.config.recorded {
            let (at_ms, ids_after) = (self.now_ms, self.ids.state());
            self.inputs.push(Input { at_ms, action, ids_after });
        }
    }

    pub(super) fn record_call(&mut self, request: &ApiRequest, request_id: &Id) {
        if !self.config.recorded || request.method == "GET" {
            return;
        }
        // A body that is no text was refused before it could do anything.
        let Ok(body) = String::from_utf8(request.body.clone()) else { return };
        self.record(Action::Call {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            body,
            idempotency_key: request.idempotency_key.clone(),
            request_id: request_id.clone(),
            fault: self.fault,
            publishable: self.publishable,
        });
    }
}

fn parsed(targets: Vec<Target>) -> Result<Vec<WebhookTarget>, ReplayError> {
    let parse = |target: Target| {
        let secret = WebhookSecret::parse(&target.secret).map_err(|_| ReplayError::Damaged)?;
        Ok(WebhookTarget { url: target.url, secret, events: target.events })
    };
    targets.into_iter().map(parse).collect()
}
