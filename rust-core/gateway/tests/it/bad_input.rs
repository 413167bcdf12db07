//! What strangers may send to the webhook, and what it costs.

use crate::world::{Setup, WEBHOOK_SECRET, World};
use holdfast_stripe::{WebhookSecret, webhook};
use reqwest::Method;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/api/demo/qr/payment/webhook";
const GOOD: &str =
    r#"{"id":"evt_1","type":"moon.phase","created":1,"livemode":false,"data":{"object":{}}}"#;

async fn quiet() -> World {
    World::with(Setup { webhooks: false, ..Setup::default() }).await
}

fn signed(world: &World, body: &[u8]) -> String {
    let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
    webhook::sign(body, &[secret], world.now_ms() / 1000)
}

async fn send(world: &World, kind: &str, body: &[u8]) -> u16 {
    let signature = signed(world, body);
    let headers = [("stripe-signature", signature.as_str()), ("content-type", kind)];
    world.post(PATH, &headers, body.to_vec()).await.status.as_u16()
}

/// Sends a head and no body; what is answered, until the connection ends.
async fn only_the_head(world: &World, head: &str) -> String {
    let address = world.url("").strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head =
        format!("POST {PATH} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{head}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(30), read).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn ten_megabytes_are_refused_before_they_are_read() {
    let world = quiet().await;
    let begun = Instant::now();
    let answer =
        only_the_head(&world, "stripe-signature: t=1,v1=00\r\ncontent-length: 10485760\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it waited for the body");
    // Without a length the body is read as far as an event may be long.
    let chunked = "stripe-signature: t=1,v1=00\r\ntransfer-encoding: chunked\r\n";
    let address = world.url("").strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: {address}\r\n{chunked}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let part = vec![b'x'; 0x10000];
    for _ in 0..160 {
        // The gateway hangs up somewhere in between.
        let sent = async {
            stream.write_all(b"10000\r\n").await?;
            stream.write_all(&part).await?;
            stream.write_all(b"\r\n").await
        };
        if sent.await.is_err() {
            break;
        }
    }
    world
        .until("SELECT COUNT(*) FROM deliveries WHERE outcome = 'too_large' AND answer = 413", 2)
        .await;
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
}

#[tokio::test]
async fn a_body_that_trickles_in_is_not_waited_for() {
    let world = quiet().await;
    let answer =
        only_the_head(&world, "stripe-signature: t=1,v1=00\r\ncontent-length: 100\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("did not arrive in time"),
        "{answer}"
    );
    assert_eq!(world.text("SELECT outcome FROM deliveries").await, "too_slow");
}

#[tokio::test]
async fn without_a_signature_the_body_is_not_even_read() {
    let world = quiet().await;
    let answer = only_the_head(&world, "content-length: 100\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(world.text("SELECT outcome FROM deliveries").await, "unsigned");
}

#[tokio::test]
async fn the_content_type_decides_nothing() {
    let world = quiet().await;
    for kind in
        ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
    {
        assert_eq!(send(&world, kind, GOOD.as_bytes()).await, 200, "{kind}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 1);
}

#[tokio::test]
async fn garbage_and_deep_json_are_refused_even_when_signed() {
    let world = quiet().await;
    let deep = "[".repeat(200_000);
    let deep_event = format!(
        r#"{{"id":"evt_2","type":"moon.phase","created":1,"livemode":false,"data":{{"object":{}1{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let with_nul = "{\"id\":\"evt_\u{0}\",\"type\":1}";
    for body in [deep.as_str(), &deep_event, "\u{feff}{}", with_nul, "{\"id\":", "\"", "9e999"] {
        assert_eq!(send(&world, "application/json", body.as_bytes()).await, 400, "{body:.40}");
    }
    assert_eq!(send(&world, "application/json", &[0xFF, 0xFE, 0x00]).await, 400);
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM deliveries WHERE outcome = 'not_an_event'").await,
        8
    );
    // And it still works.
    assert_eq!(send(&world, "application/json", GOOD.as_bytes()).await, 200);
}

#[tokio::test]
async fn only_post_is_taken() {
    let world = quiet().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        for path in [PATH, "/api/system/payments/stripe/callback"] {
            let answer = world.send(method.clone(), path, &[], vec![]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_a_delivery_says_is_shown_and_never_run() {
    let world = quiet().await;
    let office = crate::office::Office::sign_in(&world).await;
    let evil = r#"{"id":"evt_<script>alert(1)</script>","type":"<img src=x>","created":1,"livemode":false,"api_version":"<b>","data":{"object":{}}}"#;
    assert_eq!(send(&world, "application/json", evil.as_bytes()).await, 200);
    let headers = [("stripe-signature", "t=1,v1=00")];
    world.post("/%3Cscript%3E/\"'<b>", &headers, vec![]).await;
    let page = office.get("/admin/deliveries").await.body;
    assert!(page.contains("&#60;img src=x&#62;") && !page.contains("<img src=x>"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<b>"), "{page}");
}
