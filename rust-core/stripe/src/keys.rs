//! Stripe's keys, told apart by their prefixes and never printed whole.

use std::fmt;

use holdfast_domain::{Mode, Secret};
use serde::{Deserialize, Deserializer};

/// No key of Stripe's comes near this length, in bytes; longer is a pasted mistake.
const KEY_LENGTH_MAX: usize = 255;

/// Shorter than this after its prefix, a key's last four characters would tell too much of it.
const MASK_TAIL_FROM: usize = 12;

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `sk_`: everything.
    Secret,
    /// `rk_`: what its owner allowed.
    Restricted,
    /// `pk_`: what a browser may do; public.
    Publishable,
}

impl KeyKind {
    /// Its name on Stripe's page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret key",
            Self::Restricted => "restricted key",
            Self::Publishable => "publishable key",
        }
    }
}

/// Why a text is not the key that was asked for. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing was given.
    #[error("it is empty; copy it from Developers > API keys (or Webhooks) in Stripe's Dashboard")]
    Empty,
    /// More than any key has.
    #[error("it is too long for a key of Stripe's; copy it again")]
    TooLong,
    /// It holds spaces, dots or other characters that no key has.
    #[error("it holds characters that no key of Stripe's has (a space, dots); copy it again")]
    Characters,
    /// It is a masked key, as pages show it.
    #[error("it is only the prefix, without the key; reveal the key at Stripe and copy all of it")]
    Incomplete,
    /// It is a webhook signing secret.
    #[error("it is a webhook signing secret (whsec_); enter it as Webhook Secret")]
    IsWebhookSecret,
    /// It is an API key.
    #[error("it is an API key; enter it as Secret Key or Publishable Key")]
    IsApiKey,
    /// It is the ID of a webhook endpoint.
    #[error("it is the ID of a webhook endpoint (we_, ed_); enter it as Webhook ID")]
    IsWebhookId,
    /// It begins with nothing that we know.
    #[error(
        "it begins with none of the prefixes sk_test_, sk_live_, rk_test_, rk_live_, pk_test_, pk_live_, whsec_"
    )]
    Unrecognised,
}

/// How long an account's ID is after `acct_`, where keys name it.
const ACCOUNT_DIGITS: usize = 16;
/// How long a key that names its account is at least, after prefix and 5: the ID, and as much again that
/// is secret.
const LONG_KEY_LENGTH_MIN: usize = 2 * ACCOUNT_DIGITS;

/// An API key. Its `Debug` is the masked form.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    secret: Secret<String>,
    kind: KeyKind,
    mode: Mode,
}

impl ApiKey {
    /// Reads a key; spaces around it are dropped.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = checked(text)?;
        let (kind, rest) = if let Some(rest) = text.strip_prefix("sk_") {
            (KeyKind::Secret, rest)
        } else if let Some(rest) = text.strip_prefix("rk_") {
            (KeyKind::Restricted, rest)
        } else if let Some(rest) = text.strip_prefix("pk_") {
            (KeyKind::Publishable, rest)
        } else {
            return Err(misplaced(text));
        };
        let (mode, rest) = if let Some(rest) = rest.strip_prefix("test_") {
            (Mode::Test, rest)
        } else if let Some(rest) = rest.strip_prefix("live_") {
            (Mode::Live, rest)
        } else {
            return Err(KeyError::Unrecognised);
        };
        if rest.is_empty() {
            return Err(KeyError::Incomplete);
        }
        Ok(Self { secret: Secret::new(text.to_owned()), kind, mode })
    }

    /// What the key may do.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Test or live.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The part of a key that names its account: Stripe's longer keys begin, after their prefix, with a 5
    /// and then what follows `acct_` in the account's ID. Older keys name none. Stripe does not promise
    /// this form, so it only ever tells two keys apart that both have it.
    pub fn account_digits(&self) -> Option<&str> {
        let rest = self.expose().get("sk_test_".len()..)?.strip_prefix('5')?;
        let digits = rest.get(..ACCOUNT_DIGITS)?;
        (digits.starts_with('1') && rest.len() >= LONG_KEY_LENGTH_MIN).then_some(digits)
    }

    /// True if the key names this account (`acct_…`) in itself.
    pub fn names(&self, account: &str) -> bool {
        let digits = account.strip_prefix("acct_");
        digits.is_some_and(|digits| self.account_digits() == Some(digits))
    }

    /// The key itself, for the request header or for sealing.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// Its prefix and last four characters, as a page may show it.
    pub fn masked(&self) -> String {
        mask(self.expose(), "sk_test_".len())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The secret that webhooks of one endpoint are signed with. Its `Debug` is the masked form.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Secret<String>);

impl WebhookSecret {
    const PREFIX: &'static str = "whsec_";

    /// Reads a secret; spaces around it are dropped.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = checked(text)?;
        match text.strip_prefix(Self::PREFIX) {
            Some("") => Err(KeyError::Incomplete),
            Some(_) => Ok(Self(Secret::new(text.to_owned()))),
            None => Err(misplaced(text)),
        }
    }

    /// The whole secret, prefix included: all of it is the HMAC key.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Its prefix and last four characters, as a page may show it.
    pub fn masked(&self) -> String {
        mask(self.expose(), Self::PREFIX.len())
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Secret::new(String::deserialize(from)?);
        Self::parse(text.expose()).map_err(serde::de::Error::custom)
    }
}

fn checked(text: &str) -> Result<&str, KeyError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > KEY_LENGTH_MAX {
        return Err(KeyError::TooLong);
    }
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'=');
    if !text.bytes().all(known) {
        return Err(KeyError::Characters);
    }
    Ok(text)
}

/// Says what a text is that stands in the wrong field.
fn misplaced(text: &str) -> KeyError {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    if begins(&["whsec_"]) {
        KeyError::IsWebhookSecret
    } else if begins(&["we_", "ed_"]) {
        KeyError::IsWebhookId
    } else if begins(&["sk_", "rk_", "pk_"]) {
        KeyError::IsApiKey
    } else {
        KeyError::Unrecognised
    }
}

fn mask(text: &str, prefix_length: usize) -> String {
    let (prefix, rest) = text.split_at_checked(prefix_length).unwrap_or(("", text));
    let tail_from = rest.len().saturating_sub(4);
    let tail = if rest.len() < MASK_TAIL_FROM { "" } else { rest.get(tail_from..).unwrap_or("") };
    format!("{prefix}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_its_kind_and_mode() {
        for (text, kind, mode) in [
            ("sk_test_51Abcdefghijk", KeyKind::Secret, Mode::Test),
            ("sk_live_51", KeyKind::Secret, Mode::Live),
            ("rk_live_51", KeyKind::Restricted, Mode::Live),
            (" pk_test_51Abcdefghijk\n", KeyKind::Publishable, Mode::Test),
        ] {
            let key = ApiKey::parse(text).unwrap();
            assert_eq!((key.kind(), key.mode(), key.expose()), (kind, mode, text.trim()));
        }
    }

    #[test]
    fn a_text_in_the_wrong_field_is_told_where_it_belongs() {
        for (text, error) in [
            ("", KeyError::Empty),
            ("whsec_abc", KeyError::IsWebhookSecret),
            ("we_1Abc", KeyError::IsWebhookId),
            ("acct_1Abc", KeyError::Unrecognised),
            ("sk_prod_abc", KeyError::Unrecognised),
            ("sk_test_", KeyError::Incomplete),
            ("sk_test_…4242", KeyError::Characters),
            ("sk_test_a b", KeyError::Characters),
        ] {
            assert_eq!(ApiKey::parse(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(ApiKey::parse(&"s".repeat(300)).unwrap_err(), KeyError::TooLong);
        assert_eq!(WebhookSecret::parse("sk_test_abc").unwrap_err(), KeyError::IsApiKey);
        assert_eq!(WebhookSecret::parse("whsec_").unwrap_err(), KeyError::Incomplete);
    }

    #[test]
    fn only_prefix_and_last_four_are_ever_shown() {
        let key = ApiKey::parse("sk_test_51AbcdefghijkWXYZ").unwrap();
        assert_eq!(format!("{key:?}"), "sk_test_…WXYZ");
        let short = ApiKey::parse("sk_test_short").unwrap();
        assert_eq!(format!("{short:?}"), "sk_test_…");
        let secret = WebhookSecret::parse("whsec_0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "whsec_…cdef");
    }
}
