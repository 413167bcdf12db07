//! Enrolment: how a handheld and a gateway come to know each other.
//!
//! The administrator's page makes a one-time code and shows it inside a link. The handheld sends
//! the code, its public key and a signature over both (proof of possession). Both screens then
//! show six digits of the key, which the administrator compares before approving.

use crate::ca_pin::CaPin;
use crate::signature::DevicePublicKey;
use holdfast_domain::{ShortCode, TenantSlug};
use sha2::{Digest, Sha256};

/// How long an enrolment code is good, in seconds: long enough to walk to a shelf and back.
pub const ENROLMENT_CODE_TTL_S: u64 = 10 * 60;
/// Longest link that is looked at, in characters.
const LINK_CHARS_MAX: usize = 300;

/// What the administrator's page shows as a QR code: `{gateway}/e/{tenant}/{XXXX-XXXX}`, and
/// `/{pin}` after it where the gateway's certificate is by a private CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentLink {
    /// Scheme and host (with port) of the gateway, without a slash at the end.
    pub gateway_url: String,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The one-time code.
    pub code: ShortCode,
    /// The private CA that vouches for the gateway; without one, the public roots do.
    pub ca: Option<CaPin>,
}

/// The text is not an enrolment link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not an enrolment link; scan or type the one on the administrator's page")]
pub struct NotAnEnrolmentLink;

impl EnrolmentLink {
    /// Reads a link as scanned or typed.
    pub fn parse(text: &str) -> Result<Self, NotAnEnrolmentLink> {
        let text = text.trim();
        if text.len() > LINK_CHARS_MAX || !text.is_ascii() {
            return Err(NotAnEnrolmentLink);
        }
        let (scheme, rest) = text.split_once("://").ok_or(NotAnEnrolmentLink)?;
        let scheme = scheme.to_ascii_lowercase();
        let mut parts = rest.split('/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or(NotAnEnrolmentLink);
        let (host, marker, tenant, code) = (next()?, next()?, next()?, next()?);
        let pin = parts.next();
        let plain_host =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if !matches!(scheme.as_str(), "http" | "https")
            || !host.bytes().all(plain_host)
            || !marker.eq_ignore_ascii_case("e")
            || parts.next().is_some()
        {
            return Err(NotAnEnrolmentLink);
        }
        Ok(Self {
            gateway_url: format!("{scheme}://{}", host.to_ascii_lowercase()),
            tenant: TenantSlug::parse(&tenant.to_ascii_lowercase())
                .map_err(|_| NotAnEnrolmentLink)?,
            code: ShortCode::parse(code).ok_or(NotAnEnrolmentLink)?,
            ca: pin.map(|pin| CaPin::parse(pin).ok_or(NotAnEnrolmentLink)).transpose()?,
        })
    }
}

impl std::fmt::Display for EnrolmentLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/e/{}/{}", self.gateway_url, self.tenant, self.code)?;
        self.ca.map_or(Ok(()), |pin| write!(f, "/{pin}"))
    }
}

/// What the device signs to prove that it holds the private key.
pub fn proof_message(tenant: &TenantSlug, code: ShortCode, key: &DevicePublicKey) -> Vec<u8> {
    let mut message = b"holdfast/enrol/1\0".to_vec();
    message.extend_from_slice(tenant.as_str().as_bytes());
    message.push(0);
    message.extend_from_slice(code.compact().as_bytes());
    message.push(0);
    message.extend_from_slice(&key.to_sec1());
    message
}

/// Six digits of a public key, shown on both screens as `123 456`.
pub fn six_digits(key: &DevicePublicKey) -> String {
    let digest =
        Sha256::new().chain_update(b"holdfast/six-digits/1").chain_update(key.to_sec1()).finalize();
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let six = number % 1_000_000;
    format!("{:03} {:03}", six / 1000, six % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_it_was_shown_or_typed() {
        let link =
            EnrolmentLink::parse(" HTTPS://Pay.Example.org:8443/E/DEMO/oil1-00ab \n").unwrap();
        assert_eq!(link.to_string(), "https://pay.example.org:8443/e/demo/0111-00AB");
        assert_eq!(EnrolmentLink::parse(&link.to_string()), Ok(link));
    }

    #[test]
    fn a_link_may_name_the_private_ca() {
        let pin = CaPin::of(b"a certificate");
        let text = format!("https://pay.example.org/e/demo/0111-00AB/{pin}");
        let link = EnrolmentLink::parse(&text.to_ascii_lowercase()).unwrap();
        assert_eq!(link.ca, Some(pin));
        assert_eq!(link.to_string(), text);
        assert_eq!(EnrolmentLink::parse(&text[..47]).map(|link| link.ca), Err(NotAnEnrolmentLink));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "0111-00AB",
            "ftp://a/e/demo/0111-00AB",
            "https://a/x/demo/0111-00AB",
            "https://a/e/demo/0111-00A",
            "https://a/e/demo/0111-00AB/more",
            "https://a/e/demo/0111-00AB/",
            "https://a/e/demo/0111-00AB/QGWNOYQUB6TJFIKCQIWS7PSNY32UXSVF/more",
            "https://user@a/e/demo/0111-00AB",
            "https://a?/e/demo/0111-00AB",
            "https:///e/demo/0111-00AB",
        ] {
            assert_eq!(EnrolmentLink::parse(text), Err(NotAnEnrolmentLink), "{text}");
        }
    }
}
