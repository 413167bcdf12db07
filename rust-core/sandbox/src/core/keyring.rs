//! The keys that are good, when not every test key is: known by their digests, so that what is kept
//! over restarts has no key in it.

use std::str::FromStr;

use holdfast_stripe::{ApiKey, KeyError, KeyKind, Mode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Core;
use super::replay::Action;

/// A key that is good, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGrant {
    digest: [u8; 32],
    masked: String,
    /// The permissions of a restricted key, such as `charge_read`; writing includes reading. None
    /// means everything.
    pub may: Option<Vec<String>>,
}

impl KeyGrant {
    /// Prefix and last four characters.
    pub fn masked(&self) -> &str {
        &self.masked
    }

    pub(super) fn is_for(&self, key: &ApiKey) -> bool {
        self.digest == digest(key)
    }

    pub(super) fn allows(&self, needed: &str) -> bool {
        let Some(may) = &self.may else { return true };
        let written = needed.strip_suffix("_read").map(|resource| format!("{resource}_write"));
        may.iter().any(|it| it == needed || written.as_ref() == Some(it))
    }
}

fn digest(key: &ApiKey) -> [u8; 32] {
    Sha256::digest(key.expose()).into()
}

impl From<&ApiKey> for KeyGrant {
    fn from(key: &ApiKey) -> Self {
        Self { digest: digest(key), masked: key.masked(), may: None }
    }
}

/// Why a key cannot be put on the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyGrantError {
    /// It is none.
    #[error("the key is not right: {0}")]
    Key(#[from] KeyError),
    /// It is of another kind.
    #[error("write a test key (sk_test_…, or rk_test_… with its permissions)")]
    Kind,
    /// There is no such permission.
    #[error(
        "{0} is no permission: write for instance rk_test_a=charge_read,checkout_session_write"
    )]
    Permission(String),
}

impl FromStr for KeyGrant {
    type Err = KeyGrantError;

    /// Reads `sk_test_…`, or `rk_test_…=charge_read,payment_intent_write`.
    fn from_str(text: &str) -> Result<Self, KeyGrantError> {
        let (key, may) = match text.split_once('=') {
            Some((key, may)) => (key, Some(may.split(',').map(str::to_owned).collect::<Vec<_>>())),
            None => (text, None),
        };
        let key = ApiKey::parse(key)?;
        if key.mode() != Mode::Test || key.kind() == KeyKind::Publishable {
            return Err(KeyGrantError::Kind);
        }
        let unknown = |may: &&String| !may.ends_with("_read") && !may.ends_with("_write");
        match may.iter().flatten().find(unknown) {
            Some(word) => Err(KeyGrantError::Permission(word.clone())),
            None => Ok(Self { may, ..Self::from(&key) }),
        }
    }
}

impl Core {
    /// Makes these the keys that are good; without any, every test key is good for everything.
    pub fn set_keys(&mut self, keys: Vec<KeyGrant>, now_ms: i64) {
        self.advance(now_ms);
        self.record(Action::Keys(keys.clone()));
        self.config.api_keys = keys;
    }
}

#[test]
fn a_grant_is_a_test_key_with_or_without_permissions() {
    let grant: KeyGrant = "rk_test_a1=charge_read,refund_write".parse().unwrap();
    assert_eq!(grant.may.as_ref().unwrap().len(), 2);
    assert!(grant.allows("refund_read") && !grant.allows("charge_write"));
    assert_eq!("sk_test_a1".parse::<KeyGrant>().unwrap().may, None);
    for bad in ["sk_live_a1", "pk_test_a1", "whsec_a", "rk_test_a=charges"] {
        assert!(bad.parse::<KeyGrant>().is_err(), "{bad}");
    }
    let kept = serde_json::to_string(&"sk_test_abcdefgh1234".parse::<KeyGrant>().unwrap()).unwrap();
    assert!(!kept.contains("abcdefgh"), "{kept}");
}
