//! Requests and answers without a network.

use super::faults::Arrival;

/// An API request as it came in. Only the headers that matter here.
#[derive(Clone, Debug, Default)]
pub struct ApiRequest {
    /// Upper case.
    pub method: String,
    /// Such as `/v1/account`, without the query.
    pub path: String,
    /// What follows the question mark; empty without one.
    pub query: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// `Stripe-Version`.
    pub stripe_version: Option<String>,
}

impl ApiRequest {
    /// The idempotency key, where one counts: GET and DELETE repeat themselves harmlessly.
    pub(super) fn key(&self) -> Option<&str> {
        self.idempotency_key.as_deref().filter(|key| self.method == "POST" && !key.is_empty())
    }

    /// A GET with a key.
    pub fn get(path: &str, query: &str, key: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: Some(format!("Bearer {key}")),
            ..Self::default()
        }
    }

    /// A form-encoded POST with a key and an idempotency key.
    pub fn post(path: &str, body: &str, key: &str, idempotency_key: &str) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.to_owned(),
            body: body.as_bytes().to_vec(),
            authorization: Some(format!("Bearer {key}")),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            idempotency_key: Some(idempotency_key.to_owned()),
            ..Self::default()
        }
    }
}

/// An answer, ready to be written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
    /// When the answer is due, in Unix milliseconds: later than now only when the sandbox was
    /// told to take its time. The effect is there already.
    pub ready_at_ms: i64,
    /// How it reaches the caller.
    pub arrival: Arrival,
}

impl ApiResponse {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
