//! How a sandbox is set up.

use super::keyring::KeyGrant;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Every ID and secret follows from it.
    pub seed: u64,
    /// Where the pages are, such as `http://127.0.0.1:4010`.
    pub public_url: String,
    /// The merchant's name on pages and in the account.
    pub business_name: String,
    /// Whether it plays live mode: live keys are good then, and objects say so. Cards stay test cards.
    pub live: bool,
    /// The keys that are good; empty means every test key, for everything.
    pub api_keys: Vec<KeyGrant>,
    /// Requests a second that are answered before 429; Stripe's sandboxes have 25. None means any
    /// number.
    pub rate_limit_per_s: Option<u32>,
    /// How long a POST takes to answer, in milliseconds. Its effect is there at once, and its
    /// idempotency key is in flight until then.
    pub answer_time_ms: u64,
    /// Whether [`Core::take_inputs`] is used: then all that changes something is noted.
    pub recorded: bool,
}

impl Config {
    /// A sandbox for tests: no endpoints, every test key good, immediate answers.
    pub fn new(seed: u64, public_url: &str) -> Self {
        Self {
            seed,
            public_url: public_url.trim_end_matches('/').to_owned(),
            business_name: "Holdfast sandbox".to_owned(),
            live: false,
            api_keys: Vec::new(),
            rate_limit_per_s: None,
            answer_time_ms: 0,
            recorded: false,
        }
    }
}
