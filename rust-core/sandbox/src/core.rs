//! The state of a small Stripe, without a network, a clock or a thread: requests and times go in,
//! answers and deliveries come out, and the same seed and inputs give the same of both.
//!
//! [`Core::handle`] is the API, [`Core::pay_session`] is the payer on the hosted page,
//! [`Core::due_deliveries`] is Stripe's webhook sender. Time is what the caller says; it never
//! runs backwards. [`Core::next_wake_ms`] says when something would happen by itself.

mod agenda;
mod attempt;
mod auth;
mod calendar;
mod calls;
mod cards;
mod config;
mod control;
mod deliveries;
mod error;
mod events;
mod expand;
mod faults;
mod fields;
mod form;
mod http;
mod idempotency;
mod ids;
mod inbox;
mod keyring;
mod model;
mod notes;
mod page;
mod pay;
mod receipt;
mod render;
mod replay;
mod reply;
mod shelf;
mod table;
mod trigger;
mod views;

pub(crate) use calendar::utc;
pub use cards::{CardFacts, CardFault, CardForm, Decline};
pub use config::Config;
pub(crate) use control::LISTENER_URL;
pub use control::ROLL_OVERLAP_S_MAX;
pub use deliveries::{
    Attempt, Delivery, DeliveryId, DeliveryState, OutgoingDelivery, SendResult, WebhookTarget,
};
pub use faults::{ApiFault, Arrival, Fault, FaultError, FaultRule, WebhookFault};
pub use http::{ApiRequest, ApiResponse};
pub use idempotency::KEY_LIFETIME_MS;
pub use inbox::{Channel, Message};
pub use keyring::{KeyGrant, KeyGrantError};
pub use model::{
    AutomaticMethods, Cause, Charge, Customer, Dispute, Endpoint, Entry, EntryKind, Event, Id,
    Intent, IntentData, LastError, Line, Method, Payer, PendingCard, Presented, Price, Product,
    Refund, Session, Snapshot,
};
pub use notes::Notes;
pub use page::{AuthenticationPage, HostedPage, PageLine};
pub use pay::{Answered, ChallengeAnswer, PayOutcome};
pub use receipt::Receipt;
pub use replay::{Input, ReplayError};
pub use trigger::{TRIGGERS, UnknownTrigger};

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use holdfast_stripe::API_VERSION;

use agenda::Agenda;
use calls::Funds;
use deliveries::Deliveries;
use error::ApiError;
use events::EventLog;
use faults::Faults;
use fields::{Fields, origin_of};
use idempotency::{Keys, Seen};
use ids::Ids;
use inbox::Inbox;
use reply::Reply;
use table::Table;

/// The state of one sandbox account.
pub struct Core {
    config: Config,
    account: Id,
    opened: i64,
    /// What the IDs of objects are drawn from. Only what is recorded may draw from it.
    ids: Ids,
    /// What request IDs and decoys are drawn from, which reading draws as well.
    noise: Ids,
    now_ms: i64,
    sessions: Table<Session>,
    intents: Table<Intent>,
    charges: Table<Charge>,
    refunds: Table<Refund>,
    events: EventLog,
    endpoints: Table<Endpoint>,
    disputes: Table<Dispute>,
    methods: Table<Method>,
    customers: Table<Customer>,
    products: Table<Product>,
    prices: Table<Price>,
    entries: Table<Entry>,
    /// What came in and went out, by currency.
    funds: HashMap<Arc<str>, Funds>,
    /// What is on its way to the balance: when, and how much of which currency.
    arriving: VecDeque<(i64, Arc<str>, i64)>,
    /// Words that very many rows have in common, such as currencies.
    words: HashSet<Arc<str>>,
    /// What happens by itself.
    agenda: Agenda,
    deliveries: Deliveries,
    keys: Keys,
    /// The request being handled; none while the payer or time acts.
    cause: Option<Arc<Cause>>,
    faults: Faults,
    /// Whether the request being handled came from a browser, with the publishable key.
    publishable: bool,
    /// The second that requests are counted in, and how many came.
    rate: (i64, u32),
    /// What goes wrong with the request being handled.
    fault: Option<ApiFault>,
    /// Messages that were handed over.
    inbox: Inbox,
    /// How far the clock was moved ahead, for whoever starts the sandbox again.
    clock_ahead_ms: i64,
    /// What changed something and was not taken yet.
    inputs: Vec<Input>,
}

impl Core {
    /// An account with nothing in it.
    pub fn new(config: Config, now_ms: i64) -> Self {
        let mut ids = Ids::new(config.seed);
        let account = ids.text("acct_1", 15).into();
        Self {
            account,
            opened: now_ms.div_euclid(1_000),
            ids,
            noise: Ids::new(!config.seed),
            now_ms,
            sessions: Table::default(),
            intents: Table::default(),
            charges: Table::default(),
            refunds: Table::default(),
            events: EventLog::default(),
            endpoints: Table::default(),
            disputes: Table::default(),
            methods: Table::default(),
            customers: Table::default(),
            products: Table::default(),
            prices: Table::default(),
            entries: Table::default(),
            funds: HashMap::new(),
            arriving: VecDeque::new(),
            words: HashSet::new(),
            agenda: Agenda::default(),
            deliveries: Deliveries::default(),
            keys: Keys::default(),
            cause: None,
            faults: Faults::new(config.seed),
            fault: None,
            publishable: false,
            rate: (0, 0),
            inbox: Inbox::default(),
            clock_ahead_ms: 0,
            inputs: Vec::new(),
            config,
        }
    }

    /// Answers one API request, as the rules for faults have it.
    pub fn handle(&mut self, request: &ApiRequest, now_ms: i64) -> ApiResponse {
        let fault = self.next_fault(request);
        self.handle_with(request, fault, now_ms)
    }

    /// Answers one API request, and lets this go wrong with it. A caller that waits before it
    /// hands a delayed request in asks [`Core::next_fault`] first.
    pub fn handle_with(
        &mut self,
        request: &ApiRequest,
        fault: Option<ApiFault>,
        now_ms: i64,
    ) -> ApiResponse {
        if fault == Some(ApiFault::Duplicate) {
            self.handle_with(request, None, now_ms);
            return self.handle_with(request, None, now_ms);
        }
        self.advance(now_ms);
        let request_id = self.noise.request();
        self.fault = fault;
        let answer = self.answer(request, &request_id);
        (self.cause, self.fault, self.publishable) = (None, None, false);
        let mut response = self.written(request, &request_id, answer);
        if let Some(ApiFault::DelayAfter(ms)) = fault {
            response.ready_at_ms = response.ready_at_ms.saturating_add(i64::from(ms));
        }
        response.arrival = fault.map(ApiFault::arrival).unwrap_or_default();
        response
    }

    /// The refusal of a request whose body is too long to be read.
    pub fn refuse_oversized(&mut self, request: &ApiRequest, now_ms: i64) -> ApiResponse {
        self.advance(now_ms);
        let request_id = self.noise.request();
        let answer = Answer::at_once(Err(ApiError::too_large()), self.now_ms);
        self.written(request, &request_id, answer)
    }

    /// A word that is kept once for all. Only for words of which there are few.
    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        self.words.insert(word.clone());
        word
    }

    fn now_s(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }

    fn answer(&mut self, request: &ApiRequest, request_id: &Id) -> Answer {
        if let Err(error) = self.admit(request) {
            return Answer::at_once(Err(error), self.now_ms);
        }
        let answer = self.admitted(request, request_id);
        self.record_call(request, request_id);
        answer
    }

    /// Answers a request whose key is good.
    fn admitted(&mut self, request: &ApiRequest, request_id: &Id) -> Answer {
        let key: Option<Arc<str>> = request.key().map(Arc::from);
        let cause = Cause { request: request_id.clone(), idempotency_key: key.clone() };
        self.cause = (request.method != "GET").then(|| cause.into());
        let refusal = self.fault.and_then(|fault| fault.refusal(request));
        if let Some(error) = refusal.clone().filter(|error| !error.stored) {
            return Answer::at_once(Err(error), self.now_ms);
        }
        let Some(key) = key else {
            let result = refusal.map_or_else(|| self.call(request), Err);
            return Answer::at_once(self.failed_after(result), self.now_ms);
        };
        match self.keys.look_up(&key, &request.path, &request.body, self.now_ms) {
            Err(error) => Answer::at_once(Err(error), self.now_ms),
            Ok(Seen::Answered(stored)) => Answer {
                replayed: Some(stored.request_id.clone()),
                ..Answer::at_once(stored.result.clone(), self.now_ms)
            },
            Ok(Seen::Never) => self.execute(request, &key, request_id),
        }
    }

    fn execute(&mut self, request: &ApiRequest, key: &Arc<str>, request_id: &Id) -> Answer {
        let refusal = self.fault.and_then(|fault| fault.refusal(request));
        let result = refusal.map_or_else(|| self.call(request), Err);
        let result = self.failed_after(result);
        let took_ms = i64::try_from(self.config.answer_time_ms).unwrap_or(i64::MAX);
        let ready_at_ms = self.now_ms.saturating_add(took_ms);
        if result.as_ref().map_or_else(|error| error.stored, |_| true) {
            let what = (request.path.as_str(), request.body.as_slice());
            let when = (self.now_ms, ready_at_ms);
            self.keys.store(key, what, when, request_id.clone(), result.clone());
        }
        Answer { result, replayed: None, ready_at_ms }
    }

    /// The failure that takes the answer's place once all is done.
    fn failed_after(&self, result: Result<Reply, ApiError>) -> Result<Reply, ApiError> {
        match self.fault {
            Some(ApiFault::ServerErrorAfter) => Err(ApiError::server_error().executed()),
            _ => result,
        }
    }

    /// Parses the parameters and runs the call.
    fn call(&mut self, request: &ApiRequest) -> Result<Reply, ApiError> {
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let encoded = match request.method.as_str() {
            "GET" | "DELETE" => request.query.as_bytes(),
            _ => &request.body,
        };
        let route = calls::route(&request.method, &segments)
            .ok_or_else(|| ApiError::unrecognised_url(&request.method, &request.path))?;
        let parameters = form::parse(encoded)?;
        self.run(route, Fields::new(&parameters))
    }

    fn written(&self, request: &ApiRequest, request_id: &Id, answer: Answer) -> ApiResponse {
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("Request-Id", request_id.to_string()),
            (
                "Stripe-Version",
                request.stripe_version.clone().unwrap_or_else(|| API_VERSION.to_owned()),
            ),
        ];
        if let Some(key) = request.key() {
            headers.push(("Idempotency-Key", key.to_owned()));
        }
        if let Some(original) = &answer.replayed {
            headers.push(("Original-Request", original.to_string()));
            headers.push(("Idempotent-Replayed", "true".to_owned()));
        }
        let (status, value) = match answer.result {
            Ok(reply) => (200, self.json_of(&reply)),
            Err(error) => {
                if error.status == 401 {
                    headers.push(("WWW-Authenticate", "Basic realm=\"Stripe\"".to_owned()));
                }
                if let Some(said) = error.should_retry {
                    headers.push(("Stripe-Should-Retry", said.to_string()));
                }
                // A replay names the first request's log, like the rest of its body.
                let logged = answer.replayed.as_ref().unwrap_or(request_id);
                let intent = error.intent.as_ref().map(|intent| self.intent_json(intent));
                (error.status, render::error(*error.object, intent, logged))
            }
        };
        ApiResponse {
            status,
            headers,
            body: render::bytes(&value),
            ready_at_ms: answer.ready_at_ms,
            arrival: Arrival::Whole,
        }
    }
}

struct Answer {
    result: Result<Reply, ApiError>,
    /// The first request with the key, if this is a replay.
    replayed: Option<Id>,
    ready_at_ms: i64,
}

impl Answer {
    fn at_once(result: Result<Reply, ApiError>, now_ms: i64) -> Self {
        Self { result, replayed: None, ready_at_ms: now_ms }
    }
}

/// Scheme, host and port of an address of a session, for a page's security policy.
pub fn origin(address: &str) -> Option<&str> {
    origin_of(address)
}

#[cfg(test)]
mod tests;
