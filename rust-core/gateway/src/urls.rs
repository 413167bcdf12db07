//! Addresses that an operator gives: checked once, when they are given.

use crate::http::hosts::{is_loopback_name, parse_host};
use axum::http::Uri;

/// The name under which an Android emulator reaches the machine it runs on.
const EMULATOR_HOST: &str = "10.0.2.2";
/// Longest host (with port) in a public address, in characters: pay addresses must fit a QR code.
const PUBLIC_HOST_CHARS_MAX: usize = 40;

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an address of scheme and host.
    #[error("--public-url {0}: write it as https://HOST or https://HOST:PORT, without a path")]
    Form(String),
    /// Plain HTTP to another machine.
    #[error(
        "--public-url {0}: plain http is only for this machine (and an emulator's 10.0.2.2); use \
         https, with --tls-cert and --tls-key or a proxy in front"
    )]
    PlainHttp(String),
    /// The host is too long for the QR code.
    #[error(
        "--public-url {0}: the host has more than {PUBLIC_HOST_CHARS_MAX} characters, too many \
         for a readable QR code; use a shorter name"
    )]
    TooLong(String),
}

/// Scheme and host of the gateway as payers reach it, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
}

impl PublicUrl {
    /// Checks an address.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let shown: String = text.chars().take(120).collect();
        let form = || UrlError::Form(shown.clone());
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| form())?;
        let scheme = uri.scheme_str().ok_or_else(form)?.to_ascii_lowercase();
        let authority = uri.authority().ok_or_else(form)?.as_str().to_ascii_lowercase();
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !bare || authority.contains('@') || !matches!(scheme.as_str(), "http" | "https") {
            return Err(form());
        }
        let host = parse_host(uri.host().ok_or_else(form)?).map_err(|_| form())?;
        if scheme == "http" && !is_loopback_name(&host) && host != EMULATOR_HOST {
            return Err(UrlError::PlainHttp(shown));
        }
        if authority.len() > PUBLIC_HOST_CHARS_MAX {
            return Err(UrlError::TooLong(shown));
        }
        Ok(Self { text: format!("{scheme}://{authority}"), host })
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// True if browsers reach it by TLS.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_and_host() {
        for (text, url, host) in [
            ("https://Pay.Example.org/", "https://pay.example.org", "pay.example.org"),
            ("https://pay.example.org:8443", "https://pay.example.org:8443", "pay.example.org"),
            ("http://127.0.0.1:8480", "http://127.0.0.1:8480", "127.0.0.1"),
            ("http://[::1]:1", "http://[::1]:1", "[::1]"),
            ("http://10.0.2.2:8480", "http://10.0.2.2:8480", "10.0.2.2"),
        ] {
            let parsed = PublicUrl::parse(text).unwrap();
            assert_eq!((parsed.as_str(), parsed.host()), (url, host));
        }
    }

    #[test]
    fn other_addresses_are_refused_with_the_reason() {
        for text in ["", "pay.example.org", "ftp://a", "https://a/b", "https://a?b", "https://u@a"]
        {
            assert!(matches!(PublicUrl::parse(text), Err(UrlError::Form(_))), "{text:?}");
        }
        for text in ["http://pay.example.org", "http://192.168.0.4:80", "http://127.0.0.1.example"]
        {
            assert!(matches!(PublicUrl::parse(text), Err(UrlError::PlainHttp(_))), "{text:?}");
        }
        let long = format!("https://{}.example.org", "a".repeat(30));
        assert!(matches!(PublicUrl::parse(&long), Err(UrlError::TooLong(_))));
    }
}
