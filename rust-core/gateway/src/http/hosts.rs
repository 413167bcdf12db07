//! Which host names this gateway answers to.
//!
//! A page that answers under any name can be reached through a foreign domain that points here
//! (DNS rebinding), and then its links would carry that domain. So a request must name a
//! registered host, or it gets 421 and nothing else.

use axum::http::{Request, header, uri::Authority};

/// Names of this machine itself. They are always registered: nobody else can point them here.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The host and port that a request names, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHost {
    /// Without the port.
    pub(crate) name: String,
    /// As sent, with the port if there is one: what a signed request covers.
    pub(crate) authority: String,
}

impl RequestHost {
    /// From the `Host` header, or from an absolute request target.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let mut headers = request.headers().get_all(header::HOST).iter();
        let (first, second) = (headers.next(), headers.next());
        // Two names, and a proxy may have looked at the other one (RFC 9112, section 3.2).
        if second.is_some() {
            return None;
        }
        let header = first.and_then(|value| value.to_str().ok());
        let text = header.or_else(|| request.uri().authority().map(Authority::as_str))?;
        let authority = text.to_ascii_lowercase();
        // "user@host" is legal in an authority and never in a Host header.
        let parsed: Authority = authority.parse().ok().filter(|_| !authority.contains('@'))?;
        let name = parsed.host().trim_end_matches('.').to_owned();
        (!name.is_empty()).then_some(Self { name, authority })
    }

    /// True for a name of this machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_name(&self.name)
    }
}

/// True for `localhost` and the loopback addresses.
pub(crate) fn is_loopback_name(name: &str) -> bool {
    LOOPBACK_NAMES.contains(&name)
}

/// Why a text is no host name to register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a host name; write it without scheme, port and path, such as pay.example.org"
)]
pub struct NotAHost(pub String);

/// A host name as it is registered: lower case, no port.
pub(crate) fn parse_host(text: &str) -> Result<String, NotAHost> {
    let refused = || NotAHost(text.chars().take(80).collect());
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':');
    let bracketed = name.starts_with('[') && name.ends_with(']');
    if name.is_empty() || name.len() > 253 || !name.bytes().all(plain) {
        return Err(refused());
    }
    if name.contains(':') && !bracketed {
        return Err(refused());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(value: &str) -> Option<RequestHost> {
        RequestHost::of(&Request::builder().header("host", value).body(()).unwrap())
    }

    #[test]
    fn the_name_is_compared_without_port_case_and_final_dot() {
        for (value, name) in [
            ("pay.example.org", "pay.example.org"),
            ("PAY.Example.org:8443", "pay.example.org"),
            ("pay.example.org.", "pay.example.org"),
            ("[::1]:8480", "[::1]"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(host(value).unwrap().name, name, "{value}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for value in ["", ":80", "a b", "user@pay.example.org", "a/b"] {
            assert_eq!(host(value), None, "{value:?}");
        }
        assert!(!host("localhost.example.org").unwrap().is_loopback());
        assert!(!host("127.0.0.1.example.org").unwrap().is_loopback());
        for text in ["", "https://a", "a:80", "a/b", "a b", "ä.example"] {
            assert!(parse_host(text).is_err(), "{text:?}");
        }
        assert_eq!(parse_host(" Pay.Example.ORG. ").unwrap(), "pay.example.org");
    }

    #[test]
    fn two_names_are_no_name() {
        let request = Request::builder().header("host", "localhost").header("host", "localhost");
        assert_eq!(RequestHost::of(&request.body(()).unwrap()), None);
    }

    proptest! {
        #[test]
        fn whatever_is_sent_a_name_is_lower_case_and_without_a_port(
            value in prop::collection::vec(0x20..=0xFF_u8, 0..40),
        ) {
            let Ok(value) = axum::http::HeaderValue::from_bytes(&value) else { return Ok(()) };
            let request = Request::builder().header("host", value).body(()).unwrap();
            if let Some(host) = RequestHost::of(&request) {
                prop_assert!(!host.name.is_empty() && !host.name.contains(['@', '/', ' ']));
                prop_assert_eq!(host.name.to_ascii_lowercase(), host.name.as_str());
                prop_assert!(host.name.starts_with('[') || !host.name.contains(':'));
            }
        }

        #[test]
        fn a_name_that_is_registered_is_found_again(text in "[ -~]{0,30}") {
            if let Ok(name) = parse_host(&text) {
                prop_assert_eq!(parse_host(&name).unwrap(), name.as_str());
            }
        }
    }
}
