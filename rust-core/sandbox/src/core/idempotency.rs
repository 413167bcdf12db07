//! Idempotency keys as Stripe keeps them: one stored answer for each key, for a day.
//!
//! | a key comes again | the answer |
//! |---|---|
//! | while its first request is being answered | 409 |
//! | with another body, or for another address | 400 `idempotency_error` |
//! | with the same | the stored answer, errors included, marked `Idempotent-Replayed` |
//! | after 24 hours | a new request |
//!
//! Nothing is stored when a request failed validation.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::model::Id;
use super::reply::Reply;

/// Stripe may drop a key after 24 hours; the sandbox always does, so that whoever relies on a key
/// for longer finds out here.
pub const KEY_LIFETIME_MS: i64 = 24 * 60 * 60 * 1_000;

/// Stripe's longest key, in characters.
const KEY_LENGTH_MAX: usize = 255;

/// What an answer is stored with.
pub(super) struct Stored {
    path: Cow<'static, str>,
    body_hash: [u8; 32],
    ready_at_ms: i64,
    pub(super) request_id: Id,
    pub(super) result: Result<Reply, ApiError>,
}

/// What a key says about a request.
pub(super) enum Seen {
    /// Nothing: a new request.
    Never,
    /// Its answer is known.
    Answered(Arc<Stored>),
}

#[derive(Default)]
pub(super) struct Keys {
    stored: HashMap<Arc<str>, Arc<Stored>>,
    /// In the order of storing, for forgetting.
    ages: VecDeque<(i64, Arc<str>)>,
}

impl Keys {
    /// Forgets what is a day old.
    pub(super) fn prune(&mut self, now_ms: i64) {
        let old = |at_ms: i64| now_ms.saturating_sub(at_ms) >= KEY_LIFETIME_MS;
        while let Some((_, key)) = self.ages.pop_front_if(|(at_ms, _)| old(*at_ms)) {
            self.stored.remove(&key);
        }
    }

    pub(super) fn look_up(
        &self,
        key: &str,
        path: &str,
        body: &[u8],
        now_ms: i64,
    ) -> Result<Seen, ApiError> {
        if key.chars().count() > KEY_LENGTH_MAX {
            let message = format!("Idempotency keys can have up to {KEY_LENGTH_MAX} characters.");
            return Err(ApiError::invalid(message));
        }
        let Some(stored) = self.stored.get(key) else { return Ok(Seen::Never) };
        if now_ms < stored.ready_at_ms {
            return Err(ApiError::key_in_flight(key));
        }
        if stored.path != path {
            return Err(ApiError::key_reused(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were \
                 first used for ('{path}' vs '{}'). Try using a key other than '{key}' if you \
                 meant to execute a different request.",
                stored.path
            )));
        }
        if stored.body_hash != hash(body) {
            return Err(ApiError::key_reused(format!(
                "Keys for idempotent requests can only be used with the same parameters they were \
                 first used with. Try using a key other than '{key}' if you meant to execute a \
                 different request."
            )));
        }
        Ok(Seen::Answered(stored.clone()))
    }

    pub(super) fn store(
        &mut self,
        key: &Arc<str>,
        (path, body): (&str, &[u8]),
        (now_ms, ready_at_ms): (i64, i64),
        request_id: Id,
        result: Result<Reply, ApiError>,
    ) {
        let stored =
            Stored { path: shared(path), body_hash: hash(body), ready_at_ms, request_id, result };
        self.stored.insert(key.clone(), Arc::new(stored));
        self.ages.push_back((now_ms, key.clone()));
    }
}

/// The addresses that most keys are for need no copy of their own.
fn shared(path: &str) -> Cow<'static, str> {
    const COMMON: [&str; 4] =
        ["/v1/checkout/sessions", "/v1/payment_intents", "/v1/payment_methods", "/v1/refunds"];
    let known = COMMON.iter().find(|common| **common == path);
    known.map_or_else(|| Cow::Owned(path.to_owned()), |common| Cow::Borrowed(*common))
}

fn hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}
