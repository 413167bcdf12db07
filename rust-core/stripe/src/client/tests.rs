//! The client against a scripted server: each connection gets the next answer of a script.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::error::UnknownWhy;
use crate::keys::ApiKey;
use crate::objects::{CheckoutSession, PaymentIntent, Refund};
use crate::rate::RateLimit;
use crate::retry::RetryPolicy;

const KEY: &str = "sk_test_51AbcdefghijkWXYZ";

const INTENT: &str = r#"{"id":"pi_1","amount":50,"created":1,"currency":"usd","livemode":false,
    "status":"requires_payment_method"}"#;

/// What the server does with one connection.
enum Act {
    /// Answers with status, headers and body.
    Answer(u16, &'static str, &'static str),
    /// Reads the request and closes.
    Vanish,
    /// Announces more bytes than it sends.
    Truncate,
}

/// Notes waits in place of waiting; its time is what was waited.
#[derive(Default)]
struct NotedPace(Mutex<Vec<Duration>>);

impl Pace for NotedPace {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }

    fn jitter(&self) -> u64 {
        0
    }

    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().unwrap().push(wait);
        Box::pin(std::future::ready(()))
    }
}

struct Script {
    base: String,
    client: Client,
    pace: Arc<NotedPace>,
    server: std::thread::JoinHandle<Vec<String>>,
}

fn script(acts: Vec<Act>) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        acts.into_iter().map(|act| serve(listener.accept().unwrap().0, &act)).collect()
    });
    let pace = Arc::new(NotedPace::default());
    let client = client_for(&base, pace.clone());
    Script { base, client, pace, server }
}

fn client_for(base: &str, pace: Arc<NotedPace>) -> Client {
    Client::with_pace(config_for(base, KEY), pace).unwrap()
}

fn config_for(base: &str, key: &str) -> ClientConfig {
    ClientConfig::new(base, ApiKey::parse(key).unwrap()).unwrap()
}

/// Reads one request whole, acts, and returns what was read.
fn serve(mut stream: TcpStream, act: &Act) -> String {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&read) {
        let count = stream.read(&mut chunk).unwrap();
        read.extend_from_slice(&chunk[..count]);
    }
    match act {
        Act::Answer(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\nrequest-id: req_1\r\n\
                 content-length: {length}\r\n{headers}\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
        }
        Act::Vanish => {}
        Act::Truncate => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{\"id\":").unwrap();
        }
    }
    String::from_utf8(read).unwrap()
}

fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .next()
        .unwrap_or(0);
    body.len() >= length
}

fn frozen() -> FrozenRequest {
    FrozenRequest {
        path: "/v1/payment_intents".into(),
        body: "amount=50&currency=usd".into(),
        idempotency_key: "p-1/intent/1".into(),
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_bytes() {
    let script = script(vec![
        Act::Vanish,
        Act::Truncate,
        Act::Answer(500, "", "{}"),
        Act::Answer(200, "Idempotent-Replayed: true\r\n", INTENT),
    ]);
    let intent: PaymentIntent = script.client.send(&frozen()).await.unwrap();
    assert_eq!(intent.id, "pi_1");
    let requests = script.server.join().unwrap();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| *request == requests[0]), "bytes differ");
    let head = requests[0].to_ascii_lowercase();
    for line in [
        "post /v1/payment_intents http/1.1",
        "idempotency-key: p-1/intent/1",
        "stripe-version: 2026-08-26.dahlia",
        "content-type: application/x-www-form-urlencoded",
        "authorization: bearer sk_test_51abcdefghijkwxyz",
    ] {
        assert!(head.contains(line), "{line} is missing in\n{head}");
    }
    assert!(requests[0].ends_with("amount=50&currency=usd"));
    let waits = script.pace.0.lock().unwrap().clone();
    assert_eq!(waits, [500, 1_000, 2_000].map(Duration::from_millis));
}

#[tokio::test]
async fn no_answer_at_all_is_unknown_and_bounded() {
    let script = script((0..4).map(|_| Act::Vanish).collect());
    let error = script.client.send::<PaymentIntent>(&frozen()).await.unwrap_err();
    assert_eq!(error, CallError::Unknown { why: UnknownWhy::NoAnswer, request_id: None });
    assert_eq!(script.server.join().unwrap().len(), 4);
}

#[tokio::test]
async fn a_timeout_followed_by_409_is_unknown_never_declined() {
    let busy = r#"{"error":{"type":"invalid_request_error","code":"idempotency_key_in_use"}}"#;
    let script = script(vec![
        Act::Vanish,
        Act::Answer(409, "", busy),
        Act::Answer(409, "", busy),
        Act::Answer(409, "", busy),
    ]);
    let error = script.client.send::<PaymentIntent>(&frozen()).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown { why: UnknownWhy::InFlight, .. }), "{error:?}");
}

#[tokio::test]
async fn a_lost_answer_followed_by_a_rejected_key_stays_unknown() {
    let refused = r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key"}}"#;
    let script = script(vec![Act::Vanish, Act::Answer(401, "", refused)]);
    let error = script.client.send::<PaymentIntent>(&frozen()).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown { why: UnknownWhy::NoAnswer, .. }), "{error:?}");
}

#[tokio::test]
async fn a_replayed_server_error_is_not_sent_again() {
    let script = script(vec![Act::Answer(500, "Idempotent-Replayed: true\r\n", "{}")]);
    let error = script.client.send::<PaymentIntent>(&frozen()).await.unwrap_err();
    let why = UnknownWhy::ServerError { status: 500, replayed: true };
    assert_eq!(error, CallError::Unknown { why, request_id: Some("req_1".into()) });
}

#[tokio::test]
async fn a_200_that_is_no_object_is_unknown_and_a_redirect_is_not_followed() {
    let garbled = script(vec![Act::Answer(200, "", "<html>")]);
    let error = garbled.client.send::<Refund>(&frozen()).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown { why: UnknownWhy::Garbled { status: 200 }, .. }));

    let moved = script(vec![Act::Answer(302, "location: http://127.0.0.1:1/\r\n", "")]);
    let error = moved.client.send::<Refund>(&frozen()).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown { why: UnknownWhy::Garbled { status: 302 }, .. }));
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pace = Arc::new(NotedPace::default());
    let client = client_for(&format!("http://{closed}"), pace.clone());
    let error = client.send::<PaymentIntent>(&frozen()).await.unwrap_err();
    assert_eq!(error, CallError::NotSent(NotSentWhy::NoConnection));
    assert_eq!(pace.0.lock().unwrap().len(), 3);
    assert!(!format!("{error:?} {error}").contains(KEY));
}

#[tokio::test]
async fn a_path_cannot_lead_to_another_host_or_call() {
    let client = client_for("http://127.0.0.1:9", Arc::default());
    let elsewhere = FrozenRequest { path: "//evil.example/v1".into(), ..frozen() };
    let error = client.send::<PaymentIntent>(&elsewhere).await.unwrap_err();
    assert_eq!(error, CallError::NotSent(NotSentWhy::Malformed));
    let error = client.checkout_session("../account").await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSentWhy::Id(_))));
}

#[tokio::test]
async fn a_session_is_found_again_by_its_reference_over_several_pages() {
    let first = r#"{"has_more":true,"data":[{"id":"cs_test_2","created":2,"expires_at":3,
        "livemode":false,"mode":"payment","payment_status":"unpaid","client_reference_id":"p-2"}]}"#;
    let second = r#"{"has_more":false,"data":[{"id":"cs_test_1","created":1,"expires_at":3,
        "livemode":false,"mode":"payment","payment_status":"unpaid","client_reference_id":"p-1"}]}"#;
    let script = script(vec![Act::Answer(200, "", first), Act::Answer(200, "", second)]);
    let window = Created { from: Some(1), to: Some(9) };
    let found: Vec<CheckoutSession> =
        script.client.checkout_sessions_of("p-1", window).await.unwrap();
    assert_eq!(found.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["cs_test_1"]);
    let requests = script.server.join().unwrap();
    assert!(requests[0].contains("created%5Bgte%5D=1&created%5Blte%5D=9"), "{}", requests[0]);
    assert!(requests[1].contains("starting_after=cs_test_2"), "{}", requests[1]);
}

/// A client of its own for a script's server, that sends so few a second.
fn slow_client(script: &Script, per_s: u32, kept_for_acts: u32) -> Client {
    let mut config = config_for(&script.base, KEY);
    config.rate = RateLimit { per_s, kept_for_acts };
    config.retry.attempts_max = 1;
    config.timeouts.answer = Duration::from_secs(2);
    Client::with_pace(config, script.pace.clone()).unwrap()
}

#[tokio::test]
async fn who_looks_waits_and_who_acts_has_places_of_their_own() {
    let script = script((0..5).map(|_| Act::Answer(200, "", INTENT)).collect());
    let client = slow_client(&script, 3, 1);
    let waits = || script.pace.0.lock().unwrap().clone();
    for _ in 0..2 {
        client.payment_intent("pi_1").await.unwrap();
    }
    assert_eq!(waits(), []);
    client.clone().send::<PaymentIntent>(&frozen()).await.unwrap();
    assert_eq!(waits(), [], "the place that is kept");
    client.clone().payment_intent("pi_1").await.unwrap();
    assert_eq!(waits(), [Duration::from_secs(1)]);
    client.payment_intent("pi_1").await.unwrap();
    assert_eq!(waits(), [Duration::from_secs(1)], "a new second has new places");
}

#[tokio::test]
async fn after_a_429_nobody_with_the_key_sends_for_a_second() {
    let script = script(vec![Act::Answer(429, "", "{}"), Act::Answer(200, "", INTENT)]);
    let client = slow_client(&script, 100, 20);
    let error = client.payment_intent("pi_1").await.unwrap_err();
    let expected = CallError::RateLimited { retry_after_s: None, request_id: Some("req_1".into()) };
    assert_eq!(error, expected);
    client.send::<PaymentIntent>(&frozen()).await.unwrap();
    assert_eq!(*script.pace.0.lock().unwrap(), [Duration::from_secs(1)]);
}

/// Time stands still, so whoever waits waits for ever.
struct StoppedPace;

impl Pace for StoppedPace {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn jitter(&self) -> u64 {
        0
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn where_too_many_wait_already_nothing_is_sent_and_nothing_counts_any_more() {
    let script = script(vec![Act::Answer(200, "", INTENT)]);
    let mut config = config_for(&script.base, KEY);
    config.rate = RateLimit { per_s: 1, kept_for_acts: 0 };
    config.timeouts.answer = Duration::from_secs(1);
    let client = Client::with_pace(config, Arc::new(StoppedPace)).unwrap();
    client.payment_intent("pi_1").await.unwrap();
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.payment_intent("pi_1").await })
        })
        .collect();
    while client.turns.waiting(Purpose::Look) < 2 {
        tokio::task::yield_now().await;
    }
    let error = client.payment_intent("pi_1").await.unwrap_err();
    assert_eq!(error, CallError::RateLimited { retry_after_s: Some(1), request_id: None });
    for one in waiting {
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
    }
    assert_eq!(client.turns.waiting(Purpose::Look), 0);
}

#[test]
fn all_clients_of_a_key_at_an_address_take_turns() {
    let turns = |base, key| Client::new(config_for(base, key)).unwrap().turns;
    let first = turns("http://127.0.0.1:9", KEY);
    assert!(Arc::ptr_eq(&first, &turns("http://127.0.0.1:9", KEY)));
    assert!(!Arc::ptr_eq(&first, &turns("http://127.0.0.1:9", "sk_test_another")));
    assert!(!Arc::ptr_eq(&first, &turns("http://127.0.0.1:8", KEY)));
}

#[test]
fn the_default_policy_is_the_one_that_the_waits_above_assume() {
    assert_eq!(RetryPolicy::default().attempts_max, 4);
}
