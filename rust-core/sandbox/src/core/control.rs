//! What a person does from outside: rolls a signing secret, sends a delivery again, listens.

use std::sync::Arc;

use holdfast_stripe::WebhookSecret;
use holdfast_stripe::objects::EventType;

use super::model::Endpoint;
use super::notes::Notes;
use super::replay::Action;
use super::{Core, DeliveryId, DeliveryState, Id};

/// The address of an endpoint that is no address: its deliveries are fetched by whoever listens.
pub(crate) const LISTENER_URL: &str = "listen:";

/// Stripe keeps a rolled secret for a day at the longest, in seconds.
pub const ROLL_OVERLAP_S_MAX: i64 = 24 * 60 * 60;

impl Core {
    /// Gives an endpoint a new signing secret. For so many seconds the old one signs as well.
    /// False when there is no such endpoint.
    pub fn roll_secret(&mut self, endpoint: &str, overlap_s: i64, now_ms: i64) -> bool {
        self.advance(now_ms);
        let until_s = self.now_s().saturating_add(overlap_s.clamp(0, ROLL_OVERLAP_S_MAX));
        if self.endpoint(endpoint).is_err() {
            return false;
        }
        let Some(new) = self.new_secret() else { return false };
        self.endpoints.change(endpoint, |endpoint| {
            let old = std::mem::replace(&mut endpoint.secret, new);
            endpoint.old_secret = (overlap_s > 0).then_some((old, until_s));
        });
        self.record(Action::Roll { endpoint: endpoint.to_owned(), overlap_s });
        true
    }

    /// Sends a delivery's event to its endpoint once more, as a delivery of its own.
    pub fn resend(&mut self, id: DeliveryId, now_ms: i64) -> bool {
        self.advance(now_ms);
        let Some(delivery) = self.deliveries().get(id.0) else { return false };
        if delivery.state == DeliveryState::InFlight || self.endpoint(&delivery.endpoint).is_err() {
            return false;
        }
        let (event, endpoint) = (delivery.event.clone(), delivery.endpoint.clone());
        self.deliveries.send_again(event, endpoint, self.now_ms);
        self.record(Action::Resend { delivery: id.0 });
        true
    }

    /// Adds an endpoint whose deliveries somebody fetches; `events` empty means all. Gives its ID
    /// and its signing secret.
    pub fn listen(&mut self, events: &[EventType], now_ms: i64) -> Option<(Id, WebhookSecret)> {
        self.advance(now_ms);
        let secret = self.new_secret()?;
        let all = [EventType::from("*")];
        let wanted = if events.is_empty() { &all[..] } else { events };
        let endpoint = self.endpoints.insert(Endpoint {
            id: self.ids.object("we_1"),
            created: self.now_s(),
            url: LISTENER_URL.into(),
            secret: secret.clone(),
            old_secret: None,
            description: Some("holdfast sandbox listen".into()),
            disabled: false,
            enabled_events: wanted.into(),
            metadata: Notes::none(),
            api_version: None,
            configured: false,
            deleted: false,
        });
        self.record(Action::Listen { events: events.to_vec() });
        Some((endpoint.id.clone(), secret))
    }

    /// Nobody listens any more.
    pub fn stop_listening(&mut self, endpoint: &str, now_ms: i64) {
        self.advance(now_ms);
        self.endpoints.change(endpoint, |endpoint| endpoint.deleted = true);
        self.record(Action::StopListening { endpoint: endpoint.to_owned() });
    }

    /// Those who listen.
    pub(crate) fn listeners(&self) -> Vec<Id> {
        let listening =
            |endpoint: &&Arc<Endpoint>| &*endpoint.url == LISTENER_URL && !endpoint.deleted;
        self.endpoints.iter().filter(listening).map(|endpoint| endpoint.id.clone()).collect()
    }

    /// The endpoints that there are, oldest first.
    pub fn webhook_endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.iter().filter(|endpoint| !endpoint.deleted)
    }

    fn new_secret(&mut self) -> Option<WebhookSecret> {
        WebhookSecret::parse(&self.ids.text("whsec_", 32)).ok()
    }
}
