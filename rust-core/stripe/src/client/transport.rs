//! One attempt over HTTP. All that knows of reqwest.

use std::time::Duration;

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Method, RequestBuilder, Response};

use crate::API_VERSION;
use crate::answer::Answer;
use crate::config::{ClientConfig, ConfigError};
use crate::exchange::Outcome;
use crate::request::FrozenRequest;
use crate::resolver::PublicOnly;
use crate::retry::RetryPolicy;
use crate::tls;

/// A page of a hundred expanded sessions stays under 2 MB; an answer longer than this, in bytes,
/// is not Stripe's.
const ANSWER_LENGTH_MAX: usize = 16 * 1024 * 1024;

/// What is to be done.
pub(super) enum Call<'a> {
    Get { path: &'a str, query: &'a str },
    Post(&'a FrozenRequest),
    Delete(&'a str),
}

impl Call<'_> {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Get { path, .. } | Self::Delete(path) => path,
            Self::Post(request) => &request.path,
        }
    }

    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Get { .. } => "GET",
            Self::Post(_) => "POST",
            Self::Delete(_) => "DELETE",
        }
    }

    pub(super) fn has_effect(&self) -> bool {
        !matches!(self, Self::Get { .. })
    }
}

pub(super) struct Transport {
    http: reqwest::Client,
    config: ClientConfig,
}

impl Transport {
    pub(super) fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        let failed = |error: &dyn std::error::Error| ConfigError::Http(error.to_string());
        let tls = tls::client_config().map_err(|error| failed(&error))?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(default_headers(&config)?)
            // A redirect would carry key and body to another place.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.timeouts.connect)
            .timeout(config.timeouts.answer);
        builder = if config.loopback {
            // A proxy from the environment would read what goes in plain to this machine.
            builder.no_proxy()
        } else {
            builder.dns_resolver(PublicOnly)
        };
        let http = builder.build().map_err(|error| failed(&error))?;
        Ok(Self { http, config })
    }

    pub(super) fn retry_policy(&self) -> RetryPolicy {
        self.config.retry
    }

    /// How long a call waits for its turn: as long as it would for its answer.
    pub(super) fn patience(&self) -> Duration {
        self.config.timeouts.answer
    }

    pub(super) async fn attempt(&self, call: &Call<'_>) -> Outcome {
        let Some(request) = self.request(call) else { return Outcome::Malformed };
        match request.send().await {
            Ok(response) => self.read(response).await.map_or(Outcome::NoAnswer, Outcome::Answered),
            Err(error) if error.is_builder() => Outcome::Malformed,
            Err(error) if error.is_connect() => Outcome::NotSent,
            Err(_) => Outcome::NoAnswer,
        }
    }

    fn request(&self, call: &Call<'_>) -> Option<RequestBuilder> {
        let mut url = self.config.base.join(call.path()).ok()?;
        // A path such as `//elsewhere/` would change the host that the key is sent to.
        if url.origin() != self.config.base.origin() {
            return None;
        }
        Some(match call {
            Call::Get { query, .. } => {
                url.set_query(Some(query).filter(|query| !query.is_empty()).copied());
                self.http.request(Method::GET, url)
            }
            Call::Delete(_) => self.http.request(Method::DELETE, url),
            Call::Post(frozen) => self
                .http
                .request(Method::POST, url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("Idempotency-Key", HeaderValue::from_str(&frozen.idempotency_key).ok()?)
                .body(frozen.body.clone()),
        })
    }

    async fn read(&self, mut response: Response) -> Option<Answer> {
        let headers = response.headers();
        let mut answer = Answer {
            status: response.status().as_u16(),
            request_id: text(headers, "request-id").map(str::to_owned),
            replayed: text(headers, "idempotent-replayed") == Some("true"),
            should_retry: text(headers, "stripe-should-retry").and_then(|said| said.parse().ok()),
            retry_after_s: text(headers, RETRY_AFTER.as_str()).and_then(|said| said.parse().ok()),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await.ok()? {
            if answer.body.len().saturating_add(chunk.len()) > ANSWER_LENGTH_MAX {
                return None;
            }
            answer.body.extend_from_slice(&chunk);
        }
        Some(answer)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn default_headers(config: &ClientConfig) -> Result<HeaderMap, ConfigError> {
    let bearer = format!("Bearer {}", config.key.expose());
    let mut authorization = HeaderValue::from_str(&bearer)
        .map_err(|_| ConfigError::Http("the key is not visible ASCII".to_owned()))?;
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert("Stripe-Version", HeaderValue::from_static(API_VERSION));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("holdfast/", env!("CARGO_PKG_VERSION"))),
    );
    Ok(headers)
}
