//! Those who listen: `holdfast sandbox listen` fetches its deliveries here, and forwards them
//! itself, so that it can do so to places that the sandbox does not see.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::core::{Id, OutgoingDelivery};

/// Whoever has not asked for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Deliveries that wait for one listener at the most; the oldest are dropped.
const WAITING_MAX: usize = 10_000;

/// A delivery as a listener gets it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heard {
    /// `evt_…`
    pub event: String,
    /// Its type.
    pub kind: String,
    /// The value of `Stripe-Signature`.
    pub signature: String,
    /// The exact text that was signed.
    pub body: String,
}

struct Listener {
    waiting: VecDeque<Heard>,
    asked_at: Instant,
}

#[derive(Default)]
pub(super) struct Listeners {
    all: Mutex<HashMap<Id, Listener>>,
    arrived: Notify,
}

impl Listeners {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Listener>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, id: Id) {
        self.lock().insert(id, Listener { waiting: VecDeque::new(), asked_at: Instant::now() });
    }

    pub(super) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Puts a delivery where its listener finds it. False when nobody listens any more.
    pub(super) fn put(&self, delivery: &OutgoingDelivery) -> bool {
        let heard = Heard {
            event: delivery.event.to_string(),
            kind: delivery.kind.to_string(),
            signature: delivery.signature.clone(),
            body: String::from_utf8_lossy(&delivery.body).into_owned(),
        };
        let mut all = self.lock();
        let listener = all.get_mut(&delivery.endpoint);
        let Some(listener) = listener.filter(|it| it.asked_at.elapsed() < SILENCE_MAX) else {
            return false;
        };
        if listener.waiting.len() >= WAITING_MAX {
            listener.waiting.pop_front();
        }
        listener.waiting.push_back(heard);
        drop(all);
        self.arrived.notify_waiters();
        true
    }

    /// What arrived, once something has or the wait is over. None when there is no such listener.
    pub(super) async fn take(&self, id: &str, wait: Duration) -> Option<Vec<Heard>> {
        let end = tokio::time::Instant::now() + wait;
        loop {
            let arrived = self.arrived.notified();
            let mut arrived = std::pin::pin!(arrived);
            // Registered before looking, so that nothing slips in between.
            arrived.as_mut().enable();
            let taken = self.drain(id)?;
            if !taken.is_empty() {
                return Some(taken);
            }
            if tokio::time::timeout_at(end, arrived).await.is_err() {
                return self.drain(id);
            }
        }
    }

    fn drain(&self, id: &str) -> Option<Vec<Heard>> {
        let mut all = self.lock();
        let listener = all.get_mut(id)?;
        listener.asked_at = Instant::now();
        Some(listener.waiting.drain(..).collect())
    }
}
