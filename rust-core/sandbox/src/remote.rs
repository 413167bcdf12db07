//! A running sandbox from another process: what `holdfast sandbox trigger`, `listen`, `fault` and
//! `advance` do.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::outgoing;
use crate::server::Heard;

/// How long one request waits for deliveries, in seconds.
const WAIT_S: u64 = 20;

/// How long anything may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(40);

/// Why a sandbox does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It is not there.
    #[error(
        "no sandbox answers at {url}: start one with holdfast sandbox --listen, or check --sandbox"
    )]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It refuses.
    #[error("{0}")]
    Refused(String),
    /// Something else answers there.
    #[error("what answers at {0} is no sandbox: check --sandbox")]
    NotASandbox(String),
    /// No client can be made.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// A sandbox at an address.
pub struct Remote {
    url: String,
    http: reqwest::Client,
}

/// Somebody who listens.
#[derive(Clone, Debug, Deserialize)]
pub struct Listening {
    id: String,
    /// What deliveries to this listener are signed with.
    pub secret: String,
}

impl Remote {
    /// Names the sandbox; nothing is sent yet.
    pub fn new(url: &str) -> Result<Self, RemoteError> {
        let http = outgoing::client(ANSWER_TIME_MAX).map_err(RemoteError::Client)?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), http })
    }

    /// Lets an event of this type happen; gives the type and ID of each that came of it.
    pub async fn trigger(&self, kind: &str) -> Result<Vec<(String, String)>, RemoteError> {
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("type", kind).finish();
        let value = self.ask(self.http.post(self.at("trigger")).body(body)).await?;
        let text = |event: &Value, field: &str| {
            event.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let events = value.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(events.iter().map(|event| (text(event, "type"), text(event, "id"))).collect())
    }

    /// Moves the clock ahead; gives where it stands, in Unix milliseconds.
    pub async fn advance(&self, by: Duration) -> Result<i64, RemoteError> {
        let body = format!("advance_ms={}", by.as_millis());
        let value = self.ask(self.http.post(self.at("clock")).body(body)).await?;
        Ok(value.get("now_ms").and_then(Value::as_i64).unwrap_or_default())
    }

    /// Puts rules for faults in force, in place of those before; none clears them.
    pub async fn set_faults(&self, rules: &[String]) -> Result<Vec<String>, RemoteError> {
        self.rules(self.http.put(self.at("faults")).body(rules.join("\n"))).await
    }

    /// The rules for faults in force.
    pub async fn faults(&self) -> Result<Vec<String>, RemoteError> {
        self.rules(self.http.get(self.at("faults"))).await
    }

    /// Begins to listen, to these types or, if there are none, to all.
    pub async fn listen(&self, events: &[String]) -> Result<Listening, RemoteError> {
        let events = events.join(",");
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("events", &events).finish();
        let value = self.ask(self.http.post(self.at("listeners")).body(body)).await?;
        serde_json::from_value(value).map_err(|_| RemoteError::NotASandbox(self.url.clone()))
    }

    /// What arrived for a listener; waits some seconds for something.
    pub async fn heard(&self, listening: &Listening) -> Result<Vec<Heard>, RemoteError> {
        let at = format!("{}/{}?wait_s={WAIT_S}", self.at("listeners"), listening.id);
        let mut value = self.ask(self.http.get(at)).await?;
        serde_json::from_value(value.get_mut("heard").map(Value::take).unwrap_or_default())
            .map_err(|_| RemoteError::NotASandbox(self.url.clone()))
    }

    /// Ends listening.
    pub async fn stop_listening(&self, listening: &Listening) -> Result<(), RemoteError> {
        let at = format!("{}/{}", self.at("listeners"), listening.id);
        self.ask(self.http.delete(at)).await.map(|_| ())
    }

    /// Passes a delivery on; gives the HTTP status, or why there is none.
    pub async fn forward(&self, to: &str, heard: &Heard) -> Result<u16, String> {
        let request = self
            .http
            .post(to)
            .header("Content-Type", "application/json; charset=utf-8")
            .header("User-Agent", "Stripe/1.0 (holdfast sandbox listen)")
            .header(holdfast_stripe::webhook::SIGNATURE_HEADER, &heard.signature)
            .body(heard.body.clone());
        let answer = request.send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
    }

    fn at(&self, lever: &str) -> String {
        format!("{}/_sandbox/{lever}", self.url)
    }

    async fn rules(&self, request: reqwest::RequestBuilder) -> Result<Vec<String>, RemoteError> {
        let mut value = self.ask(request).await?;
        serde_json::from_value(value.get_mut("rules").map(Value::take).unwrap_or_default())
            .map_err(|_| RemoteError::NotASandbox(self.url.clone()))
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Value, RemoteError> {
        let unreachable = |source| RemoteError::Unreachable { url: self.url.clone(), source };
        let answer = request.send().await.map_err(unreachable)?;
        let is_success = answer.status().is_success();
        let body = answer.bytes().await.map_err(unreachable)?;
        let value: Value = serde_json::from_slice(&body)
            .map_err(|_| RemoteError::NotASandbox(self.url.clone()))?;
        if is_success {
            return Ok(value);
        }
        match value.pointer("/error/message").and_then(Value::as_str) {
            Some(why) => Err(RemoteError::Refused(why.to_owned())),
            None => Err(RemoteError::NotASandbox(self.url.clone())),
        }
    }
}
