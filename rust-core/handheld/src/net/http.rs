//! The real network: reqwest over rustls.

use super::{Exchange, Network};
use crate::address;
use crate::engine::{HttpMethod, Request, Response, TransportFault};
use holdfast_protocol::wire::ANSWER_BYTES_MAX;
use reqwest::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue, RETRY_AFTER};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// A connection is made in this time, or the gateway is out of reach.
const CONNECT_S_MAX: u64 = 10;
/// An idle connection is kept this long: from one delivery to the next, not over a night.
const IDLE_S_MAX: u64 = 60;
/// Idle connections kept: one for the long poll, one for orders.
const IDLE_CONNECTIONS_MAX: usize = 2;

/// Talks HTTP/1.1 to the gateway.
pub struct HttpNetwork {
    client: reqwest::Client,
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct NoNetwork;

impl HttpNetwork {
    /// With the app's version for the gateway's logs, and the language of its sentences.
    pub fn new(app_version: &str, locale: &str) -> Result<Self, NoNetwork> {
        let mut headers = HeaderMap::new();
        if let Ok(language) = HeaderValue::from_str(locale) {
            headers.insert(ACCEPT_LANGUAGE, language);
        }
        let version: String = app_version.chars().filter(char::is_ascii_graphic).collect();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(format!("holdfast-handheld/{version}"))
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_secs(CONNECT_S_MAX))
            .pool_idle_timeout(Duration::from_secs(IDLE_S_MAX))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|_| NoNetwork)?;
        Ok(Self { client })
    }
}

impl Network for HttpNetwork {
    fn exchange(&self, request: Request) -> Exchange {
        let client = self.client.clone();
        Box::pin(async move {
            address::check(&request.url).map_err(|_| TransportFault::AddressRefused)?;
            let response = built(&client, request).send().await.map_err(|e| fault(&e))?;
            read(response).await
        })
    }
}

/// Whom this handheld trusts: Mozilla's roots. The one place where trust is decided.
fn tls() -> Result<ClientConfig, NoNetwork> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| NoNetwork)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn built(client: &reqwest::Client, request: Request) -> reqwest::RequestBuilder {
    let mut builder = match request.method {
        HttpMethod::Get => client.get(request.url),
        HttpMethod::Post => client.post(request.url).body(request.body),
    };
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder
}

/// Reads the body, and not a byte more than any gateway sends.
async fn read(mut response: reqwest::Response) -> Result<Response, TransportFault> {
    let status = response.status().as_u16();
    let retry_after_s =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Err(TransportFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, retry_after_s, body })
}

fn fault(error: &reqwest::Error) -> TransportFault {
    if error.is_timeout() { TransportFault::Timeout } else { TransportFault::Unreachable }
}

#[cfg(test)]
mod tests;
