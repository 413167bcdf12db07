//! The levers of a running sandbox, over real connections: faults, clock, triggers, listeners.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of an integration test for production code"
)]

use std::time::Duration;

use holdfast_sandbox::core::ApiRequest;
use holdfast_sandbox::{Options, Remote, RemoteError, Running, start};
use holdfast_stripe::objects::{Metadata, PaymentIntent};
use holdfast_stripe::request::CreateIntent;
use holdfast_stripe::retry::RetryPolicy;
use holdfast_stripe::{
    ApiKey, CallError, Client, ClientConfig, Currency, FrozenRequest, Money, UnknownWhy,
};

const KEY: &str = "sk_test_desk";

/// A client that tries once.
fn client(running: &Running) -> Client {
    let mut config = ClientConfig::new(running.url(), ApiKey::parse(KEY).unwrap()).unwrap();
    config.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    Client::new(config).unwrap()
}

fn request(key: &str) -> FrozenRequest {
    let amount = Money::new(1_000, Currency::USD);
    CreateIntent { amount, metadata: Metadata::new() }.freeze(key).unwrap()
}

fn made(running: &Running) -> usize {
    running.handle().with_core(|core, _| core.intents().count())
}

async fn with_fault(rule: &str) -> Running {
    let faults = vec![rule.parse().unwrap()];
    start(Options { faults, ..Options::default() }).await.unwrap()
}

/// No answer, or half of one, is unknown to the caller; what happened is found by the same request.
#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_same_request_finds_out() {
    for (rule, effect) in [("drop", 0), ("drop-after", 1), ("truncate", 0), ("truncate-after", 1)] {
        let running = with_fault(&format!("POST {rule} x1")).await;
        let stripe = client(&running);
        let lost = stripe.send::<PaymentIntent>(&request("k")).await.unwrap_err();
        let CallError::Unknown { why: UnknownWhy::NoAnswer, .. } = lost else {
            panic!("{rule}: {lost:?}");
        };
        assert_eq!(made(&running), effect, "{rule}");
        stripe.send::<PaymentIntent>(&request("k")).await.unwrap();
        assert_eq!(made(&running), 1, "{rule}: never two");
        running.shutdown().await;
    }
}

#[tokio::test]
async fn a_late_request_has_no_effect_until_it_arrives() {
    let running = with_fault("delay=300 x1").await;
    let stripe = client(&running);
    let (request, handle) = (request("k"), running.handle());
    let late = tokio::spawn(async move { stripe.send::<PaymentIntent>(&request).await });
    let busy = || handle.with_core(|core, _| core.faults()[0].times == Some(0));
    while !busy() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(made(&running), 0);
    late.await.unwrap().unwrap();
    assert_eq!(made(&running), 1);
    running.shutdown().await;
}

#[tokio::test]
async fn storms_are_told_apart_by_our_client() {
    let running = start(Options::default()).await.unwrap();
    let remote = Remote::new(running.url()).unwrap();
    for (rule, unknown) in [("409", true), ("429", false), ("500", true), ("503", true)] {
        let rules = remote.set_faults(&[format!("/v1/payment_intents {rule}")]).await.unwrap();
        assert_eq!(rules, [format!("/v1/payment_intents {rule}")]);
        let error = client(&running).send::<PaymentIntent>(&request(rule)).await.unwrap_err();
        assert_eq!(matches!(error, CallError::Unknown { .. }), unknown, "{rule}: {error:?}");
        assert_eq!(matches!(error, CallError::RateLimited { .. }), !unknown, "{rule}");
    }
    assert!(remote.set_faults(&[]).await.unwrap().is_empty());
    assert!(remote.faults().await.unwrap().is_empty());
    let wrong = remote.set_faults(&["now and then".to_owned()]).await.unwrap_err();
    assert!(matches!(wrong, RemoteError::Refused(_)), "{wrong}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_clock_by_hand_moves_by_hand_alone() {
    let running = start(Options { clock_by_hand: true, ..Options::default() }).await.unwrap();
    let remote = Remote::new(running.url()).unwrap();
    let before = remote.advance(Duration::ZERO).await.unwrap();
    let after = remote.advance(Duration::from_secs(90)).await.unwrap();
    assert_eq!(after - before, 90_000);
    running.handle().with_core(|_, now_ms| assert_eq!(now_ms, after));
    running.shutdown().await;
}

#[tokio::test]
async fn a_trigger_is_heard_by_whoever_listens() {
    let running = start(Options::default()).await.unwrap();
    let remote = Remote::new(running.url()).unwrap();
    let listening = remote.listen(&["payment_intent.succeeded".to_owned()]).await.unwrap();
    let made = remote.trigger("payment_intent.succeeded").await.unwrap();
    let heard = remote.heard(&listening).await.unwrap();
    assert_eq!(heard.len(), 1);
    let wanted = made.iter().find(|(kind, _)| kind == "payment_intent.succeeded").unwrap();
    assert_eq!(heard[0].event, wanted.1);
    let secret = holdfast_stripe::WebhookSecret::parse(&listening.secret).unwrap();
    let signature = Some(heard[0].signature.as_str());
    let body = heard[0].body.as_bytes();
    holdfast_stripe::webhook::verify(body, signature, &[secret], i64::MIN, 0).unwrap();
    remote.stop_listening(&listening).await.unwrap();
    assert!(matches!(remote.heard(&listening).await, Err(RemoteError::Refused(_))));
    let unknown = remote.trigger("moon.full").await.unwrap_err();
    assert!(unknown.to_string().contains("payment_intent.succeeded"), "{unknown}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_page_from_elsewhere_pulls_no_lever() {
    let running = start(Options::default()).await.unwrap();
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(holdfast_stripe::tls::client_config().unwrap())
        .no_proxy()
        .build()
        .unwrap();
    let at = format!("{}/_sandbox/clock", running.url());
    for (header, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "same-origin", 200),
        ("origin", running.url(), 200),
    ] {
        let answer = http.post(&at).header(header, value).body("advance_s=1").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{header}: {value}");
    }
    assert_eq!(http.post(&at).body("advance_s=-1").send().await.unwrap().status().as_u16(), 400);
    let nobody = Remote::new("http://127.0.0.1:1").unwrap().faults().await.unwrap_err();
    assert!(matches!(nobody, RemoteError::Unreachable { .. }), "{nobody}");
    running.handle().with_core(|core, now_ms| {
        assert_eq!(core.handle(&ApiRequest::get("/v1/account", "", KEY), now_ms).status, 200);
    });
    running.shutdown().await;
}
