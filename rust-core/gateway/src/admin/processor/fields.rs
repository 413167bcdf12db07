//! What was given, field by field.

use super::ProcessorError;
use crate::processors;
use holdfast_domain::{Currency, Mode, Secret};
use holdfast_stripe::amount::AmountError;
use holdfast_stripe::{ApiKey, KeyKind, WebhookSecret};

/// Longest ID of a webhook destination.
const WEBHOOK_ID_CHARS_MAX: usize = 100;

pub(super) fn secret_key(
    given: Option<&Secret<String>>,
    mode: Mode,
) -> Result<ApiKey, ProcessorError> {
    let field = "STRIPE_SECRET_KEY";
    let key = parse_key(field, given.map_or("", |key| key.expose()))?;
    if key.kind() == KeyKind::Publishable {
        let todo = "put it in STRIPE_PUBLISHABLE_KEY, and the secret key (sk_) or a restricted \
                    key (rk_) here";
        return Err(ProcessorError::Kind { field, found: key.kind().name(), todo });
    }
    of_mode(field, key, mode)
}

pub(super) fn publishable_key(
    given: Option<&Secret<String>>,
    mode: Mode,
) -> Result<Option<ApiKey>, ProcessorError> {
    let field = "STRIPE_PUBLISHABLE_KEY";
    let Some(given) = given.filter(|key| !key.expose().trim().is_empty()) else { return Ok(None) };
    let key = parse_key(field, given.expose())?;
    if key.kind() != KeyKind::Publishable {
        let todo = "a browser would see it; put the publishable key (pk_) here";
        return Err(ProcessorError::Kind { field, found: key.kind().name(), todo });
    }
    of_mode(field, key, mode).map(Some)
}

fn parse_key(field: &'static str, text: &str) -> Result<ApiKey, ProcessorError> {
    ApiKey::parse(text).map_err(|source| ProcessorError::Key { field, source })
}

fn of_mode(field: &'static str, key: ApiKey, wanted: Mode) -> Result<ApiKey, ProcessorError> {
    let found = key.mode();
    if found == wanted { Ok(key) } else { Err(ProcessorError::Mode { field, found, wanted }) }
}

pub(super) fn webhook_secret(
    given: Option<&Secret<String>>,
) -> Result<Option<WebhookSecret>, ProcessorError> {
    let given = given.filter(|secret| !secret.expose().trim().is_empty());
    let parse = |secret: &Secret<String>| {
        WebhookSecret::parse(secret.expose())
            .map_err(|source| ProcessorError::Key { field: "STRIPE_WEBHOOK_SECRET", source })
    };
    given.map(parse).transpose()
}

pub(super) fn webhook_id(given: Option<String>) -> Result<String, ProcessorError> {
    let Some(id) = given else { return Ok(String::new()) };
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = id.starts_with("we_") || id.starts_with("ed_");
    let good = known && plain && id.len() <= WEBHOOK_ID_CHARS_MAX;
    good.then_some(id).ok_or(ProcessorError::WebhookId)
}

pub(super) fn currency(code: &str) -> Result<Currency, ProcessorError> {
    let refused = |words: String| ProcessorError::Currency(words);
    let currency = Currency::from_code(code).map_err(|error| refused(error.to_string()))?;
    match processors::limits(currency) {
        Ok(_) => Ok(currency),
        Err(AmountError::Unsupported { code }) => {
            Err(refused(format!("Stripe does not take {code}; choose another currency")))
        }
        Err(other) => Err(refused(other.to_string())),
    }
}
