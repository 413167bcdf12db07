//! Too much, and too slow: on sockets, since that is where it happens.

use super::cases::{Body, CASES};
use super::request::Request;
use super::stage::Stage;
use super::wire::Wire;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is sent, in bytes.
const HUGE: usize = 10 * 1024 * 1024;
/// Above the gateway's own limits of 10, 30 and 60 seconds.
const PATIENCE: Duration = Duration::from_secs(90);

async fn connect(stage: &Stage) -> (TcpStream, String) {
    let address = stage.world.url("").strip_prefix("http://").unwrap().to_owned();
    (TcpStream::connect(&address).await.unwrap(), address)
}

fn head(wire: &Wire, address: &str, framing: &str) -> String {
    let mut head = format!("{} {} HTTP/1.1\r\n{framing}\r\n", wire.method, wire.target);
    if !wire.headers.iter().any(|(name, _)| name == "host") {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in &wire.headers {
        head.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
    }
    head + "\r\n"
}

/// Sends ten megabytes behind a good head, until the gateway answers; its status.
async fn flood(stage: &Stage, wire: &Wire, chunked: bool) -> Option<u16> {
    let (mut stream, address) = connect(stage).await;
    let framing = match chunked {
        true => "transfer-encoding: chunked".to_owned(),
        false => format!("content-length: {HUGE}"),
    };
    stream.write_all(head(wire, &address, &framing).as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let answer = tokio::spawn(async move {
        let mut answer = vec![0; 1024];
        let length = reading.read(&mut answer).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&answer[..length]).into_owned();
        text.split(' ').nth(1).and_then(|status| status.parse().ok())
    });
    let part = vec![b'x'; 0x1000];
    let mut sent = 0;
    while sent < HUGE && !answer.is_finished() {
        let written = async {
            if chunked {
                writing.write_all(b"1000\r\n").await?;
            }
            writing.write_all(&part).await?;
            if chunked { writing.write_all(b"\r\n").await } else { Ok(()) }
        };
        if written.await.is_err() {
            break;
        }
        sent += part.len();
        tokio::task::yield_now().await;
    }
    answer.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_are_let_in_nowhere() {
    let stage = Stage::set().await;
    for case in CASES.iter().filter(|case| !matches!(case.body, Body::None | Body::Token)) {
        for chunked in [false, true] {
            let name = format!("{} {} chunked: {chunked}", case.method, case.route);
            let wire = Request::good(&stage, case).await.wire(&stage);
            assert_eq!(flood(&stage, &wire, chunked).await, Some(413), "{name}");
        }
    }
    assert_eq!(stage.world.get("/health").await.status, 200);
}

/// What comes until the gateway hangs up, and after how long it did.
async fn until_the_end(mut stream: TcpStream) -> (String, Duration) {
    let begun = Instant::now();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "it never hung up: {}", String::from_utf8_lossy(&answer));
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

/// Asks and asks, and takes no answer; after how long the gateway hangs up.
async fn greedy(stage: &Stage) -> Duration {
    let (mut stream, address) = connect(stage).await;
    let asked = format!("GET /assets/holdfast.css HTTP/1.1\r\nhost: {address}\r\n\r\n").repeat(100);
    // Until the gateway reads no more, since nobody takes what it writes.
    while let Ok(Ok(())) =
        tokio::time::timeout(Duration::from_secs(2), stream.write_all(asked.as_bytes())).await
    {}
    let begun = Instant::now();
    while stream.take_error().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it waits for ever");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_is_not_waited_for() {
    let stage = Stage::set().await;
    // Nothing at all, half a head, and a connection that stays open after its answer.
    let (silent, _) = connect(&stage).await;
    let (mut halting, _) = connect(&stage).await;
    halting.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    let (mut idle, address) = connect(&stage).await;
    let health = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n");
    idle.write_all(health.as_bytes()).await.unwrap();
    // Bodies of which the second half never comes.
    let wire = |route: &str| {
        CASES.iter().find(|case| case.route == route && case.method == "POST").unwrap()
    };
    let mut half = Vec::new();
    for (route, limit_s) in [
        ("/api/{tenant}/qr/payment/webhook", 10),
        ("/admin/users", 60),
        ("/api/{tenant}/orders", 60),
    ] {
        let wire = Request::good(&stage, wire(route)).await.wire(&stage);
        let (mut stream, address) = connect(&stage).await;
        let head = head(&wire, &address, "connection: close\r\ncontent-length: 1000");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&wire.body[..20.min(wire.body.len())]).await.unwrap();
        half.push(async move { (route, limit_s, until_the_end(stream).await) });
    }
    let half = futures_util::future::join_all(half);
    let (silent, halting, idle, half, greedy) = tokio::join!(
        until_the_end(silent),
        until_the_end(halting),
        until_the_end(idle),
        half,
        greedy(&stage)
    );
    assert!(greedy.as_secs() < 45, "{greedy:?}");
    for (who, (answer, after)) in [("silent", &silent), ("halting", &halting), ("idle", &idle)] {
        assert!(after.as_secs() < 45, "{who}: {after:?}");
        assert!(!answer.contains("200") || who == "idle", "{who}: {answer}");
    }
    assert!(idle.0.starts_with("HTTP/1.1 200"), "{}", idle.0);
    for (route, limit_s, (answer, after)) in half {
        assert!(answer.starts_with("HTTP/1.1 408"), "{route}: {answer}");
        assert!(after.as_secs() <= limit_s + 15, "{route}: {after:?}");
    }
    assert_eq!(stage.world.get("/health").await.status, 200);
}
