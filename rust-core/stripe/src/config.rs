//! Where calls go, and which keys may go there.

use std::net::IpAddr;
use std::time::Duration;

use holdfast_domain::Mode;
use reqwest::Url;

use crate::keys::{ApiKey, KeyKind};
use crate::rate::RateLimit;
use crate::retry::RetryPolicy;

/// Stripe's own address: the only one that live keys are sent to.
pub const STRIPE_API_BASE: &str = "https://api.stripe.com";

const STRIPE_HOST: &str = "api.stripe.com";

/// How long to wait for a connection, and for a whole answer, in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until connected.
    pub connect: Duration,
    /// Until the whole answer is there. Stripe's own slowest answers take some 20 s.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30) }
    }
}

/// Why a client cannot be made. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A publishable key cannot call the API.
    #[error(
        "the Secret Key is a publishable key (pk_); enter the secret key (sk_) or a restricted key (rk_)"
    )]
    PublishableKey,
    /// A live key was to be sent elsewhere than to Stripe.
    #[error(
        "a live key is sent to https://api.stripe.com only; use a test key with another --api-base"
    )]
    LiveKeyElsewhere,
    /// Plain HTTP would show the key to the network.
    #[error("the API address must begin with https:// unless it is on this machine")]
    PlainHttp,
    /// The address is not one.
    #[error("the API address must be of the form https://HOST[:PORT], without path, user or query")]
    Address,
    /// The address is in a private network.
    #[error("the API address must not be in a private network")]
    PrivateAddress,
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be set up: {0}")]
    Http(String),
}

/// A key with the place it may be sent to: checked once, here.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(crate) base: Url,
    pub(crate) key: ApiKey,
    pub(crate) loopback: bool,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try.
    pub retry: RetryPolicy,
    /// How many requests a second. The first client of a key says it for all of them.
    pub rate: RateLimit,
}

impl ClientConfig {
    /// Checks that this key may be sent to this address ([`STRIPE_API_BASE`], or `--api-base`).
    pub fn new(api_base: &str, key: ApiKey) -> Result<Self, ConfigError> {
        if key.kind() == KeyKind::Publishable {
            return Err(ConfigError::PublishableKey);
        }
        let base = parse_base(api_base)?;
        let host = base.host_str().unwrap_or("");
        let loopback = is_loopback(host);
        if base.scheme() == "http" && !loopback {
            return Err(ConfigError::PlainHttp);
        }
        let stripe_itself = base.scheme() == "https"
            && host == STRIPE_HOST
            && base.port_or_known_default() == Some(443);
        if key.mode() == Mode::Live && !stripe_itself {
            return Err(ConfigError::LiveKeyElsewhere);
        }
        let literal = ip_of(host);
        if literal.is_some_and(|ip| !ip.is_loopback() && !crate::resolver::is_public(ip)) {
            return Err(ConfigError::PrivateAddress);
        }
        Ok(Self {
            base,
            rate: RateLimit::of(key.mode()),
            key,
            loopback,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
        })
    }

    /// The same key, with every call going to a stand-in on this machine that plays Stripe.
    ///
    /// For tests of what live keys do. No setting of a person's leads here: a live key that somebody
    /// entered reaches Stripe or nobody.
    pub fn at_stand_in(self, base: &str) -> Result<Self, ConfigError> {
        let base = parse_base(base)?;
        if !base.host_str().is_some_and(is_loopback) {
            return Err(ConfigError::LiveKeyElsewhere);
        }
        Ok(Self { base, loopback: true, ..self })
    }

    /// Test or live, as the key says.
    pub fn mode(&self) -> Mode {
        self.key.mode()
    }
}

fn parse_base(text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|_| ConfigError::Address)?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare || !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(ConfigError::Address);
    }
    Ok(url)
}

fn ip_of(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || ip_of(host).is_some_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(base: &str, key: &str) -> Result<ClientConfig, ConfigError> {
        ClientConfig::new(base, ApiKey::parse(key).unwrap())
    }

    #[test]
    fn a_live_key_goes_to_stripe_only() {
        assert!(config(STRIPE_API_BASE, "sk_live_a").is_ok());
        assert!(config("https://api.stripe.com:443/", "rk_live_a").is_ok());
        for base in [
            "http://127.0.0.1:4010",
            "https://example.com",
            "https://api.stripe.com.example.com",
            "https://api.stripe.com:8443",
        ] {
            assert_eq!(config(base, "sk_live_a").unwrap_err(), ConfigError::LiveKeyElsewhere);
        }
        assert_eq!(
            config("http://api.stripe.com", "sk_live_a").unwrap_err(),
            ConfigError::PlainHttp
        );
    }

    #[test]
    fn a_stand_in_for_live_keys_is_on_this_machine() {
        let config = config(STRIPE_API_BASE, "sk_live_a").unwrap();
        let there = config.clone().at_stand_in("http://127.0.0.1:4010").unwrap();
        assert!(there.loopback && there.mode() == Mode::Live);
        for base in ["http://10.0.0.1", "https://example.com", "https://api.stripe.com"] {
            let refused = config.clone().at_stand_in(base).unwrap_err();
            assert_eq!(refused, ConfigError::LiveKeyElsewhere);
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for base in ["http://127.0.0.1:4010", "http://localhost:1", "http://[::1]:4010/"] {
            assert!(config(base, "sk_test_a").is_ok(), "{base}");
        }
        for base in ["http://example.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert_eq!(config(base, "sk_test_a").unwrap_err(), ConfigError::PlainHttp, "{base}");
        }
        assert_eq!(
            config("https://10.0.0.1", "sk_test_a").unwrap_err(),
            ConfigError::PrivateAddress
        );
    }

    #[test]
    fn an_address_has_no_path_user_or_query_and_a_browser_key_calls_nothing() {
        for base in ["", "api.stripe.com", "ftp://a", "https://a/b", "https://u@a", "https://a?b"] {
            assert_eq!(config(base, "sk_test_a").unwrap_err(), ConfigError::Address, "{base}");
        }
        let browser = config(STRIPE_API_BASE, "pk_test_a").unwrap_err();
        assert_eq!(browser, ConfigError::PublishableKey);
    }

    #[test]
    fn debug_shows_no_key() {
        let config = config(STRIPE_API_BASE, "sk_test_51AbcdefghijkWXYZ").unwrap();
        assert!(!format!("{config:?}").contains("51Abc"));
    }
}
