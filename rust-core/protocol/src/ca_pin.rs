//! The pin of a private CA inside an enrolment link.
//!
//! A gateway on a private network may have a certificate that no public root vouches for. The
//! enrolment itself must already be safe from whoever stands between, so the link (which travels
//! from the administrator's screen to the handheld's camera, not over the network) says which CA is
//! right: by a hash of its certificate, since the certificate itself is too long for a QR code.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

/// Bytes of the hash that are kept. Nobody finds another certificate with the same 160 bits, and
/// they are 32 symbols in base32, without a remainder.
pub const CA_PIN_BYTES: usize = 20;
/// Longest certificate of a CA that is taken, in bytes: one with an RSA key of 8,192 bits has about
/// half of that.
pub const CA_BYTES_MAX: usize = 4 * 1024;

/// The first 160 bits of SHA-256 over a CA's certificate in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaPin([u8; CA_PIN_BYTES]);

impl CaPin {
    /// Of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let digest = Sha256::digest(certificate);
        let mut pin = [0; CA_PIN_BYTES];
        pin.iter_mut().zip(digest).for_each(|(place, byte)| *place = byte);
        Self(pin)
    }

    /// As it stands in a link, in capitals or not.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// True if this is the certificate that the pin was made of.
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        Self::of(certificate) == *self
    }
}

impl std::fmt::Display for CaPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE32_NOPAD.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_one_of_the_wire_document() {
        let pin = CaPin::of(b"a certificate");
        assert_eq!(pin.to_string(), "QGWNOYQUB6TJFIKCQIWS7PSNY32UXSVF");
        assert_eq!(CaPin::parse(&pin.to_string().to_lowercase()), Some(pin));
        assert!(pin.is_of(b"a certificate") && !pin.is_of(b"another"));
    }

    #[test]
    fn what_is_no_pin_is_none() {
        let pin = CaPin::of(b"a certificate").to_string();
        for text in ["", "A", &pin[1..], &format!("{pin}A"), &pin.replace(&pin[..1], "1")] {
            assert_eq!(CaPin::parse(text), None, "{text}");
        }
    }
}
