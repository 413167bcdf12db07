//! The core driven as its callers drive it.

mod api;
mod control;
mod faults;
mod intents;
mod keyring;
mod keys;
mod money;
mod payer;
mod replay;
mod shapes;
mod webhooks;

use holdfast_stripe::WebhookSecret;
use serde_json::Value;

use super::*;

/// 23 November 2026, in Unix milliseconds.
const START_MS: i64 = 1_795_392_000_000;
const KEY: &str = "sk_test_desk";
const SECRET: &str = "whsec_desk";

const SESSION: &str = "mode=payment&success_url=https%3A%2F%2Fpay.example%2Freturn%3Fs%3D\
    {CHECKOUT_SESSION_ID}&cancel_url=https%3A%2F%2Fpay.example%2Fp&client_reference_id=p-1\
    &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=1250\
    &line_items[0][price_data][product_data][name]=Parking+fine&line_items[0][quantity]=2\
    &metadata[payment]=p-1&payment_intent_data[metadata][payment]=p-1";

/// A sandbox with a hand on its clock.
struct Desk {
    core: Core,
    now_ms: i64,
    keys_used: u32,
}

impl Desk {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(7, "http://127.0.0.1:4010");
        change(&mut config);
        Self { core: Core::new(config, START_MS), now_ms: START_MS, keys_used: 0 }
    }

    fn with_endpoint() -> Self {
        let mut desk = Self::new();
        desk.core.set_targets(&[target("http://127.0.0.1:1/hook")], START_MS);
        desk
    }

    fn pass_ms(&mut self, ms: i64) {
        self.now_ms += ms;
    }

    fn get(&mut self, path: &str, query: &str) -> (u16, Value) {
        let response = self.core.handle(&ApiRequest::get(path, query, KEY), self.now_ms);
        (response.status, json(&response))
    }

    /// A POST under a key of its own.
    fn post(&mut self, path: &str, body: &str) -> (u16, Value) {
        self.keys_used += 1;
        let response = self.post_under(&format!("k{}", self.keys_used), path, body);
        (response.status, json(&response))
    }

    fn post_under(&mut self, key: &str, path: &str, body: &str) -> ApiResponse {
        self.core.handle(&ApiRequest::post(path, body, KEY, key), self.now_ms)
    }

    fn session(&mut self) -> String {
        let (status, session) = self.post("/v1/checkout/sessions", SESSION);
        assert_eq!(status, 200, "{session}");
        session["id"].as_str().unwrap().to_owned()
    }

    fn pay(&mut self, session: &str, number: &str) -> PayOutcome {
        self.core.pay_session(session, &CardForm::test(number), self.now_ms)
    }

    /// A PaymentIntent of 1000 that is confirmed at once with a test card.
    fn intent(&mut self, card: &str, more: &str) -> (u16, Value) {
        let card = format!("payment_method=pm_card_{card}&payment_method_types[]=card");
        self.post(
            "/v1/payment_intents",
            &format!("amount=1000&currency=usd&confirm=true&{card}{more}"),
        )
    }

    fn kinds(&self) -> Vec<String> {
        self.core.events().map(|event| event.kind.to_string()).collect()
    }
}

fn target(url: &str) -> WebhookTarget {
    let secret = WebhookSecret::parse(SECRET).unwrap();
    WebhookTarget { url: url.to_owned(), secret, events: Vec::new() }
}

fn json(response: &ApiResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}
