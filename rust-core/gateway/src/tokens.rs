//! Bearer secrets that people and browsers carry: made here, kept only as hashes.

use crate::world::{NoEntropy, World, random};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Random bytes in a token: beyond guessing.
const TOKEN_BYTES: usize = 32;

/// What a token is for. The hash of one kind is never the hash of another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    SignInLink,
    OfficeSession,
    EnrolmentCode,
    Csrf,
    ChargeCredential,
}

impl Kind {
    fn label(self) -> &'static [u8] {
        match self {
            Self::SignInLink => b"holdfast/sign-in-link/1\0",
            Self::OfficeSession => b"holdfast/office-session/1\0",
            Self::EnrolmentCode => b"holdfast/enrolment-code/1\0",
            Self::ChargeCredential => b"holdfast/charge-credential/1\0",
            Self::Csrf => b"holdfast/csrf/1\0",
        }
    }
}

/// A new token, as it stands in a link or a cookie.
pub(crate) fn new_token(world: &dyn World) -> Result<String, NoEntropy> {
    Ok(BASE64URL_NOPAD.encode(&random::<TOKEN_BYTES>(world)?))
}

/// What is kept of a token.
pub(crate) fn hash(kind: Kind, token: &str) -> Vec<u8> {
    Sha256::new().chain_update(kind.label()).chain_update(token).finalize().to_vec()
}

/// The token that every form of a signed-in browser carries. It follows from the cookie, which a
/// foreign page can have sent but cannot read.
pub(crate) fn csrf_token(session_token: &str) -> String {
    BASE64URL_NOPAD.encode(&hash(Kind::Csrf, session_token))
}

/// Compares without telling by its time how far two texts agree.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// HMAC-SHA256 over parts, each with its length in front.
pub(crate) fn mac(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length; the branch without one never runs.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemWorld;

    #[test]
    fn tokens_differ_and_their_kinds_do_not_mix() {
        let (one, other) = (new_token(&SystemWorld).unwrap(), new_token(&SystemWorld).unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert_ne!(hash(Kind::SignInLink, &one), hash(Kind::OfficeSession, &one));
        assert!(same(&csrf_token(&one), &csrf_token(&one)));
        assert!(!same(&csrf_token(&one), &csrf_token(&other)));
    }

    #[test]
    fn parts_of_a_mac_keep_their_borders() {
        assert_ne!(mac(b"k", &[b"ab", b"c"]), mac(b"k", &[b"a", b"bc"]));
    }
}
