//! Faults on demand: the sandbox as nasty as the real network, and as repeatable as its seed.
//!
//! A rule says which requests or deliveries it is for, what goes wrong, how often, and how many
//! times. The first rule that strikes decides. Rules are written as a person would say them:
//!
//! | rule | what happens |
//! |---|---|
//! | `409` | refused as if another request with the key were in flight; nothing done |
//! | `429`, `503` | refused; nothing done, nothing stored |
//! | `500` | fails; nothing done, nothing stored |
//! | `500-stored` | fails; nothing done, and the key keeps the failure |
//! | `500-after` | done, yet it fails, and the key keeps the failure |
//! | `drop`, `drop-after` | no answer; the effect has not, or has, happened |
//! | `truncate`, `truncate-after` | the answer breaks off; likewise |
//! | `delay=MS`, `delay-after=MS` | the request, or the answer, comes late |
//! | `duplicate` | the request arrives twice; the second answer is the one that is seen |
//! | `webhook-drop` | a delivery is lost on its way and tried again |
//! | `webhook-lose` | a delivery is never sent at all |
//! | `webhook-delay=MS` | it comes late |
//! | `webhook-reorder=MS` | it comes late by a random time up to so much, so that others overtake |
//! | `webhook-duplicate` | it comes twice |
//!
//! Before it may stand a method, an address's beginning or an event type (`POST /v1/refunds`,
//! `charge.*`), after it a chance and a count (`25%`, `x3`).

mod rule;

pub use rule::{Fault, FaultError, FaultRule, WebhookFault};

use holdfast_stripe::objects::EventType;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::Ids;
use super::replay::Action;
use super::{ApiRequest, Core};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiFault {
    /// 409: the key is said to be in flight.
    Conflict,
    /// 429.
    RateLimit,
    /// 500, nothing done, nothing stored.
    ServerError,
    /// 500, nothing done, stored under the key.
    ServerErrorStored,
    /// 500, done, stored under the key.
    ServerErrorAfter,
    /// 503.
    Unavailable,
    /// No answer, nothing done.
    Drop,
    /// No answer, done.
    DropAfter,
    /// A broken answer, nothing done.
    Truncate,
    /// A broken answer, done.
    TruncateAfter,
    /// The request takes so many milliseconds to arrive.
    Delay(u32),
    /// The answer takes so many milliseconds to arrive.
    DelayAfter(u32),
    /// The request arrives twice.
    Duplicate,
}

/// How an answer reaches the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// All of it.
    #[default]
    Whole,
    /// The connection ends without it.
    Dropped,
    /// The connection ends in the middle of it.
    Truncated,
}

/// The rules in force, and the lots they draw.
pub(super) struct Faults {
    rules: Vec<FaultRule>,
    /// For requests. Reading draws as well, so a replay takes each outcome from the record.
    api_lots: Ids,
    /// For deliveries, which a replay queues again in the same order.
    webhook_lots: Ids,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        let (api, webhook) = (0x6661_756c_7431, 0x6661_756c_7432);
        Self {
            rules: Vec::new(),
            api_lots: Ids::new(seed ^ api),
            webhook_lots: Ids::new(seed ^ webhook),
        }
    }

    fn strike_api(&mut self, method: &str, path: &str) -> Option<ApiFault> {
        let lots = &mut self.api_lots;
        self.rules.iter_mut().find_map(|rule| match rule.fault {
            Fault::Api(fault) if rule.is_for(method, path) => rule.strikes(lots).then_some(fault),
            _ => None,
        })
    }

    pub(super) fn strike_webhook(&mut self, kind: &EventType) -> Option<Mishap> {
        let lots = &mut self.webhook_lots;
        let fault = self.rules.iter_mut().find_map(|rule| match rule.fault {
            Fault::Webhook(fault) if rule.is_for_event(kind) => rule.strikes(lots).then_some(fault),
            _ => None,
        })?;
        Some(match fault {
            WebhookFault::Lose => Mishap::Lose,
            WebhookFault::Drop => Mishap::Drop,
            WebhookFault::Duplicate => Mishap::Duplicate,
            WebhookFault::Delay(ms) => Mishap::Late(i64::from(ms)),
            WebhookFault::Reorder(ms) => {
                let drawn = lots.below(u64::from(ms).saturating_add(1));
                Mishap::Late(i64::try_from(drawn).unwrap_or_default())
            }
        })
    }
}

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    Lose,
    Drop,
    Duplicate,
    Late(i64),
}

impl Core {
    /// Puts these rules in force, in place of those before.
    pub fn set_faults(&mut self, rules: Vec<FaultRule>, now_ms: i64) {
        self.advance(now_ms);
        self.record(Action::Faults(rules.clone()));
        self.faults.rules = rules;
    }

    /// The rules in force, with the strikes that each has left.
    pub fn faults(&self) -> &[FaultRule] {
        &self.faults.rules
    }

    /// What goes wrong with this request, if anything does: to be given to
    /// [`Core::handle_with`]. Whoever asks has used up the strike.
    pub fn next_fault(&mut self, request: &ApiRequest) -> Option<ApiFault> {
        if self.faults.rules.is_empty() {
            return None;
        }
        let before = self.faults.rules.clone();
        let struck = self.faults.strike_api(&request.method, &request.path);
        if self.faults.rules != before {
            // Strikes are drawn once; a replay takes over how many are left.
            self.record(Action::Faults(self.faults.rules.clone()));
        }
        struck
    }
}

impl ApiFault {
    /// The refusal that takes the place of the call, and whether the key keeps it.
    pub(super) fn refusal(self, request: &ApiRequest) -> Option<ApiError> {
        match self {
            Self::Conflict if request.key().is_some() => {
                Some(ApiError::key_in_flight(request.key().unwrap_or_default()))
            }
            Self::Conflict => Some(ApiError::conflict()),
            Self::RateLimit => Some(ApiError::rate_limited()),
            Self::ServerError | Self::Drop | Self::Truncate => Some(ApiError::server_error()),
            Self::Unavailable => Some(ApiError::unavailable()),
            Self::ServerErrorStored => Some(ApiError::server_error().executed()),
            Self::ServerErrorAfter
            | Self::DropAfter
            | Self::TruncateAfter
            | Self::Delay(_)
            | Self::DelayAfter(_)
            | Self::Duplicate => None,
        }
    }

    pub(super) fn arrival(self) -> Arrival {
        match self {
            Self::Drop | Self::DropAfter => Arrival::Dropped,
            Self::Truncate | Self::TruncateAfter => Arrival::Truncated,
            _ => Arrival::Whole,
        }
    }
}
