//! What there is, for those who look without calling.

use std::sync::Arc;

use super::model::{Charge, Dispute, Event, Intent, Refund, Session};
use super::{Config, Core, render};

impl Core {
    /// Every session, oldest first.
    pub fn sessions(&self) -> impl DoubleEndedIterator<Item = &Arc<Session>> {
        self.sessions.iter()
    }

    /// A session by its ID.
    pub fn session_row(&self, id: &str) -> Option<&Arc<Session>> {
        self.sessions.get(id)
    }

    /// Every PaymentIntent, oldest first.
    pub fn intents(&self) -> impl DoubleEndedIterator<Item = &Arc<Intent>> {
        self.intents.iter()
    }

    /// A PaymentIntent by its ID.
    pub fn intent_row(&self, id: &str) -> Option<&Arc<Intent>> {
        self.intents.get(id)
    }

    /// Every charge, oldest first: the successful ones are the money that moved.
    pub fn charges(&self) -> impl DoubleEndedIterator<Item = &Arc<Charge>> {
        self.charges.iter()
    }

    /// A charge by its ID.
    pub fn charge(&self, id: &str) -> Option<&Arc<Charge>> {
        self.charges.get(id)
    }

    /// An event by its ID.
    pub fn event(&self, id: &str) -> Option<Event> {
        self.events.get(id)
    }

    /// How the sandbox was set up.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A refund by its ID.
    pub fn refund_row(&self, id: &str) -> Option<&Arc<Refund>> {
        self.refunds.get(id)
    }

    /// Every refund, oldest first.
    pub fn refunds(&self) -> impl DoubleEndedIterator<Item = &Arc<Refund>> {
        self.refunds.iter()
    }

    /// Every dispute, oldest first.
    pub fn disputes(&self) -> impl DoubleEndedIterator<Item = &Arc<Dispute>> {
        self.disputes.iter()
    }

    /// Every event, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = Event> {
        self.events.iter()
    }

    /// An event as deliveries carry it.
    pub fn event_text(&self, event: &Event) -> String {
        String::from_utf8_lossy(&render::bytes(&self.event_json(event))).into_owned()
    }
}
