//! One HTTP exchange, and what its answer means.
//!
//! Only a gateway's own words count. Whatever else may stand between (a captive portal, a proxy,
//! a redirect, a page of HTML, ten megabytes of anything) is *unclear*: it may or may not have let
//! the request through, so the same request is made again later.

use holdfast_protocol::CaPin;
use holdfast_protocol::wire::{ErrorBody, ErrorCode};
use serde::de::DeserializeOwned;
use std::fmt;
use zeroize::Zeroizing;

/// GET or POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Everything else.
    Post,
}

/// Whom a connection believes that its other end is the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The public roots.
    Public,
    /// A private CA of which only the pin is known: while enrolling.
    Pinned(CaPin),
    /// This private CA (its certificate in DER), and nobody else.
    Own(Vec<u8>),
}

/// What to send. Its `Debug` shows neither headers (a token) nor body (an order).
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// GET or POST.
    pub method: HttpMethod,
    /// The whole address.
    pub url: String,
    /// Who must vouch for the other end.
    pub trust: Trust,
    /// Names in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for GET.
    pub body: Vec<u8>,
    /// The whole exchange may take this long, in milliseconds.
    pub timeout_ms: u64,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} ({} bytes)", self.method, self.url, self.body.len())
    }
}

/// What came back, redirects included: they are not followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The `Retry-After` header, if it counts seconds.
    pub retry_after_s: Option<u32>,
    /// The body, at most [`holdfast_protocol::wire::ANSWER_BYTES_MAX`]. Some carry a secret.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// No connection, or it broke.
    #[error("no connection")]
    Unreachable,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The certificate is not by whom the request trusts. Nothing was sent.
    #[error("the certificate is not trusted")]
    Untrusted,
    /// The answer is longer than any answer of a gateway.
    #[error("the answer is too long")]
    TooLarge,
    /// Plain HTTP to another machine, or no address at all.
    #[error("the address is not allowed")]
    AddressRefused,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// The gateway did it.
    Good(T),
    /// The gateway said no.
    Refused(Refusal),
    /// The other end is not the gateway: nothing was sent.
    Untrusted,
    /// No answer. The request may have arrived.
    Unanswered,
    /// An answer, but not a gateway's. The request may have arrived.
    Strange,
}

/// A gateway's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: ErrorCode,
    pub(crate) sentence: String,
    pub(crate) gateway_time_unix_s: Option<u64>,
    /// With [`ErrorCode::DeviceRevoked`]: the ledger's epoch.
    pub(crate) epoch: Option<u64>,
    pub(crate) retry_after_s: Option<u32>,
}

/// Longest sentence of a gateway that is kept for a screen, in characters.
const SENTENCE_CHARS_MAX: usize = 300;

impl<T: DeserializeOwned> Answer<T> {
    pub(crate) fn read(answer: Result<Response, TransportFault>) -> Self {
        let response = match answer {
            Ok(response) => response,
            Err(TransportFault::Unreachable | TransportFault::Timeout) => return Self::Unanswered,
            Err(TransportFault::Untrusted) => return Self::Untrusted,
            Err(TransportFault::TooLarge | TransportFault::AddressRefused) => return Self::Strange,
        };
        match response.status {
            200..=299 => serde_json::from_slice(&response.body).map_or(Self::Strange, Self::Good),
            400..=599 => Refusal::read(&response).map_or(Self::Strange, Self::Refused),
            _ => Self::Strange,
        }
    }
}

impl Refusal {
    fn read(response: &Response) -> Option<Self> {
        let body: ErrorBody = serde_json::from_slice(&response.body).ok()?;
        Some(Self {
            status: response.status,
            code: body.code,
            sentence: body.message.chars().take(SENTENCE_CHARS_MAX).collect(),
            gateway_time_unix_s: body.gateway_time_unix_s,
            epoch: body.epoch,
            retry_after_s: response.retry_after_s,
        })
    }

    /// True if the very same order would be refused for ever. The status must say so as well as
    /// the code: a proxy in trouble may repeat words that it does not mean.
    pub(crate) fn is_final_for_an_order(&self) -> bool {
        let client_error = matches!(self.status, 400..=499);
        let try_again = matches!(self.status, 401 | 408 | 425 | 429);
        client_error && !try_again && self.code.is_final_for_an_order()
    }

    /// True if the gateway does not know this handheld (any more).
    pub(crate) fn is_about_the_device(&self) -> bool {
        matches!(self.code, ErrorCode::DeviceRevoked | ErrorCode::UnknownDevice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Answer<u32> {
        Answer::read(Ok(Response {
            status,
            retry_after_s: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }))
    }

    fn refused(status: u16, code: &str) -> Refusal {
        match read(status, &format!(r#"{{"code":"{code}","message":"no"}}"#)) {
            Answer::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_gateways_words_count() {
        assert_eq!(read(200, "7"), Answer::Good(7));
        for (status, body) in [
            (200, "<html>Welcome to our Wi-Fi</html>"),
            (200, ""),
            (302, ""),
            (302, r#"{"code":"payment_conflict","message":"no"}"#),
            (404, "<html>not found</html>"),
            (403, r#"{"message":"Forbidden"}"#),
            (502, "Bad Gateway"),
            (101, "7"),
        ] {
            assert_eq!(read(status, body), Answer::Strange, "{status} {body}");
        }
    }

    #[test]
    fn what_a_newer_gateway_says_besides_is_passed_over() {
        let body =
            r#"{"code":"payment_conflict","message":"no","request_id":"0123","new":{"a":[1]}}"#;
        let Answer::Refused(refusal) = read(409, body) else { panic!("not understood") };
        assert!(refusal.is_final_for_an_order());
    }

    #[test]
    fn a_refusal_is_final_only_if_status_and_code_agree() {
        assert!(refused(409, "payment_conflict").is_final_for_an_order());
        assert!(refused(422, "total_differs").is_final_for_an_order());
        for (status, code) in [
            (401, "signature_wrong"),
            (408, "malformed"),
            (425, "malformed"),
            (429, "malformed"),
            (500, "malformed"),
            (503, "unavailable"),
            (409, "unavailable"),
            (400, "new_in_2030"),
            (404, "not_found"),
            (403, "device_not_approved"),
        ] {
            assert!(!refused(status, code).is_final_for_an_order(), "{status} {code}");
        }
    }

    #[test]
    fn debug_shows_no_token_no_order_and_no_secret() {
        let request = Request {
            method: HttpMethod::Post,
            url: "https://g.example/api/demo/orders".to_owned(),
            trust: Trust::Public,
            headers: vec![("authorization", "Bearer hush".to_owned())],
            body: b"hush".to_vec(),
            timeout_ms: 1,
        };
        let response = Response { status: 200, retry_after_s: None, body: b"hush".to_vec().into() };
        assert!(!format!("{request:?} {response:?}").contains("hush"));
    }
}
