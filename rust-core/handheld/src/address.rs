//! Which addresses this handheld talks to: HTTPS, and plain HTTP only to this very machine.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why an address is not talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressFault {
    /// Neither `http://` nor `https://`.
    NoAddress,
    /// Plain HTTP to another machine.
    Insecure,
}

/// Checks scheme and host of an address.
pub(crate) fn check(url: &str) -> Result<(), AddressFault> {
    let (scheme, rest) = url.split_once("://").ok_or(AddressFault::NoAddress)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Something before an @ would make another host of what looks like this one.
    if authority.is_empty() || authority.contains('@') {
        return Err(AddressFault::NoAddress);
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(host(authority)) => Ok(()),
        "http" => Err(AddressFault::Insecure),
        _ => Err(AddressFault::NoAddress),
    }
}

/// The authority as an HTTP client writes it into the `Host` header: without the scheme's own port.
pub(crate) fn authority(url: &str) -> &str {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split('/').next().unwrap_or_default();
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(own_port).unwrap_or(authority)
}

fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://g.example",
            "https://10.0.0.1:8443/api",
            "http://localhost:8080",
            "http://127.0.0.1:1/x",
            "http://[::1]:80",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "http://g.example",
            "http://10.0.2.2:8080",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
        ] {
            assert_eq!(check(bad), Err(AddressFault::Insecure), "{bad}");
        }
        for bad in ["", "g.example", "ftp://g.example", "https://", "http://localhost@evil.example"]
        {
            assert_eq!(check(bad), Err(AddressFault::NoAddress), "{bad}");
        }
    }

    #[test]
    fn the_authority_is_that_of_the_host_header() {
        for (url, expected) in [
            ("https://g.example", "g.example"),
            ("https://g.example:443", "g.example"),
            ("https://g.example:80/x", "g.example:80"),
            ("http://localhost:80", "localhost"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(authority(url), expected);
        }
    }
}
