//! What operators' programs see, and an orderly end.

use crate::handheld::{Handheld, submit};
use crate::money_back::paid;
use crate::world::{GOOD_CARD, World, tenant};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

impl World {
    fn operators(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.as_ref().unwrap().metrics_url().unwrap())
    }
}

#[tokio::test]
async fn health_and_readiness_are_good_while_all_is_well() {
    let world = World::start().await;
    for path in ["/health", "/ready"] {
        for address in [path.to_owned(), world.operators(path)] {
            assert_eq!(world.get(&address).await.status, 200, "{address}");
        }
    }
}

#[tokio::test]
async fn the_numbers_follow_a_payment_and_are_not_for_the_world() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let wrong = [("stripe-signature", "t=1,v1=00")];
    world.post("/api/demo/qr/payment/webhook", &wrong, b"{}".to_vec()).await;
    assert_eq!(world.get("/metrics").await.status, 404);
    let scraped = world.get(&world.operators("/metrics")).await;
    assert!(scraped.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    for part in [
        "holdfast_payments{tenant=\"demo\",state=\"paid\"} 1",
        "holdfast_webhooks_total{result=\"followed\"}",
        "holdfast_webhooks_total{result=\"refused\"} 1",
        "holdfast_stripe_calls_total{call=\"open_session\",result=\"good\"} 1",
        "holdfast_stripe_call_duration_seconds_count{call=\"session\"}",
        "holdfast_http_requests_total{route=\"/O/{order}/pay\",method=\"POST\",status=\"303\"} 1",
        "holdfast_jobs_done_total{kind=\"check_session\",",
        "holdfast_jobs_overdue_seconds{kind=\"end_lifetime\"} 0.000000",
        "holdfast_finance_alerts_unread 0",
        "holdfast_disk_free_bytes ",
    ] {
        assert!(scraped.body.contains(part), "{part}:\n{}", scraped.body);
    }
    for line in scraped.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("holdfast_") && value.parse::<f64>().is_ok(), "{line}");
        assert!(!name.contains("cs_test_") && !name.contains(&payment), "an ID is a label: {line}");
    }
}

#[tokio::test]
async fn a_database_that_takes_no_write_acknowledges_nothing_and_is_not_ready() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let file = world.data().join("holdfast.db");
    let mut other = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    // Somebody else holds the database for longer than anybody waits.
    let refused = submit(&world, order.to_bytes()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    let ready = world.get("/ready").await;
    assert!(ready.status == 503 && ready.body.starts_with("database: "), "{}", ready.body);
    assert_eq!(world.get("/health").await.status, 200, "it is alive all the same");
    other.execute("ROLLBACK").await.unwrap();
    handheld.send(&world, &order).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 1);
    let begun = std::time::Instant::now();
    while world.get("/ready").await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "never ready again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_request_under_way_is_finished_when_the_gateway_stops() {
    let mut world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let body = handheld.order().to_bytes();
    let gateway = world.gateway.take().unwrap();
    let address = gateway.url().strip_prefix("http://").unwrap().to_owned();
    let ready = format!("{}/ready", gateway.metrics_url().unwrap());
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/{}/orders HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\
         content-type: application/cose\r\n\r\n",
        tenant(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..10]).await.unwrap();
    // The first answer of another connection tells that ours was accepted.
    assert_eq!(
        world.http.get(format!("http://{address}/health")).send().await.unwrap().status(),
        200
    );
    let stopping = tokio::spawn(gateway.shutdown());
    let begun = std::time::Instant::now();
    loop {
        let answer = world.http.get(&ready).send().await.unwrap();
        if answer.status() == 503 {
            assert!(answer.text().await.unwrap().starts_with("draining"));
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "it never said that it drains");
    }
    assert!(TcpStream::connect(&address).await.is_err(), "it still takes new connections");
    stream.write_all(&body[10..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 1);
}
