//! Keys as they were typed: each of its field's kind and its section's mode, and all of one account.

use super::{FieldError, sentence};
use holdfast_domain::Mode;
use holdfast_stripe::{ApiKey, KeyKind, WebhookSecret};

/// A set of keys of one mode, as it was typed; empty fields stay as they are.
pub(crate) struct TypedKeys<'t> {
    pub(crate) secret_key: &'t str,
    pub(crate) publishable_key: &'t str,
    pub(crate) webhook_id: &'t str,
    pub(crate) webhook_secret: &'t str,
}

impl TypedKeys<'_> {
    /// Publishable Key and Webhook ID, to stay in their fields while something is corrected. A secret that
    /// was pasted into one of them goes back to nobody.
    pub(crate) fn repeatable(&self) -> [String; 2] {
        let keep = |text: &str, prefixes: &[&str]| {
            let known = prefixes.iter().any(|it| text.trim().starts_with(it));
            if known { text.trim().to_owned() } else { String::new() }
        };
        [keep(self.publishable_key, &["pk_"]), keep(self.webhook_id, &["we_", "ed_"])]
    }
}

/// Parsed keys of a set.
pub(super) struct Parsed {
    pub(super) secret_key: Option<ApiKey>,
    pub(super) publishable_key: Option<ApiKey>,
    pub(super) webhook_secret: Option<WebhookSecret>,
    pub(super) webhook_id: String,
}

pub(super) fn parse(typed: &TypedKeys<'_>, mode: Mode) -> Result<Parsed, Vec<FieldError>> {
    let mut errors = Vec::new();
    let secret_key = api_key("secret_key", typed.secret_key, mode, &mut errors);
    let publishable_key = api_key("publishable_key", typed.publishable_key, mode, &mut errors);
    let webhook_secret = match typed.webhook_secret.trim() {
        "" => None,
        text => WebhookSecret::parse(text)
            .map_err(|why| errors.push(("webhook_secret", sentence(&why.to_string()))))
            .ok(),
    };
    let webhook_id = typed.webhook_id.trim();
    if let Some(why) = not_a_webhook_id(webhook_id) {
        errors.push(("webhook_id", why.to_owned()));
    }
    if let (Some(secret), Some(publishable)) = (&secret_key, &publishable_key)
        && secret.account_digits().is_some()
        && publishable.account_digits().is_some()
        && secret.account_digits() != publishable.account_digits()
    {
        errors.push(("publishable_key", OTHER_ACCOUNTS_KEY.to_owned()));
    }
    if errors.is_empty() {
        let webhook_id = webhook_id.to_owned();
        return Ok(Parsed { secret_key, publishable_key, webhook_secret, webhook_id });
    }
    Err(errors)
}

/// Keys that name two accounts in themselves.
pub(super) const OTHER_ACCOUNTS_KEY: &str = "This publishable key is of another Stripe account than the Secret Key. \
    Copy both from the API keys page of one account.";

/// Longest ID of an endpoint, in characters.
const WEBHOOK_ID_CHARS_MAX: usize = 100;

/// Why this is no ID of an endpoint; nothing if it is one, or empty.
fn not_a_webhook_id(text: &str) -> Option<&'static str> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = text.starts_with("we_") || text.starts_with("ed_");
    if text.is_empty() || (plain && known && text.len() <= WEBHOOK_ID_CHARS_MAX) {
        return None;
    }
    Some(if text.starts_with("whsec_") {
        "This is a webhook signing secret (whsec_); enter it as Webhook Secret, and the Destination ID \
         (we_ or ed_) here."
    } else if ApiKey::parse(text).is_ok() {
        "This is an API key; enter it as Secret Key or Publishable Key, and the Destination ID (we_ or \
         ed_) here."
    } else {
        "The Webhook ID begins with we_ or ed_; copy the Destination ID from Stripe's Webhooks page."
    })
}

/// A key of the field's kind and the section's mode.
fn api_key(
    field: &'static str,
    text: &str,
    mode: Mode,
    errors: &mut Vec<FieldError>,
) -> Option<ApiKey> {
    if text.trim().is_empty() {
        return None;
    }
    let key = match ApiKey::parse(text) {
        Ok(key) => key,
        Err(why) => {
            errors.push((field, sentence(&why.to_string())));
            return None;
        }
    };
    let is_publishable = key.kind() == KeyKind::Publishable;
    let why = match (field, is_publishable) {
        ("secret_key", true) => {
            "This is a publishable key (pk_); enter it as Publishable Key, and the secret key (sk_) \
             or a restricted key (rk_) here."
                .to_owned()
        }
        ("publishable_key", false) => {
            "This key is secret, and a browser would see it; enter it as Secret Key, and the publishable \
             key (pk_) here."
                .to_owned()
        }
        _ if key.mode() != mode => format!(
            "This is a {} key; enter it under {} keys, and the {mode} key here.",
            key.mode(),
            key.mode()
        ),
        _ => return Some(key),
    };
    errors.push((field, why));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk_test_51Abcdefghijk";

    fn refused_fields(keys: [&str; 4], mode: Mode) -> Vec<FieldError> {
        let [secret_key, publishable_key, webhook_id, webhook_secret] = keys;
        let typed = TypedKeys { secret_key, publishable_key, webhook_id, webhook_secret };
        parse(&typed, mode).err().unwrap_or_default()
    }

    #[test]
    fn every_pair_of_keys_that_does_not_fit_is_named_by_its_field() {
        let modes = [("test", Mode::Test), ("live", Mode::Live)];
        for (key_mode, parsed_mode) in modes {
            for (pk_mode, parsed_pk) in modes {
                for (_, section) in modes {
                    for prefix in ["sk", "rk"] {
                        let sk = format!("{prefix}_{key_mode}_51Abcdef");
                        let pk = format!("pk_{pk_mode}_51Abcdef");
                        let errors = refused_fields([&sk, &pk, "", ""], section);
                        let fields: Vec<_> = errors.iter().map(|(field, _)| *field).collect();
                        let mut wanted = Vec::new();
                        if parsed_mode != section {
                            wanted.push("secret_key");
                        }
                        if parsed_pk != section {
                            wanted.push("publishable_key");
                        }
                        assert_eq!(fields, wanted, "{sk} {pk} under {section}");
                        assert!(errors.iter().all(|(_, why)| !why.contains("51Abcdef")));
                    }
                }
            }
        }
    }

    #[test]
    fn a_key_in_the_wrong_field_is_told_where_it_belongs() {
        for (keys, field, words) in [
            (["pk_test_51Abcdefg", "", "", ""], "secret_key", "Publishable Key"),
            (["whsec_abc", "", "", ""], "secret_key", "Webhook Secret"),
            (["we_123", "", "", ""], "secret_key", "Webhook ID"),
            ([SECRET, SECRET, "", ""], "publishable_key", "browser would see"),
            ([SECRET, "whsec_abc", "", ""], "publishable_key", "Webhook Secret"),
            ([SECRET, "we_123", "", ""], "publishable_key", "Webhook ID"),
            ([SECRET, "", "whsec_abc", ""], "webhook_id", "enter it as Webhook Secret"),
            ([SECRET, "", SECRET, ""], "webhook_id", "enter it as Secret Key"),
            ([SECRET, "", "pk_test_51Abcdefg", ""], "webhook_id", "Publishable Key"),
            ([SECRET, "", "we-1", ""], "webhook_id", "begins with we_ or ed_"),
            ([SECRET, "", "", SECRET], "webhook_secret", "Secret Key"),
            ([SECRET, "", "", "pk_test_51Abcdefg"], "webhook_secret", "Publishable Key"),
            ([SECRET, "", "", "we_123"], "webhook_secret", "Webhook ID"),
        ] {
            let errors = refused_fields(keys, Mode::Test);
            assert!(errors.iter().any(|(f, why)| *f == field && why.contains(words)), "{errors:?}");
        }
        assert!(refused_fields([SECRET, "", "we_1Abc", "whsec_abc"], Mode::Test).is_empty());
    }

    #[test]
    fn keys_that_name_two_accounts_are_refused_and_keys_that_name_none_are_not() {
        const A: &str = "51BTUDGJAJfZb9HEB";
        const B: &str = "51GQ9RbJAJfZb9HEB";
        let errors = |sk: &str, pk: &str| {
            let (sk, pk) = (format!("sk_test_{sk}"), format!("pk_test_{pk}"));
            refused_fields([&sk, &pk, "", ""], Mode::Test)
        };
        let long = "wDg86TN1KNprHjkfipXmEDMb0gSCassK5T3ZfxsAbcgKVmAIXF7o";
        let two = errors(&format!("{A}{long}"), &format!("{B}{long}"));
        assert_eq!(two.iter().map(|(field, _)| *field).collect::<Vec<_>>(), ["publishable_key"]);
        assert!(errors(&format!("{A}{long}"), &format!("{A}{long}")).is_empty());
        // Older keys name no account, and short ones neither.
        assert!(errors("4eC39HqLyjWDarjtT1zdp7dc", "TYooMQauvdEDq54NiTphI7jx").is_empty());
        assert!(errors("51Abcdefghijk", "51Zbcdefghijk").is_empty());
    }
}
