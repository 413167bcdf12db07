//! The one cookie: a signed-in browser of the office.

use axum::http::{HeaderMap, HeaderValue, header};

/// On a machine's own names there may be no TLS, and the prefix would forbid the cookie.
const PLAIN: &str = "holdfast_office";
/// Browsers take a cookie of this name only with `Secure`, for this host and every path.
const HOST_BOUND: &str = "__Host-holdfast_office";

fn name(is_loopback: bool) -> &'static str {
    if is_loopback { PLAIN } else { HOST_BOUND }
}

/// The token in the request's cookie.
pub(super) fn office_token(headers: &HeaderMap, is_loopback: bool) -> Option<String> {
    let wanted = name(is_loopback);
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(name, _)| *name == wanted).map(|(_, token)| token.to_owned())
}

/// `Set-Cookie` for a token, or for its end when there is none. Scripts cannot read it, and no
/// foreign page can send it along.
pub(super) fn set_office_token(
    token: Option<&str>,
    max_age_s: i64,
    is_loopback: bool,
) -> Option<HeaderValue> {
    let secure = if is_loopback { "" } else { "; Secure" };
    let age = if token.is_some() { max_age_s } else { 0 };
    let text = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}",
        name(is_loopback),
        token.unwrap_or_default()
    );
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_foreign_pages() {
        let set = set_office_token(Some("t0k"), 60, false).unwrap();
        let set = set.to_str().unwrap();
        for part in ["__Host-", "t0k", "HttpOnly", "SameSite=Strict", "; Secure", "Path=/"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(!set.contains("Domain"));
        let plain = set_office_token(Some("t0k"), 60, true).unwrap();
        assert!(!plain.to_str().unwrap().contains("Secure"));
        let ended = set_office_token(None, 60, true).unwrap();
        assert!(ended.to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; holdfast_office=t0k; b=2"));
        assert_eq!(office_token(&headers, true).as_deref(), Some("t0k"));
        assert_eq!(office_token(&headers, false), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_token_or_none(bytes in prop::collection::vec(0x20..=0xFF_u8, 0..60)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, value);
            headers.append(header::COOKIE, HeaderValue::from_static("holdfast_office=t0k"));
            let found = office_token(&headers, true);
            prop_assert!(found.is_some_and(|token| !token.contains(';')));
        }
    }
}
