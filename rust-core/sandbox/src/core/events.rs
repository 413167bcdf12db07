//! Events: noted when something happens, and queued for every endpoint that wants them.

use std::sync::Arc;

use holdfast_stripe::objects::EventType;

use super::model::{Endpoint, Event, Snapshot};
use super::{Core, Id};

impl Core {
    /// Notes that something happened to an object and queues its deliveries.
    pub(super) fn emit(&mut self, kind: EventType, subject: Snapshot) {
        let wanting: Vec<Id> = self
            .endpoints
            .iter()
            .filter(|endpoint| wants(endpoint, &kind))
            .map(|endpoint| endpoint.id.clone())
            .collect();
        let event = self.events.insert(Event {
            id: self.ids.object("evt_1"),
            created: self.now_s(),
            kind,
            subject,
            cause: self.cause.clone(),
            pending_webhooks: u32::try_from(wanting.len()).unwrap_or(u32::MAX),
        });
        self.events.group(event.kind.as_str(), &event.id);
        for endpoint in wanting {
            let mishap = self.faults.strike_webhook(&event.kind);
            self.deliveries.queue(event.id.clone(), endpoint, self.now_ms, mishap);
        }
    }
}

fn wants(endpoint: &Arc<Endpoint>, kind: &EventType) -> bool {
    let all = |wanted: &EventType| wanted.as_str() == "*";
    let mut wanted = endpoint.enabled_events.iter();
    !endpoint.deleted && !endpoint.disabled && wanted.any(|wanted| all(wanted) || wanted == kind)
}
