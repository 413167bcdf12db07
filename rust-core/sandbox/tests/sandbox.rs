//! The real server, driven by our own client and a payer's browser made of plain HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of an integration test for production code"
)]

mod endpoint;

use std::time::Duration;

use endpoint::Endpoint;
use holdfast_sandbox::core::{ApiRequest, DeliveryState};
use holdfast_sandbox::{Options, Running, StartError, start};
use holdfast_stripe::objects::{CheckoutSession, EventType, Metadata, PaymentIntent, Refund};
use holdfast_stripe::objects::{SessionPaymentStatus, SessionStatus};
use holdfast_stripe::request::{
    CreateIntent, CreateRefund, CreateSession, CreateWebhookEndpoint, RefundTarget, SessionLine,
    cancel_intent, expire_session,
};
use holdfast_stripe::{
    ApiKey, CallError, Client, ClientConfig, Created, Currency, FrozenRequest, Money, Page,
};

const KEY: &str = "sk_test_desk";

fn client(running: &Running) -> Client {
    let config = ClientConfig::new(running.url(), ApiKey::parse(KEY).unwrap()).unwrap();
    Client::new(config).unwrap()
}

fn browser() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(holdfast_stripe::tls::client_config().unwrap())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn session_request(key: &str) -> FrozenRequest {
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let notes: Metadata = [("payment".to_owned(), "p-1".to_owned())].into();
    let params = CreateSession {
        lines: vec![SessionLine { name: "Parking fine".into(), unit: usd(1_250), quantity: 2 }],
        success_url: "http://127.0.0.1:9/return?session_id={CHECKOUT_SESSION_ID}".into(),
        cancel_url: "http://127.0.0.1:9/p".into(),
        client_reference_id: "p-1".into(),
        metadata: notes.clone(),
        intent_metadata: notes,
        expires_at: i64::try_from(now_s.as_secs()).unwrap() + 7_200,
    };
    params.freeze(key).unwrap()
}

/// Types a card into the hosted page and presses Pay.
async fn press_pay(page: &str, number: &str) -> reqwest::Response {
    let body = format!(
        "email=&cardNumber={}&cardExpiry=12+%2F+34&cardCvc=123&billingName=Test+Payer",
        number.replace(' ', "+")
    );
    post_form(page, body).await
}

async fn post_form(page: &str, body: String) -> reqwest::Response {
    let request = browser().post(page).header("Content-Type", "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap()
}

fn location(response: &reqwest::Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// Opens a session, looks at its page, pays, hears the webhooks, and finds it paid.
#[tokio::test]
async fn a_payment_from_session_to_webhook() {
    let endpoint = Endpoint::start(vec![]).await;
    let options = Options { webhooks: vec![endpoint.target()], ..Options::default() };
    let running = start(options).await.unwrap();
    let stripe = client(&running);
    assert_eq!(stripe.account().await.unwrap().display_name(), Some("Holdfast sandbox"));

    let session: CheckoutSession = stripe.send(&session_request("p-1/1")).await.unwrap();
    let page = session.url.clone().unwrap();
    let shown = browser().get(&page).send().await.unwrap();
    let policy = shown.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:9;"), "{policy}");
    let html = shown.text().await.unwrap();
    for text in ["TEST MODE", "Parking fine", "USD 25.00", "http://127.0.0.1:9/p", "cardNumber"] {
        assert!(html.contains(text), "{text} is missing in {html}");
    }

    let paid = press_pay(&page, "4242 4242 4242 4242").await;
    assert_eq!(paid.status(), 303);
    assert_eq!(location(&paid), format!("http://127.0.0.1:9/return?session_id={}", session.id));

    let events = endpoint.wait_for(4).await;
    let completed = events.iter().find(|e| e.kind == EventType::SessionCompleted).unwrap();
    assert_eq!(completed.data.object["id"], session.id.as_str());

    let session = stripe.checkout_session(&session.id).await.unwrap();
    assert_eq!(session.payment_status, SessionPaymentStatus::Paid);
    let intent = session.payment_intent.as_ref().unwrap().object().unwrap();
    assert_eq!(intent.metadata["payment"], "p-1");
    let charge = intent.latest_charge.as_ref().unwrap().object().unwrap();
    assert_eq!(charge.card().unwrap().last4.as_deref(), Some("4242"));
    let receipt = browser().get(charge.receipt_url.as_ref().unwrap()).send().await.unwrap();
    assert!(receipt.text().await.unwrap().contains("USD 25.00"));

    let again = press_pay(&page, "4242424242424242").await;
    assert_eq!(again.status(), 303, "a second press leads to the same place");
    running.handle().with_core(|core, _| assert_eq!(core.charges().count(), 1));
    running.shutdown().await;
}

#[tokio::test]
async fn a_decline_is_shown_in_place_and_another_card_pays_the_same_session() {
    let running = start(Options::default()).await.unwrap();
    let stripe = client(&running);
    let session: CheckoutSession = stripe.send(&session_request("p-1/1")).await.unwrap();
    let page = session.url.clone().unwrap();

    let declined = press_pay(&page, "4000 0000 0000 9987").await;
    assert_eq!(declined.status(), 402);
    let html = declined.text().await.unwrap();
    assert!(html.contains("Your card was declined.") && html.contains("Test Payer"), "{html}");
    assert!(!html.contains("9987") && !html.to_lowercase().contains("lost"));
    let seen = stripe.checkout_session(&session.id).await.unwrap();
    assert_eq!(seen.status, Some(SessionStatus::Open));
    let intent = seen.payment_intent.unwrap();
    let error = intent.object().unwrap().last_payment_error.as_ref().unwrap();
    assert_eq!(error.decline_code.as_deref(), Some("lost_card"));

    let mistyped = press_pay(&page, "4242 4242 4242 4241").await;
    assert_eq!(mistyped.status(), 422);
    assert!(mistyped.text().await.unwrap().contains("aria-invalid=\"true\""));

    assert_eq!(press_pay(&page, "4242 4242 4242 4242").await.status(), 303);
    let charges = stripe.charges_of(intent.id()).await.unwrap().data;
    assert_eq!(
        charges.iter().map(|c| c.status.as_str()).collect::<Vec<_>>(),
        ["succeeded", "failed"]
    );
    running.shutdown().await;
}

#[tokio::test]
async fn the_banks_question_is_asked_on_a_page_of_its_own() {
    let running = start(Options::default()).await.unwrap();
    let stripe = client(&running);
    let session: CheckoutSession = stripe.send(&session_request("p-1/1")).await.unwrap();
    let page = session.url.clone().unwrap();
    for (answer, status) in [("fail", 402), ("complete", 303)] {
        let asked = press_pay(&page, "4000 0027 6000 3184").await;
        assert_eq!(
            (asked.status().as_u16(), location(&asked)),
            (303, format!("/c/confirm/{}", session.id))
        );
        let confirm = format!("{}{}", running.url(), location(&asked));
        let html = browser().get(&confirm).send().await.unwrap().text().await.unwrap();
        assert!(html.contains("value=\"complete\"") && html.contains("value=\"fail\""));
        let answered = post_form(&confirm, format!("answer={answer}")).await;
        assert_eq!(answered.status().as_u16(), status);
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_frozen_request_sent_twice_is_one_session() {
    let running = start(Options::default()).await.unwrap();
    let stripe = client(&running);
    let frozen = session_request("p-1/1");
    let first: CheckoutSession = stripe.send(&frozen).await.unwrap();
    let second: CheckoutSession = stripe.send(&frozen).await.unwrap();
    assert_eq!(first, second);
    running.handle().with_core(|core, _| assert_eq!(core.sessions().count(), 1));

    let other = FrozenRequest { body: frozen.body.replace("1250", "1251"), ..frozen.clone() };
    let error = stripe.send::<CheckoutSession>(&other).await.unwrap_err();
    assert!(matches!(error, CallError::IdempotencyMismatch(_)), "{error:?}");

    let found = stripe.checkout_sessions_of("p-1", Created::default()).await.unwrap();
    assert_eq!(found.iter().map(|s| &s.id).collect::<Vec<_>>(), [&first.id]);
    running.shutdown().await;
}

/// The first request is still being answered when the second comes: 409, then the same answer.
#[tokio::test]
async fn two_at_once_under_one_key_are_one_session() {
    let answer_time = Duration::from_millis(300);
    let running = start(Options { answer_time, ..Options::default() }).await.unwrap();
    let stripe = client(&running);
    let frozen = session_request("p-1/1");
    let both = tokio::join!(
        stripe.send::<CheckoutSession>(&frozen),
        stripe.send::<CheckoutSession>(&frozen)
    );
    assert_eq!(both.0.unwrap().id, both.1.unwrap().id);
    running.handle().with_core(|core, _| assert_eq!(core.sessions().count(), 1));
    running.shutdown().await;
}

#[tokio::test]
async fn every_endpoint_hears_and_a_failing_one_hears_again() {
    let steady = Endpoint::start(vec![]).await;
    let failing = Endpoint::start(vec![500]).await;
    let webhooks = vec![steady.target(), failing.target()];
    let running = start(Options { webhooks, ..Options::default() }).await.unwrap();
    let stripe = client(&running);
    let session: CheckoutSession = stripe.send(&session_request("p-1/1")).await.unwrap();
    let expired: CheckoutSession =
        stripe.send(&expire_session(&session.id, "p-1/expire").unwrap()).await.unwrap();
    assert_eq!((expired.status, expired.url), (Some(SessionStatus::Expired), None));

    let first = steady.wait_for(1).await;
    assert_eq!(first[0].kind, EventType::SessionExpired);
    failing.wait_for(1).await;
    until(|| running.handle().with_core(|core, _| core.deliveries()[1].attempts.len() == 1)).await;
    let page = Page::default();
    let undelivered = stripe.events(Created::default(), true, &page).await.unwrap().data;
    assert_eq!((undelivered.len(), undelivered[0].pending_webhooks), (1, 1));

    running.handle().skip_ahead(Duration::from_secs(3));
    let again = failing.wait_for(2).await;
    assert_eq!(again[0].id, again[1].id, "the same event, signed anew");
    let delivered = || {
        running.handle().with_core(|core, _| {
            core.deliveries().iter().all(|delivery| delivery.state == DeliveryState::Delivered)
        })
    };
    until(delivered).await;
    assert!(stripe.events(Created::default(), true, &page).await.unwrap().data.is_empty());

    let gone = press_pay(&session.url.unwrap(), "4242 4242 4242 4242").await;
    assert_eq!(gone.status(), 410);
    running.shutdown().await;
}

#[tokio::test]
async fn a_session_that_nobody_pays_expires_by_itself() {
    let endpoint = Endpoint::start(vec![]).await;
    let options = Options { webhooks: vec![endpoint.target()], ..Options::default() };
    let running = start(options).await.unwrap();
    let stripe = client(&running);
    let session: CheckoutSession = stripe.send(&session_request("p-1/1")).await.unwrap();
    running.handle().skip_ahead(Duration::from_secs(7_201));
    let events = endpoint.wait_for(1).await;
    assert_eq!(events[0].kind, EventType::SessionExpired);
    assert_eq!(
        stripe.checkout_session(&session.id).await.unwrap().status,
        Some(SessionStatus::Expired)
    );
    running.shutdown().await;
}

#[tokio::test]
async fn refunds_intents_and_endpoints_answer_our_client() {
    let running = start(Options::default()).await.unwrap();
    let stripe = client(&running);
    let session: CheckoutSession = stripe.send(&session_request("p-1/1")).await.unwrap();
    press_pay(&session.url.unwrap(), "4242 4242 4242 4242").await;
    let paid = stripe.checkout_session(&session.id).await.unwrap();
    let intent = paid.payment_intent.unwrap().id().to_owned();
    let target = RefundTarget::PaymentIntent(intent.clone());
    let params =
        CreateRefund { target, amount: usd(2_500), reason: None, metadata: Metadata::new() };
    let refund: Refund = stripe.send(&params.freeze("p-1/refund/1").unwrap()).await.unwrap();
    assert_eq!(stripe.refund(&refund.id).await.unwrap(), refund);
    assert_eq!(stripe.refunds_of(&intent).await.unwrap().data, [refund]);
    let error = stripe.send::<Refund>(&params.freeze("p-1/refund/2").unwrap()).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)) && error.request_id().is_some(), "{error:?}");

    let create = CreateIntent { amount: usd(100), metadata: Metadata::new() };
    let made: PaymentIntent = stripe.send(&create.freeze("check/1").unwrap()).await.unwrap();
    let canceled: PaymentIntent =
        stripe.send(&cancel_intent(&made.id, "check/2").unwrap()).await.unwrap();
    assert_eq!(canceled.status.as_str(), "canceled");
    assert_eq!(
        stripe.payment_intents(Created::default(), &Page::default()).await.unwrap().data.len(),
        2
    );
    assert!(stripe.payment_intent("pi_none").await.unwrap_err().is_missing());

    let hook = CreateWebhookEndpoint {
        url: "http://127.0.0.1:9/hook".into(),
        enabled_events: vec![EventType::SessionCompleted],
        metadata: Metadata::new(),
    };
    let made: holdfast_stripe::objects::WebhookEndpoint =
        stripe.send(&hook.freeze("hook/1").unwrap()).await.unwrap();
    assert!(made.secret.is_some());
    assert_eq!(stripe.webhook_endpoints().await.unwrap().data.len(), 1);
    assert!(stripe.delete_webhook_endpoint(&made.id).await.unwrap().deleted);
    assert!(stripe.delete_webhook_endpoint(&made.id).await.unwrap_err().is_missing());
    running.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_one_sentence_and_a_huge_body_one_refusal() {
    let running = start(Options::default()).await.unwrap();
    let listen = running.address();
    let error = start(Options { listen, ..Options::default() }).await.err().unwrap();
    assert!(matches!(error, StartError::PortInUse { address } if address == listen));

    let huge =
        post_form(&format!("{}/v1/refunds", running.url()), "a".repeat(2 * 1024 * 1024)).await;
    assert_eq!(huge.status(), 413);
    let unknown =
        browser().get(format!("{}/c/pay/cs_test_none", running.url())).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let handled = running.handle().with_core(|core, now_ms| {
        core.handle(&ApiRequest::get("/v1/account", "", KEY), now_ms).status
    });
    assert_eq!(handled, 200);
    running.shutdown().await;
}

/// Stopped in the middle of a day and started again on another port.
#[tokio::test]
async fn a_data_folder_keeps_everything_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { data_dir: Some(folder.path().join("s")), ..Options::default() };
    let running = start(options()).await.unwrap();
    let open: CheckoutSession = client(&running).send(&session_request("p-1/1")).await.unwrap();
    let paid: CheckoutSession = client(&running).send(&session_request("p-2/1")).await.unwrap();
    press_pay(&paid.url.unwrap(), "4242 4242 4242 4242").await;
    let before = client(&running).checkout_session(&paid.id).await.unwrap();
    let second = start(options()).await.err().unwrap();
    assert!(matches!(second, StartError::DataInUse { .. }), "{second}");
    running.shutdown().await;

    let journal = folder.path().join("s/sandbox.journal");
    let mut torn = std::fs::read(&journal).unwrap();
    torn.extend_from_slice(b"{\"at_ms\":17");
    std::fs::write(&journal, torn).unwrap();
    let running = start(options()).await.unwrap();
    let after = client(&running).checkout_session(&paid.id).await.unwrap();
    let charge = |session: &CheckoutSession| {
        let intent = session.payment_intent.clone().unwrap();
        intent.object().unwrap().latest_charge.as_ref().unwrap().id().to_owned()
    };
    assert_eq!(charge(&after), charge(&before));
    let page = client(&running).checkout_session(&open.id).await.unwrap().url.unwrap();
    assert!(page.starts_with(running.url()), "the page moved along to {page}");
    assert_eq!(press_pay(&page, "4242 4242 4242 4242").await.status(), 303);
    running.shutdown().await;

    let other_seed = start(Options { seed: Some(1), ..options() }).await.err().unwrap();
    assert!(matches!(other_seed, StartError::OtherSeed { .. }), "{other_seed}");
    let running = start(options()).await.unwrap();
    running.handle().with_core(|core, _| assert_eq!(core.charges().count(), 2));
    running.shutdown().await;
}

/// Polls until it holds, or fails after a few seconds.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not become true");
}
