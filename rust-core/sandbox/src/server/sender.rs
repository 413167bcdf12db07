//! Sends webhooks: takes what is due from the core, posts it, reports what came of it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_stripe::webhook::SIGNATURE_HEADER;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Shared, StartError};
use crate::core::{LISTENER_URL, OutgoingDelivery, SendResult};
use crate::outgoing;

/// How long an endpoint may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// How many deliveries are on their way at once: enough that a slow endpoint does not hold up the
/// others, few enough that a burst does not exhaust sockets.
const IN_FLIGHT_MAX: usize = 16;

/// As much of an endpoint's answer as is read, in bytes.
const ANSWER_LENGTH_MAX: usize = 2_048;

/// How long to sleep when nothing is due; a change wakes the sender at once.
const IDLE: Duration = Duration::from_secs(3_600);

pub(super) struct Sender {
    shared: Arc<Shared>,
    http: reqwest::Client,
    places: Arc<Semaphore>,
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, StartError> {
        let http = outgoing::client(ANSWER_TIME_MAX).map_err(StartError::Sender)?;
        Ok(Self { shared, http, places: Arc::new(Semaphore::new(IN_FLIGHT_MAX)) })
    }

    /// Runs until told to stop; what is on its way then is dropped, as a crash would.
    pub(super) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut under_way = JoinSet::new();
        loop {
            let (due, wait) = self.due();
            for delivery in due {
                let (shared, http, places) =
                    (self.shared.clone(), self.http.clone(), self.places.clone());
                under_way.spawn(async move { deliver(&shared, &http, &places, delivery).await });
            }
            tokio::select! {
                () = self.shared.changed.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(_) = under_way.join_next() => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn due(&self) -> (Vec<OutgoingDelivery>, Duration) {
        let (mut core, now_ms) = self.shared.core();
        let due = core.due_deliveries(now_ms);
        // A clock that moves by hand wakes us itself.
        let waking = core.next_wake_ms().filter(|_| !self.shared.clock.is_by_hand());
        let wait_ms = waking.map(|at_ms| at_ms.saturating_sub(now_ms));
        let wait = wait_ms.map_or(IDLE, |ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        (due, wait.min(IDLE))
    }
}

async fn deliver(
    shared: &Shared,
    http: &reqwest::Client,
    places: &Semaphore,
    delivery: OutgoingDelivery,
) {
    if delivery.url == LISTENER_URL {
        return hand_over(shared, &delivery);
    }
    // The semaphore is never closed.
    let Ok(_place) = places.acquire().await else { return };
    let (id, event, kind) = (delivery.id, delivery.event.clone(), delivery.kind.clone());
    let result = post(http, delivery).await;
    tracing::info!(%event, %kind, ?result, "webhook");
    shared.with_core(|core, now_ms| core.delivery_result(id, result, now_ms));
}

/// Whoever listens fetches it, and tries nothing twice.
fn hand_over(shared: &Shared, delivery: &OutgoingDelivery) {
    let taken = shared.listeners.put(delivery);
    let result = if taken {
        SendResult::Answered { status: 200, body: "handed to holdfast sandbox listen".to_owned() }
    } else {
        SendResult::Unreachable { why: "nobody listens any more".to_owned() }
    };
    shared.with_core(|core, now_ms| {
        core.delivery_result(delivery.id, result, now_ms);
        if !taken {
            core.stop_listening(&delivery.endpoint, now_ms);
        }
    });
}

async fn post(http: &reqwest::Client, delivery: OutgoingDelivery) -> SendResult {
    let request = http
        .post(delivery.url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("User-Agent", "Stripe/1.0 (holdfast sandbox)")
        .header(SIGNATURE_HEADER, delivery.signature)
        .body(delivery.body);
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            SendResult::Answered { status, body: beginning(response).await }
        }
        Err(error) => SendResult::Unreachable { why: reason(&error) },
    }
}

async fn beginning(mut response: reqwest::Response) -> String {
    let mut read = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        read.extend_from_slice(&chunk);
        if read.len() >= ANSWER_LENGTH_MAX {
            read.truncate(ANSWER_LENGTH_MAX);
            break;
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", ANSWER_TIME_MAX.as_secs());
    }
    let text = if error.is_connect() { "no connection" } else { "the connection broke" };
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{text}: {cause}")
}
