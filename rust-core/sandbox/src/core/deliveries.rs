//! Webhook deliveries: signed when sent, tried again at growing intervals, and given up at last.
//!
//! The core decides what is due; whoever drives it sends and reports back. A delivery that was
//! handed out is not handed out again before its result is in.

use std::collections::{BTreeSet, HashMap};

use holdfast_stripe::objects::EventType;
use holdfast_stripe::{WebhookSecret, webhook};
use serde::{Deserialize, Serialize};

use super::faults::Mishap;
use super::model::Endpoint;
use super::notes::Notes;
use super::replay::Action;
use super::{Core, Id, render};

/// Waits after a failed attempt, in milliseconds. Stripe waits from minutes to hours; a person at
/// a desk has seconds, and tests drive the clock. After the last one the delivery has failed.
const RETRY_WAITS_MS: [i64; 8] =
    [3_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 10_800_000];

/// As much of an endpoint's answer as is kept, in characters.
const ANSWER_KEPT_MAX: usize = 500;

/// An endpoint that exists from the start.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Where events go.
    pub url: String,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// Which events; empty means all.
    pub events: Vec<EventType>,
}

/// A delivery's place in the list of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub(crate) usize);

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for its time.
    Pending,
    /// Handed out; the result is awaited.
    InFlight,
    /// The endpoint took it.
    Delivered,
    /// Given up, or its endpoint is gone.
    Failed,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `evt_…`
    pub event: Id,
    /// `we_…`
    pub endpoint: Id,
    /// Where it stands.
    pub state: DeliveryState,
    /// Every attempt that was reported back, oldest first.
    pub attempts: Vec<Attempt>,
    /// When it is due, in Unix milliseconds; counts while it waits.
    due_ms: i64,
}

impl Delivery {
    fn is_in_flight(&self) -> bool {
        self.state == DeliveryState::InFlight
    }
}

/// One attempt that was reported back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// What came of it.
    pub result: SendResult,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendResult {
    /// The endpoint answered; 2xx means that it took the event, a redirect does not.
    Answered {
        /// HTTP status.
        status: u16,
        /// The beginning of its answer.
        body: String,
    },
    /// No answer.
    Unreachable {
        /// Why.
        why: String,
    },
}

impl SendResult {
    fn is_taken(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    fn shortened(self) -> Self {
        match self {
            Self::Answered { status, body } => {
                Self::Answered { status, body: body.chars().take(ANSWER_KEPT_MAX).collect() }
            }
            Self::Unreachable { why } => {
                Self::Unreachable { why: why.chars().take(ANSWER_KEPT_MAX).collect() }
            }
        }
    }
}

/// What is to be sent now.
#[derive(Clone, Debug)]
pub struct OutgoingDelivery {
    /// To report the result by.
    pub id: DeliveryId,
    /// Where to POST.
    pub url: String,
    /// The value of `Stripe-Signature`.
    pub signature: String,
    /// The exact bytes that were signed.
    pub body: Vec<u8>,
    /// `evt_…`
    pub event: Id,
    /// `we_…`
    pub endpoint: Id,
    /// What happened.
    pub kind: EventType,
}

#[derive(Default)]
pub(super) struct Deliveries {
    all: Vec<Delivery>,
    /// What waits, by its time.
    due: BTreeSet<(i64, DeliveryId)>,
    /// What is lost on its way the first time.
    dropped: BTreeSet<DeliveryId>,
    /// Events that some endpoint has not taken, with how many.
    untaken: HashMap<Id, u32>,
}

impl Deliveries {
    pub(super) fn queue(&mut self, event: Id, endpoint: Id, at_ms: i64, mishap: Option<Mishap>) {
        let count = self.untaken.entry(event.clone()).or_default();
        *count = count.saturating_add(1);
        let late_ms = if let Some(Mishap::Late(ms)) = mishap { ms } else { 0 };
        let at_ms = at_ms.saturating_add(late_ms);
        if mishap == Some(Mishap::Duplicate) {
            self.push(event.clone(), endpoint.clone(), at_ms, DeliveryState::Pending);
        }
        let lost = mishap == Some(Mishap::Lose);
        let state = if lost { DeliveryState::Failed } else { DeliveryState::Pending };
        let id = self.push(event, endpoint, at_ms, state);
        if mishap == Some(Mishap::Drop) {
            self.dropped.insert(id);
        }
    }

    /// Once more to an endpoint, whatever came of it before.
    pub(super) fn send_again(&mut self, event: Id, endpoint: Id, at_ms: i64) {
        let count = self.untaken.entry(event.clone()).or_default();
        *count = count.saturating_add(1);
        self.push(event, endpoint, at_ms, DeliveryState::Pending);
    }

    fn push(&mut self, event: Id, endpoint: Id, due_ms: i64, state: DeliveryState) -> DeliveryId {
        let id = DeliveryId(self.all.len());
        self.all.push(Delivery { event, endpoint, state, attempts: Vec::new(), due_ms });
        if state == DeliveryState::Pending {
            self.due.insert((due_ms, id));
        }
        id
    }

    pub(super) fn next_ms(&self) -> Option<i64> {
        self.due.first().map(|(at_ms, _)| *at_ms)
    }

    /// Whether every endpoint that wanted the event has it.
    pub(super) fn is_everywhere(&self, event: &str) -> bool {
        !self.untaken.contains_key(event)
    }

    /// The events that some endpoint does not have.
    pub(super) fn untaken(&self) -> Vec<Id> {
        self.untaken.keys().cloned().collect()
    }

    fn pop_due(&mut self, now_ms: i64) -> Option<DeliveryId> {
        let (at_ms, id) = self.due.pop_first()?;
        if at_ms > now_ms {
            self.due.insert((at_ms, id));
            return None;
        }
        Some(id)
    }
}

impl Core {
    /// What is to be sent now, oldest first. Each is handed out once until its result is reported
    /// by [`Core::delivery_result`].
    pub fn due_deliveries(&mut self, now_ms: i64) -> Vec<OutgoingDelivery> {
        self.advance(now_ms);
        let mut outgoing = Vec::new();
        while let Some(id) = self.deliveries.pop_due(self.now_ms) {
            if self.deliveries.dropped.remove(&id) {
                let why = "dropped on its way, as the sandbox was asked to".to_owned();
                self.settle(id, SendResult::Unreachable { why });
                continue;
            }
            match self.prepare(id) {
                Some(delivery) => outgoing.push(delivery),
                None => self.set_state(id, DeliveryState::Failed),
            }
        }
        outgoing
    }

    fn prepare(&mut self, id: DeliveryId) -> Option<OutgoingDelivery> {
        let delivery = self.deliveries.all.get(id.0)?;
        let endpoint =
            self.endpoints.get(&delivery.endpoint).filter(|e| !e.deleted && !e.disabled)?.clone();
        let event = self.events.get(&delivery.event)?;
        let mut body = self.event_json(&event);
        // An event says the version of the endpoint that it goes to; none means the account's.
        if let Some(version) = &endpoint.api_version
            && let Some(fields) = body.as_object_mut()
        {
            fields.insert("api_version".to_owned(), version.as_ref().into());
        }
        let body = render::bytes(&body);
        let mut signature =
            webhook::sign(&body, &endpoint.signing_secrets(self.now_s()), self.now_s());
        // Test mode adds a v0 that means nothing, so that verifiers learn to ignore it.
        signature.push_str(",v0=");
        signature.push_str(&self.noise.hex());
        self.set_state(id, DeliveryState::InFlight);
        let (event, kind) = (event.id.clone(), event.kind.clone());
        let (url, endpoint) = (endpoint.url.to_string(), endpoint.id.clone());
        Some(OutgoingDelivery { id, url, signature, body, event, endpoint, kind })
    }

    /// Reports what came of a delivery that was handed out.
    pub fn delivery_result(&mut self, id: DeliveryId, result: SendResult, now_ms: i64) {
        self.advance(now_ms);
        let under_way = self.deliveries.all.get(id.0).is_some_and(Delivery::is_in_flight);
        if under_way {
            self.settle(id, result.shortened());
        }
    }

    /// Notes what came of an attempt.
    pub(super) fn settle(&mut self, id: DeliveryId, result: SendResult) {
        let at_ms = self.now_ms;
        let Some(delivery) = self.deliveries.all.get_mut(id.0) else { return };
        // A replayed attempt was never handed out, and so still waits, perhaps to be dropped.
        self.deliveries.due.remove(&(delivery.due_ms, id));
        self.deliveries.dropped.remove(&id);
        let taken = result.is_taken();
        let wait_ms = RETRY_WAITS_MS.get(delivery.attempts.len()).copied();
        delivery.attempts.push(Attempt { at_ms, result: result.clone() });
        match wait_ms {
            _ if taken => self.taken(id),
            Some(wait_ms) => {
                delivery.due_ms = at_ms.saturating_add(wait_ms);
                delivery.state = DeliveryState::Pending;
                self.deliveries.due.insert((delivery.due_ms, id));
            }
            None => self.set_state(id, DeliveryState::Failed),
        }
        self.record(Action::Delivery { delivery: id.0, result });
    }

    fn taken(&mut self, id: DeliveryId) {
        self.set_state(id, DeliveryState::Delivered);
        let Some(delivery) = self.deliveries.all.get(id.0) else { return };
        let event = delivery.event.clone();
        let left = self.deliveries.untaken.get(&event).copied().unwrap_or(1).saturating_sub(1);
        if left == 0 {
            self.deliveries.untaken.remove(&event);
        } else {
            self.deliveries.untaken.insert(event.clone(), left);
        }
        self.events.set_pending(&event, left);
    }

    fn set_state(&mut self, id: DeliveryId, state: DeliveryState) {
        if let Some(delivery) = self.deliveries.all.get_mut(id.0) {
            delivery.state = state;
        }
    }

    /// Every delivery, oldest first.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries.all
    }

    /// Makes these the endpoints that the set-up asks for: an endpoint that was asked for before
    /// keeps its ID, one that is no longer asked for is gone.
    pub fn set_targets(&mut self, targets: &[WebhookTarget], now_ms: i64) {
        self.advance(now_ms);
        let wanted = |url: &str| targets.iter().any(|target| target.url == url);
        let configured = self.endpoints.iter().filter(|e| e.configured && !e.deleted);
        let gone: Vec<Id> = configured.filter(|e| !wanted(&e.url)).map(|e| e.id.clone()).collect();
        for id in gone {
            self.endpoints.change(&id, |endpoint| endpoint.deleted = true);
        }
        for target in targets {
            self.set_target(target);
        }
        self.record(Action::targets(targets));
    }

    fn set_target(&mut self, target: &WebhookTarget) {
        let all = [EventType::from("*")];
        let events: &[EventType] = if target.events.is_empty() { &all } else { &target.events };
        let same =
            |e: &&std::sync::Arc<Endpoint>| e.configured && !e.deleted && *e.url == *target.url;
        let known = self.endpoints.iter().find(same).map(|endpoint| endpoint.id.clone());
        if let Some(id) = known {
            self.endpoints.change(&id, |endpoint| {
                endpoint.secret = target.secret.clone();
                endpoint.enabled_events = events.into();
            });
            return;
        }
        self.endpoints.insert(Endpoint {
            id: self.ids.object("we_1"),
            created: self.now_s(),
            url: target.url.as_str().into(),
            secret: target.secret.clone(),
            old_secret: None,
            description: None,
            disabled: false,
            enabled_events: events.into(),
            metadata: Notes::none(),
            api_version: None,
            configured: true,
            deleted: false,
        });
    }
}
