//! How a sandbox is started, and why it is not.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use holdfast_stripe::{KeyError, WebhookSecret};

use crate::core::{Core, FaultRule, KeyGrant, ReplayError, WebhookTarget};

/// How a sandbox is started. `Options::default()` listens on a free port of this machine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The address that browsers use, if it differs from the one listened on.
    pub public_url: Option<String>,
    /// Where to keep everything over restarts; none means in memory.
    pub data_dir: Option<PathBuf>,
    /// Every ID follows from it; none means a random one, or that of the folder.
    pub seed: Option<u64>,
    /// Endpoints that exist from the start, in place of those that an earlier start asked for.
    /// Empty leaves them as the folder has them.
    pub webhooks: Vec<WebhookTarget>,
    /// Whether it plays live mode, for tests of what happens there. Nobody's money moves all the same.
    pub live: bool,
    /// The keys that are good, in place of those before. Empty leaves them as the folder has them;
    /// a folder without any means every test key, for everything.
    pub api_keys: Vec<KeyGrant>,
    /// Whether every test key is good again, whatever the folder says.
    pub every_key: bool,
    /// The merchant's name on pages and in the account.
    pub business_name: String,
    /// Requests a second that are answered before 429; none means any number.
    pub rate_limit_per_s: Option<u32>,
    /// What goes wrong, from the start, in place of what did before. Empty leaves it as it was.
    pub faults: Vec<FaultRule>,
    /// Whether time passes by hand alone.
    pub clock_by_hand: bool,
    /// How long a POST takes to answer; its idempotency key is in flight for as long.
    pub answer_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            data_dir: None,
            seed: None,
            webhooks: Vec::new(),
            live: false,
            api_keys: Vec::new(),
            every_key: false,
            business_name: "Holdfast sandbox".to_owned(),
            rate_limit_per_s: None,
            faults: Vec::new(),
            clock_by_hand: false,
            answer_time: Duration::ZERO,
        }
    }
}

impl Options {
    /// What is asked for comes in force; what is not mentioned stays as an earlier start left it.
    pub(super) fn put_in_force(self, core: &mut Core, now_ms: i64) {
        if !self.webhooks.is_empty() {
            core.set_targets(&self.webhooks, now_ms);
        }
        if self.every_key || !self.api_keys.is_empty() {
            core.set_keys(self.api_keys, now_ms);
        }
        if !self.faults.is_empty() {
            core.set_faults(self.faults, now_ms);
        }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else listens there.
    #[error(
        "{address} is in use by another program: stop that one, or choose another port with \
         --listen (port 0 picks a free one)"
    )]
    PortInUse {
        /// Where.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen: check the address given with --listen")]
    Listen(#[source] std::io::Error),
    /// The webhook sender could not be set up.
    #[error("the webhook sender cannot be set up: {0}")]
    Sender(String),
    /// The folder cannot be used.
    #[error("{} cannot be used: check the folder given with --data", .path.display())]
    Data {
        /// The file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another sandbox uses the folder.
    #[error("{} is in use by another sandbox: stop that one, or choose another --data", .path.display())]
    DataInUse {
        /// The file in it.
        path: PathBuf,
    },
    /// What the folder holds does not give the state that it gave before.
    #[error("{} cannot be read, {why}: choose another --data, or delete the file", .path.display())]
    Replay {
        /// The file in it.
        path: PathBuf,
        /// Why.
        why: ReplayError,
    },
    /// The folder was begun with another seed.
    #[error("this folder was begun with --seed {seed}: leave --seed out, or choose another --data")]
    OtherSeed {
        /// Which.
        seed: u64,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: start the sandbox with --seed")]
    NoRandomness,
}

/// Why `--webhook URL=whsec_…` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not of that form.
    #[error("write a webhook as URL=whsec_…")]
    Form,
    /// The URL is none.
    #[error("the webhook's URL must begin with http:// or https:// and a host")]
    Url,
    /// The secret is none.
    #[error("the webhook's secret is not right: {0}")]
    Secret(#[from] KeyError),
}

impl FromStr for WebhookTarget {
    type Err = TargetError;

    /// Reads `URL=whsec_…`; the last `=` before the secret divides, since a URL may hold one.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let at = text.rfind("=whsec_").ok_or(TargetError::Form)?;
        let (url, secret) = text.split_at(at);
        let secret = secret.strip_prefix('=').ok_or(TargetError::Form)?;
        if crate::core::origin(url).is_none() {
            return Err(TargetError::Url);
        }
        let secret = WebhookSecret::parse(secret)?;
        Ok(Self { url: url.to_owned(), secret, events: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_written_as_url_and_secret() {
        let target: WebhookTarget = "http://127.0.0.1:1/hook?a=b=whsec_abc".parse().unwrap();
        assert_eq!(target.url, "http://127.0.0.1:1/hook?a=b");
        assert_eq!(target.secret.expose(), "whsec_abc");
        let error = |text: &str| text.parse::<WebhookTarget>().unwrap_err();
        assert_eq!(error("http://127.0.0.1:1/hook"), TargetError::Form);
        assert_eq!(error("127.0.0.1=whsec_abc"), TargetError::Url);
        assert_eq!(error("http://a/=whsec_"), TargetError::Secret(KeyError::Incomplete));
    }

    #[test]
    fn a_port_in_use_says_what_to_do_in_one_line() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4010));
        let text = StartError::PortInUse { address }.to_string();
        assert!(text.contains("127.0.0.1:4010") && text.contains("--listen"), "{text}");
        assert!(!text.contains('\n'));
    }
}
