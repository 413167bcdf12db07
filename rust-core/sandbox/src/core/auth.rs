//! Who may call, and how often: any test key, or those on a list; a restricted key only what it was
//! allowed.

use data_encoding::BASE64;
use holdfast_stripe::{ApiKey, KeyKind, Mode};

use super::Core;
use super::calls;
use super::error::ApiError;
use super::http::ApiRequest;

impl Core {
    /// What Stripe checks before it looks at the call: key, permission, rate, version, content
    /// type.
    pub(super) fn admit(&mut self, request: &ApiRequest) -> Result<(), ApiError> {
        self.check_key(request)?;
        self.check_rate()?;
        check_version(request.stripe_version.as_deref())?;
        check_content_type(request)
    }

    fn check_key(&mut self, request: &ApiRequest) -> Result<(), ApiError> {
        let given = request.authorization.as_deref().and_then(key_in);
        let given = given.ok_or_else(ApiError::no_key)?;
        let invalid = || ApiError::invalid_key(&starred(&given));
        let key = ApiKey::parse(&given).map_err(|_| invalid())?;
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let route = calls::route(&request.method, &segments);
        let played = if self.config.live { Mode::Live } else { Mode::Test };
        if key.mode() != played {
            return Err(invalid());
        }
        if key.kind() == KeyKind::Publishable {
            self.publishable = route.is_some_and(|route| route.is_public());
            return if self.publishable { Ok(()) } else { Err(ApiError::publishable_key()) };
        }
        if self.config.api_keys.is_empty() {
            return Ok(());
        }
        let grant =
            self.config.api_keys.iter().find(|grant| grant.is_for(&key)).ok_or_else(invalid)?;
        let needed = route.map(|route| route.permission()).filter(|needed| !grant.allows(needed));
        let refused = |needed| {
            let permission = format!("rak_{needed}");
            Err(ApiError::missing_permission(&starred(&given), &self.account, &permission))
        };
        needed.map_or(Ok(()), refused)
    }

    fn check_rate(&mut self) -> Result<(), ApiError> {
        let Some(most) = self.config.rate_limit_per_s else { return Ok(()) };
        let second = self.now_s();
        let (counted, count) = self.rate;
        let count = if counted == second { count.saturating_add(1) } else { 1 };
        self.rate = (second, count);
        if count > most { Err(ApiError::rate_limited()) } else { Ok(()) }
    }
}

/// The key in `Bearer KEY`, or in `Basic` as the user name.
fn key_in(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned()).filter(|key| !key.is_empty());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(rest.as_bytes()).ok()?).ok()?;
    let (user, _) = decoded.split_once(':').unwrap_or((&decoded, ""));
    Some(user.to_owned()).filter(|key| !key.is_empty())
}

/// A rejected key as Stripe repeats it: stars but for the prefix and the last four characters.
fn starred(key: &str) -> String {
    let letters: Vec<char> = key.chars().take(64).collect();
    let hidden = 8..letters.len().saturating_sub(4);
    let shown = |(at, letter): (usize, &char)| if hidden.contains(&at) { '*' } else { *letter };
    if letters.len() < 13 {
        return "*".repeat(letters.len());
    }
    letters.iter().enumerate().map(shown).collect()
}

/// Any version of Stripe's form is taken; the sandbox always speaks the pinned one.
fn check_version(version: Option<&str>) -> Result<(), ApiError> {
    let Some(version) = version else { return Ok(()) };
    let (date, name) = version.split_once('.').unwrap_or((version, "x"));
    let digits = |b: u8| if b.is_ascii_digit() { b'0' } else { b };
    let shape: Vec<u8> = date.bytes().map(digits).collect();
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if shape == b"0000-00-00" && named {
        return Ok(());
    }
    let shown: String = version.chars().take(40).collect();
    Err(ApiError::invalid(format!("Invalid Stripe API version: {shown}")))
}

fn check_content_type(request: &ApiRequest) -> Result<(), ApiError> {
    let given = request.content_type.as_deref().unwrap_or("application/x-www-form-urlencoded");
    let kind = given.split(';').next().unwrap_or_default().trim();
    if request.body.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(ApiError::invalid(
        "The request body must be form-encoded (application/x-www-form-urlencoded).",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_bearer_and_basic() {
        assert_eq!(key_in("Bearer sk_test_a").as_deref(), Some("sk_test_a"));
        assert_eq!(key_in("basic c2tfdGVzdF9hOg==").as_deref(), Some("sk_test_a"));
        for nothing in ["", "Bearer", "Bearer ", "Basic !", "Digest x", "Basic Og=="] {
            assert_eq!(key_in(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_rejected_key_is_repeated_in_stars() {
        assert_eq!(starred("sk_test_abcdefgh1234"), "sk_test_********1234");
        assert_eq!(starred("sk_live_abc"), "***********");
        assert_eq!(starred("short"), "*****");
    }

    #[test]
    fn versions_of_stripes_form_are_taken() {
        for good in ["2026-08-26.dahlia", "2030-01-01.elm", "2020-08-27"] {
            assert!(check_version(Some(good)).is_ok(), "{good}");
        }
        for bad in ["", "dahlia", "2026-8-26", "2026-08-26.", "2026-08-26.Dahlia!"] {
            assert!(check_version(Some(bad)).is_err(), "{bad}");
        }
    }
}
