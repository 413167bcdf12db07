//! A merchant's webhook endpoint that verifies what it hears.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use holdfast_sandbox::WebhookTarget;
use holdfast_stripe::WebhookSecret;
use holdfast_stripe::objects::Event;
use holdfast_stripe::webhook::{self, SIGNATURE_HEADER};

/// Deliveries are signed at the sandbox's time, which a test may have moved ahead.
const TOLERANCE_S: i64 = 300;

const SECRET: &str = "whsec_integration";

pub(crate) struct Endpoint {
    url: String,
    heard: Heard,
}

#[derive(Clone, Default)]
struct Heard {
    events: Arc<Mutex<Vec<Event>>>,
    /// Answers to give before it is 200 for good.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Endpoint {
    pub(crate) async fn start(answers: Vec<u16>) -> Self {
        let heard = Heard { answers: Arc::new(Mutex::new(answers)), ..Heard::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(hear)).with_state(heard.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, heard }
    }

    pub(crate) fn target(&self) -> WebhookTarget {
        format!("{}={SECRET}", self.url).parse().unwrap()
    }

    /// Every event heard, once there are so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Event> {
        for _ in 0..500 {
            let events = self.heard.events.lock().unwrap().clone();
            if events.len() >= count {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("heard {} of {count} events", self.heard.events.lock().unwrap().len());
    }
}

async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers.get(SIGNATURE_HEADER).map(|value| value.to_str().unwrap());
    let secret = WebhookSecret::parse(SECRET).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now_s = i64::try_from(now.as_secs()).unwrap();
    webhook::verify(&body, header, &[secret], now_s, TOLERANCE_S).unwrap();
    heard.events.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let mut answers = heard.answers.lock().unwrap();
    let answer = if answers.is_empty() { 200 } else { answers.remove(0) };
    StatusCode::from_u16(answer).unwrap()
}
