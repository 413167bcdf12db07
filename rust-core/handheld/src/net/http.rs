//! The real network: reqwest over rustls.

use super::trust::{is_distrust, tls};
use super::{Exchange, Network};
use crate::address;
use crate::engine::{HttpMethod, Request, Response, TransportFault, Trust};
use holdfast_protocol::wire::ANSWER_BYTES_MAX;
use reqwest::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue, RETRY_AFTER};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// A connection is made in this time, or the gateway is out of reach.
const CONNECT_S_MAX: u64 = 10;
/// An idle connection is kept this long: from one delivery to the next, not over a night.
const IDLE_S_MAX: u64 = 60;
/// Idle connections kept: one for the long poll, one for orders.
const IDLE_CONNECTIONS_MAX: usize = 2;

/// Clients that are kept: for the public roots, the present gateway, and an earlier one whose orders
/// still go.
const CLIENTS_MAX: usize = 3;

/// Talks HTTP/1.1 to the gateway, with a client for each trust.
pub struct HttpNetwork {
    user_agent: String,
    headers: HeaderMap,
    /// The last used comes last.
    clients: Mutex<Vec<(Trust, reqwest::Client)>>,
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
        let network = Self {
            user_agent: format!("holdfast-handheld/{version}"),
            headers,
            clients: Mutex::default(),
        };
        network.client(Trust::Public)?;
        Ok(network)
    }

    fn client(&self, trust: Trust) -> Result<reqwest::Client, NoNetwork> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients.iter().position(|(of, _)| *of == trust);
        let (trust, client) = match known {
            Some(place) => clients.remove(place),
            None => {
                let client = self.built(&trust)?;
                (trust, client)
            }
        };
        if clients.len() >= CLIENTS_MAX {
            clients.remove(0);
        }
        clients.push((trust, client.clone()));
        Ok(client)
    }

    fn built(&self, trust: &Trust) -> Result<reqwest::Client, NoNetwork> {
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls(trust)?)
            .user_agent(&self.user_agent)
            .default_headers(self.headers.clone())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_secs(CONNECT_S_MAX))
            .pool_idle_timeout(Duration::from_secs(IDLE_S_MAX))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|_| NoNetwork)
    }
}

impl Network for HttpNetwork {
    fn exchange(&self, request: Request) -> Exchange {
        // A certificate that is none cannot vouch for anybody.
        let client = self.client(request.trust.clone()).map_err(|_| TransportFault::Untrusted);
        Box::pin(async move {
            address::check(&request.url).map_err(|_| TransportFault::AddressRefused)?;
            let client = client?;
            let response = built(&client, request).send().await.map_err(|e| fault(&e))?;
            read(response).await
        })
    }
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
    if error.is_timeout() {
        TransportFault::Timeout
    } else if is_distrust(error) {
        TransportFault::Untrusted
    } else {
        TransportFault::Unreachable
    }
}

#[cfg(test)]
mod tests;
