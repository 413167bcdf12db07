//! Between the gateway's work and the sandbox: a network, and Stripe's moods.

use super::Broken;
use super::faults::Fault;
use super::fixture::SECRET_KEY;
use super::looks::{Looked, Looks, Readable};
use super::shared::{Inner, Shared};
use super::world::{Happening, World};
use holdfast_ledger::work::StripeCalls;
use holdfast_sandbox::core::{ApiFault, ApiRequest, ApiResponse, Arrival};
use holdfast_stripe::exchange::{Answer, Exchange, Next, Outcome};
use holdfast_stripe::objects::{Charge, CheckoutSession, Event, List, PaymentIntent, Refund};
use holdfast_stripe::retry::RetryPolicy;
use holdfast_stripe::{CallError, Created, FrozenRequest, Page};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a call takes each way, at most, in milliseconds.
const WAY_MS_MAX: i64 = 400;
/// How long a caller waits for an answer, in milliseconds.
const TIMEOUT_MS: i64 = 20_000;
/// How late a request can be that was taken for lost, in milliseconds (two days).
const LATE_MS_MAX: i64 = 2 * 24 * 60 * 60 * 1_000;
/// How late a request for a refund can be, in milliseconds (23 hours): no longer than Stripe knows its key.
/// A page has an end of its own, a refund has not; for longer no network keeps a request.
const LATE_REFUND_MS_MAX: i64 = 23 * 60 * 60 * 1_000;
/// Rows on a page of what a restored gateway asks for: so few that lists have pages.
const PAGE_MAX: u32 = 3;
const SESSIONS: &str = "/v1/checkout/sessions";

/// What was seen on the wire to Stripe.
#[derive(Default)]
pub(super) struct Wire {
    /// The body that each idempotency key was sent with.
    bodies: BTreeMap<String, Vec<u8>>,
    /// How often each frozen request was sent.
    sends: BTreeMap<String, u32>,
    pub(super) looks: Looks,
    /// How often the ledger was put back.
    life: u64,
    /// The first key that came with two bodies.
    pub(super) thawed: Option<String>,
}

/// What comes back of one attempt.
enum Arrived<T> {
    /// The same bytes as at an earlier look, and so what was read in them then.
    Known(T),
    Sent {
        outcome: Outcome,
        /// The number of the look that this is the answer to.
        look: Option<u64>,
    },
}

impl<T> Arrived<T> {
    fn sent(outcome: Outcome) -> Self {
        Self::Sent { outcome, look: None }
    }
}

impl Wire {
    fn see(&mut self, request: &ApiRequest) {
        let Some(key) = &request.idempotency_key else { return };
        match self.bodies.get(key) {
            Some(body) if *body != request.body => self.thawed = Some(key.clone()),
            Some(_) => {}
            None => {
                self.bodies.insert(key.clone(), request.body.clone());
            }
        }
    }

    /// After a restore, attempts are numbered anew.
    pub(super) fn forget(&mut self) {
        *self = Self { life: self.life.wrapping_add(1), ..Self::default() };
    }
}

/// A request that somebody still carries around.
pub(super) struct LateCall {
    request: ApiRequest,
    /// The life of the ledger that sent it.
    life: u64,
}

/// [`StripeCalls`] on the simulated network.
pub(super) struct StripeDoor {
    shared: Arc<Shared>,
}

impl StripeDoor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// One logical call, with the client's own rules for trying again.
    async fn call<T: Readable>(&self, request: ApiRequest) -> Result<T, CallError> {
        let has_effect = request.method != "GET";
        let mut exchange = Exchange::new(RetryPolicy::default(), has_effect);
        loop {
            let there_ms = self.way_ms();
            self.shared.gate(there_ms).await;
            let (arrived, took_ms) = self.shared.lock().arrive(&request);
            self.shared.gate(took_ms).await;
            let jitter = self.shared.lock().chance.next();
            let (sent, look) = match arrived {
                Arrived::Known(read) => return Ok(read),
                Arrived::Sent { outcome, look } => (outcome, look),
            };
            match exchange.after(sent, jitter) {
                Next::End(outcome) => {
                    if let Some((read, look)) = outcome.as_ref().ok().zip(look) {
                        self.shared.lock().remember(&request, look, read);
                    }
                    return outcome;
                }
                Next::Again(wait) => {
                    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                    self.shared.gate(wait_ms).await;
                }
            }
        }
    }

    fn way_ms(&self) -> i64 {
        self.shared.lock().chance.ms(10, WAY_MS_MAX)
    }

    async fn get<T: Readable>(&self, path: &str, query: &str) -> Result<T, CallError> {
        self.call(ApiRequest::get(path, query, SECRET_KEY)).await
    }
}

impl Inner {
    /// One attempt: what came of it, and how long that took to come back.
    fn arrive<T: Readable>(&mut self, request: &ApiRequest) -> (Arrived<T>, i64) {
        let request = self.spoiled(request);
        let request = request.as_ref();
        let back_ms = self.chance.ms(10, WAY_MS_MAX);
        let drawn = self.draw(&FAULTS);
        let fault = match drawn {
            Some(Fault::StripeUnreachable) => {
                self.note(|| format!("stripe: no connection for {}", request.path));
                return (Arrived::sent(Outcome::NotSent), back_ms);
            }
            Some(Fault::StripeRequestLost) => {
                self.note(|| format!("stripe: {} {} is lost", request.method, request.path));
                return (Arrived::sent(Outcome::NoAnswer), TIMEOUT_MS);
            }
            Some(Fault::StripeLate) => {
                self.note(|| format!("stripe: {} {} is late", request.method, request.path));
                let is_refund = request.path == "/v1/refunds";
                let late_ms = if is_refund { LATE_REFUND_MS_MAX } else { LATE_MS_MAX };
                let at_ms = self.now_ms.saturating_add(self.chance.ms(1_000, late_ms));
                let life = self.wire.life;
                self.late.push((at_ms, LateCall { request: request.clone(), life }));
                return (Arrived::sent(Outcome::NoAnswer), TIMEOUT_MS);
            }
            Some(fault) => api_fault(fault),
            None => None,
        };
        if request.method == "GET" && fault.is_none() {
            return (self.look(request), back_ms);
        }
        let response = self.at_stripe(request, fault);
        self.note_answer(request, fault, response.status);
        let waits = response.arrival == Arrival::Dropped;
        (Arrived::sent(outcome(response)), if waits { TIMEOUT_MS } else { back_ms })
    }

    fn look<T: Readable>(&mut self, request: &ApiRequest) -> Arrived<T> {
        match self.look_at_stripe(request) {
            Looked::Known(read) => {
                self.note_answer(request, None, 200);
                Arrived::Known(read)
            }
            Looked::Answered(response, number) => {
                self.note_answer(request, None, response.status);
                Arrived::Sent { outcome: outcome(response), look: Some(number) }
            }
        }
    }

    fn note_answer(&mut self, request: &ApiRequest, fault: Option<ApiFault>, status: u16) {
        self.note(|| {
            let (method, path) = (&request.method, &request.path);
            format!("stripe: {method} {path} {fault:?}: {status}")
        });
    }

    fn at_stripe(&mut self, request: &ApiRequest, fault: Option<ApiFault>) -> ApiResponse {
        self.touch_stripe();
        self.wire.see(request);
        let now_ms = self.stripe_now_ms();
        self.stripe.handle_with(request, fault, now_ms)
    }

    /// The request as a broken client would send it.
    fn spoiled<'r>(&mut self, request: &'r ApiRequest) -> Cow<'r, ApiRequest> {
        let is_create = request.method == "POST" && request.path == SESSIONS;
        let key = request.idempotency_key.as_ref().filter(|_| is_create);
        let Some(key) = key.filter(|_| self.broken.is_some()) else {
            return Cow::Borrowed(request);
        };
        let sends = self.wire.sends.entry(key.clone()).or_default();
        *sends = sends.saturating_add(1);
        let is_again = *sends > 1;
        let mut request = request.clone();
        match self.broken {
            Some(Broken::NewKeyOnRetry) if is_again => {
                request.idempotency_key = Some(format!("{key}-{sends}"));
            }
            Some(Broken::BodyRecomputed) if is_again => {
                let expires_s = self.now_ms / 1_000 + 7_200;
                let body = String::from_utf8_lossy(&request.body);
                let part = |part: &str| match part.starts_with("expires_at=") {
                    true => format!("expires_at={expires_s}"),
                    false => part.to_owned(),
                };
                let parts: Vec<String> = body.split('&').map(part).collect();
                request.body = parts.join("&").into_bytes();
            }
            _ => {}
        }
        Cow::Owned(request)
    }
}

/// What can happen to one attempt.
const FAULTS: [Fault; 13] = [
    Fault::StripeUnreachable,
    Fault::StripeRequestLost,
    Fault::StripeLate,
    Fault::StripeAnswerLost,
    Fault::StripeConflict,
    Fault::StripeRateLimit,
    Fault::StripeError,
    Fault::StripeErrorStored,
    Fault::StripeErrorAfter,
    Fault::StripeUnavailable,
    Fault::StripeCut,
    Fault::StripeCutAfter,
    Fault::StripeTwice,
];

fn api_fault(fault: Fault) -> Option<ApiFault> {
    Some(match fault {
        Fault::StripeAnswerLost => ApiFault::DropAfter,
        Fault::StripeConflict => ApiFault::Conflict,
        Fault::StripeRateLimit => ApiFault::RateLimit,
        Fault::StripeError => ApiFault::ServerError,
        Fault::StripeErrorStored => ApiFault::ServerErrorStored,
        Fault::StripeErrorAfter => ApiFault::ServerErrorAfter,
        Fault::StripeUnavailable => ApiFault::Unavailable,
        Fault::StripeCut => ApiFault::Truncate,
        Fault::StripeCutAfter => ApiFault::TruncateAfter,
        Fault::StripeTwice => ApiFault::Duplicate,
        _ => return None,
    })
}

fn outcome(response: ApiResponse) -> Outcome {
    // An answer that breaks off is no whole answer, as the client's transport has it.
    if response.arrival != Arrival::Whole {
        return Outcome::NoAnswer;
    }
    Outcome::Answered(Answer {
        status: response.status,
        request_id: response.header("request-id").map(str::to_owned),
        replayed: response.header("idempotent-replayed") == Some("true"),
        should_retry: response.header("stripe-should-retry").and_then(|said| said.parse().ok()),
        retry_after_s: response.header("retry-after").and_then(|said| said.parse().ok()),
        body: response.body,
    })
}

fn list_query(limit: u32, created: Created, page: &Page) -> String {
    let bound = |name: &str, at: Option<i64>| {
        at.map(|at| format!("&created[{name}]={at}")).unwrap_or_default()
    };
    let after = page.starting_after.as_deref();
    let after = after.map(|id| format!("&starting_after={id}")).unwrap_or_default();
    format!("limit={limit}{}{}{after}", bound("gte", created.from), bound("lte", created.to))
}

impl StripeCalls for StripeDoor {
    async fn send_for_session(&self, frozen: &FrozenRequest) -> Result<CheckoutSession, CallError> {
        let FrozenRequest { path, body, idempotency_key } = frozen;
        self.call(ApiRequest::post(path, body, SECRET_KEY, idempotency_key)).await
    }

    async fn checkout_session(&self, id: &str) -> Result<CheckoutSession, CallError> {
        let query = "expand[]=payment_intent&expand[]=payment_intent.latest_charge";
        self.get(&format!("{SESSIONS}/{id}"), query).await
    }

    async fn checkout_sessions_of(
        &self,
        client_reference_id: &str,
        created: Created,
    ) -> Result<Vec<CheckoutSession>, CallError> {
        let page = Page::default();
        let query = list_query(page.limit, created, &page);
        // Runs are far too short for a second page.
        let List { data, .. } = self.get::<List<CheckoutSession>>(SESSIONS, &query).await?;
        let ours =
            |s: &CheckoutSession| s.client_reference_id.as_deref() == Some(client_reference_id);
        Ok(data.into_iter().filter(ours).collect())
    }

    async fn sessions_page(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<CheckoutSession>, CallError> {
        self.get(SESSIONS, &list_query(PAGE_MAX, created, page)).await
    }

    async fn events_page(&self, created: Created, page: &Page) -> Result<List<Event>, CallError> {
        self.get("/v1/events", &list_query(PAGE_MAX, created, page)).await
    }

    async fn payment_intent(&self, id: &str) -> Result<PaymentIntent, CallError> {
        self.get(&format!("/v1/payment_intents/{id}"), "expand[]=latest_charge").await
    }

    async fn charge(&self, id: &str) -> Result<Charge, CallError> {
        self.get(&format!("/v1/charges/{id}"), "").await
    }

    async fn refunds_of(&self, intent: &str) -> Result<Vec<Refund>, CallError> {
        let query = format!("limit=100&payment_intent={intent}");
        Ok(self.get::<List<Refund>>("/v1/refunds", &query).await?.data)
    }

    async fn send_for_refund(&self, frozen: &FrozenRequest) -> Result<Refund, CallError> {
        let FrozenRequest { path, body, idempotency_key } = frozen;
        self.call(ApiRequest::post(path, body, SECRET_KEY, idempotency_key)).await
    }
}

impl World {
    /// A request reaches Stripe after everybody has given it up.
    pub(super) fn late_call(&mut self, LateCall { request, life }: &LateCall) {
        let mut shared = self.shared.lock();
        let response = if *life == shared.wire.life {
            shared.at_stripe(request, None)
        } else {
            // A ledger that is lost had sent it. Its attempts may have been numbered anew since, under
            // the same keys: then Stripe takes only one of the two, and that is the whole point.
            shared.touch_stripe();
            let now_ms = shared.stripe_now_ms();
            shared.stripe.handle_with(request, None, now_ms)
        };
        shared.note(|| {
            let (method, path, status) = (&request.method, &request.path, response.status);
            format!("stripe: {method} {path} arrives at last: {status}")
        });
    }

    /// Stripe is looked at when something will happen there by itself.
    pub(super) fn enter_stripe(&mut self) {
        let next = {
            let shared = self.shared.lock();
            let skew_ms = shared.stripe_skew_ms;
            shared.stripe.next_wake_ms().map(|at_ms| at_ms.saturating_sub(skew_ms))
        };
        let Some(next_ms) = next else { return };
        let next_ms = next_ms.max(self.now_ms());
        if self.stripe_at_ms.is_some_and(|at_ms| at_ms <= next_ms) {
            return;
        }
        self.stripe_at_ms = Some(next_ms);
        self.agenda.enter(next_ms, Happening::Stripe);
    }

    pub(super) fn stripe_wakes(&mut self) {
        if self.stripe_at_ms.is_none_or(|at_ms| at_ms > self.now_ms()) {
            return;
        }
        self.stripe_at_ms = None;
        let due = {
            let mut shared = self.shared.lock();
            if !shared.is_still() {
                shared.touch_stripe();
            }
            shared.changed = true;
            let now_ms = shared.stripe_now_ms();
            shared.stripe.due_deliveries(now_ms)
        };
        for delivery in due {
            self.send_delivery(delivery);
        }
    }
}
