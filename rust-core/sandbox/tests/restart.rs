//! A sandbox with a folder, stopped and started again: whatever a person set up or did is there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of an integration test for production code"
)]

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast_sandbox::{Options, Remote, Running, start};
use serde_json::Value;

const KEY: &str = "sk_test_abcdefghdesk";
const DAY: Duration = Duration::from_secs(24 * 3_600);

struct Visitor {
    http: reqwest::Client,
    url: String,
}

impl Visitor {
    fn of(running: &Running) -> Self {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(holdfast_stripe::tls::client_config().unwrap())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, url: running.url().to_owned() }
    }

    async fn page(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(KEY);
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).unwrap()
    }

    async fn post(&self, path: &str, body: &str) -> u16 {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(KEY);
        let form = request.header("Content-Type", "application/x-www-form-urlencoded");
        form.body(body.to_owned()).send().await.unwrap().status().as_u16()
    }

    async fn status_with(&self, key: &str) -> u16 {
        let request = self.http.get(format!("{}/v1/charges", self.url)).bearer_auth(key);
        request.send().await.unwrap().status().as_u16()
    }
}

async fn plainly(folder: &Path) -> Running {
    start(Options { data_dir: Some(folder.to_owned()), ..Options::default() }).await.unwrap()
}

fn system_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// The clock, in milliseconds ahead of the system's.
async fn ahead_ms(visitor: &Visitor) -> i64 {
    visitor.json("/_sandbox/clock").await["now_ms"].as_i64().unwrap() - system_ms()
}

#[tokio::test]
async fn what_was_set_up_and_done_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        data_dir: Some(folder.path().to_owned()),
        webhooks: vec!["http://127.0.0.1:9/hook=whsec_kept".parse().unwrap()],
        api_keys: vec![KEY.parse().unwrap(), "rk_test_clerk12345678=charge_read".parse().unwrap()],
        faults: vec!["POST /v1/refunds 500 x3".parse().unwrap()],
        ..Options::default()
    };
    let running = start(options).await.unwrap();
    let before = Visitor::of(&running);
    let link = "channel=email&to=sam%40example.com&subject=Pay&text=https%3A%2F%2Fpay.example%2Fo";
    assert_eq!(before.post("/_sandbox/inbox", link).await, 200);
    assert_eq!(before.post("/v1/refunds", "").await, 500, "one of three strikes");
    let hook = "url=http%3A%2F%2F127.0.0.1%3A9%2Fother&enabled_events[]=charge.refunded";
    assert_eq!(before.post("/v1/webhook_endpoints", hook).await, 200);
    let endpoints = before.json("/v1/webhook_endpoints").await;
    let configured = endpoints["data"][1]["id"].as_str().unwrap().to_owned();
    let roll = format!("/dashboard/webhooks/{configured}/roll");
    before.post(&roll, "overlap_s=86400").await;
    Remote::new(running.url()).unwrap().advance(DAY).await.unwrap();
    let made = before.post("/v1/payment_intents", "amount=1000&currency=usd").await;
    assert_eq!(made, 200);
    let inbox = before.page("/dashboard/inbox").await;
    assert!(inbox.contains("sam@example.com"), "{inbox}");
    let secret_page = before.page(&format!("/dashboard/webhooks/{configured}")).await;
    running.shutdown().await;

    let running = plainly(folder.path()).await;
    let after = Visitor::of(&running);
    assert_eq!(after.page("/dashboard/inbox").await, inbox);
    assert_eq!(after.json("/v1/webhook_endpoints").await, endpoints);
    assert_eq!(after.page(&format!("/dashboard/webhooks/{configured}")).await, secret_page);
    assert_eq!(after.json("/v1/payment_intents").await["data"].as_array().unwrap().len(), 1);
    let keys = after.page("/dashboard/apikeys").await;
    assert!(keys.contains("desk") && keys.contains("charge_read"), "{keys}");
    assert_eq!(after.status_with("sk_test_stranger").await, 401);
    assert_eq!(after.status_with("rk_test_clerk12345678").await, 200);
    let faults = after.json("/_sandbox/faults").await;
    assert_eq!(faults["rules"][0], "POST /v1/refunds 500 x2");
    let day_ms = i64::try_from(DAY.as_millis()).unwrap();
    let off_ms = ahead_ms(&after).await - day_ms;
    assert!(off_ms.abs() < 60_000, "the clock is {off_ms} ms off");
    let kept = std::fs::read_to_string(folder.path().join("sandbox.journal")).unwrap();
    assert!(!kept.contains("abcdefgh"), "a key is kept as its digest alone");
    running.shutdown().await;

    let data_dir = Some(folder.path().to_owned());
    let every_key = Options { data_dir, every_key: true, ..Options::default() };
    let running = start(every_key).await.unwrap();
    assert_eq!(Visitor::of(&running).status_with("sk_test_stranger").await, 200);
    running.shutdown().await;
}

#[tokio::test]
async fn a_clock_by_hand_stands_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let by_hand = || Options {
        data_dir: Some(folder.path().to_owned()),
        clock_by_hand: true,
        ..Options::default()
    };
    let running = start(by_hand()).await.unwrap();
    let stood_ms = Remote::new(running.url()).unwrap().advance(DAY).await.unwrap();
    running.shutdown().await;
    let running = start(by_hand()).await.unwrap();
    let clock = Visitor::of(&running).json("/_sandbox/clock").await;
    assert_eq!(clock["now_ms"], stood_ms);
    running.shutdown().await;
}
