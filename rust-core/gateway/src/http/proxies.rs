//! Whose request it is when a reverse proxy stands in between.
//!
//! What a proxy says about the client is believed only if the connection comes from a trusted one
//! (`serve --trusted-proxy`), and only the hops that trusted ones wrote: addresses are read from the
//! right until one is not a trusted proxy's. `X-Forwarded-For` and `Forwarded` (RFC 7239) may both be
//! there, one written by the proxy and one by the client; if they do not agree, neither is believed.

use super::{App, Peer};
use crate::cidr::Cidr;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Hops that are looked at in one header: more proxies than anybody has in a row.
const HOPS_MAX: usize = 20;

/// Puts the client's address where handlers and limits look for it.
pub(super) async fn client(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<Peer>().copied() {
        let client = client_of(&app.trusted_proxies, peer.ip(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, peer.port())));
    }
    next.run(request).await
}

fn client_of(trusted: &[Cidr], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let told =
        [(X_FORWARDED_FOR, plain as fn(&str) -> Option<IpAddr>), (header::FORWARDED, rfc7239)]
            .into_iter()
            .filter(|(name, _)| headers.contains_key(name))
            .map(|(name, read)| last_untrusted(headers, &name, read, is_trusted));
    let told: Vec<Option<IpAddr>> = told.collect();
    match told.as_slice() {
        [one] => one.unwrap_or(peer),
        [one, other] if one == other => one.unwrap_or(peer),
        _ => peer,
    }
}

/// The hop that the outermost trusted proxy saw; none if it is not written as an address.
fn last_untrusted(
    headers: &HeaderMap,
    name: &HeaderName,
    read: fn(&str) -> Option<IpAddr>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    // A line that is no text is not skipped: what stands to its left is the client's own.
    let lines = headers.get_all(name).iter().map(|it| String::from_utf8_lossy(it.as_bytes()));
    let lines: Vec<_> = lines.collect();
    let mut last = None;
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX) {
        let address = read(hop.trim())?.to_canonical();
        last = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    last
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`.
fn plain(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(hop);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|it| it.ip());
    bare.parse().ok().or_else(with_port)
}

/// `for=192.0.2.7;proto=https`, `For="[2001:db8::7]:4711"`.
fn rfc7239(hop: &str) -> Option<IpAddr> {
    let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (_, value) = named.next()?;
    plain(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn client(peer: &str, told: &[(&'static str, &'static str)]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for (name, value) in told {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        client_of(&trusted, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_wrote() {
        let xff = "x-forwarded-for";
        for (peer, told, wanted) in [
            ("203.0.113.9", &[(xff, "192.0.2.7")][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[(xff, "192.0.2.7")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "198.51.100.1, 192.0.2.7")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "198.51.100.1, 192.0.2.7, 10.0.0.2")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "198.51.100.1"), (xff, "192.0.2.7")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(xff, "192.0.2.7, unknown")], "10.0.0.1"),
            ("::ffff:10.0.0.1", &[(xff, "[2001:db8::7]:4711")], "2001:db8::7"),
            ("::1", &[("forwarded", "for=192.0.2.7;proto=https")], "192.0.2.7"),
            ("::1", &[("forwarded", "For=\"[2001:db8::7]:47\", for=10.0.0.2")], "2001:db8::7"),
            ("::1", &[("forwarded", "for=_hidden")], "::1"),
            ("::1", &[("forwarded", "for=1.2.3.4"), (xff, "192.0.2.7")], "::1"),
            ("::1", &[("forwarded", "for=192.0.2.7"), (xff, "192.0.2.7")], "192.0.2.7"),
        ] {
            assert_eq!(client(peer, told), wanted, "{peer} {told:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_text_does_not_hide_what_a_proxy_wrote_in_it() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in [&b"6.6.6.6"[..], b"\xFF, 203.0.113.5", b"10.0.0.1"] {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        let client = client_of(&trusted, "10.0.0.2".parse().unwrap(), &headers);
        assert_eq!(client.to_string(), "203.0.113.5");
    }

    fn lines() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
        let hop = prop_oneof![
            Just("192.0.2.7".to_owned()),
            Just("10.1.2.3".to_owned()),
            Just("[2001:db8::7]:4711".to_owned()),
            Just("for=\"[2001:db8::7]:47\";proto=https".to_owned()),
            Just("for=10.0.0.2".to_owned()),
            "[ -~]{0,12}",
        ];
        let good = prop::collection::vec(hop, 0..30).prop_map(|hops| hops.join(",").into_bytes());
        let garbage = prop::collection::vec(0x20..=0xFF_u8, 0..40);
        prop::collection::vec((any::<bool>(), prop_oneof![good, garbage]), 0..4)
    }

    proptest! {
        #[test]
        fn whatever_stands_there_a_stranger_is_only_who_they_are(lines in lines(), peer in any::<[u8; 4]>()) {
            let trusted: Vec<Cidr> = vec!["10.0.0.0/8".parse().unwrap()];
            let mut headers = HeaderMap::new();
            for (is_rfc, line) in &lines {
                let name = if *is_rfc { header::FORWARDED } else { X_FORWARDED_FOR };
                if let Ok(value) = HeaderValue::from_bytes(line) {
                    headers.append(name, value);
                }
            }
            let peer = IpAddr::from(peer);
            let client = client_of(&trusted, peer, &headers);
            if !trusted[0].contains(peer) {
                prop_assert_eq!(client, peer);
            }
            let behind = client_of(&trusted, "10.0.0.9".parse().unwrap(), &headers);
            let all = lines.iter().map(|(_, line)| String::from_utf8_lossy(line).into_owned());
            let all: String = all.collect();
            let told = ["192.0.2.7", "2001:db8::7"].iter().any(|it| behind.to_string() == *it);
            prop_assert!(told || trusted[0].contains(behind) || all.contains(&behind.to_string()));
        }
    }
}
