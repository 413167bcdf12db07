//! The signature on a webhook: `Stripe-Signature: t=…,v1=…[,v1=…][,v0=…]`.
//!
//! Each v1 is HMAC-SHA256 over `{t}.{raw body}` in hex, under the whole `whsec_…` string. While
//! a secret is being rolled there is one v1 for each; any one that matches is enough. Every other
//! scheme is ignored (v0 is a decoy of test mode). Stripe's page is "Verify webhook signatures".

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::keys::WebhookSecret;

/// The header's name.
pub const SIGNATURE_HEADER: &str = "Stripe-Signature";

/// How old a signature may be, in seconds: Stripe's own default.
pub const TOLERANCE_S: i64 = 300;

/// A header longer than this, in bytes, is no signature; it is refused before any work.
pub const HEADER_LENGTH_MAX: usize = 4096;

/// More v1 than this are not tried: Stripe sends one for each active secret, two at most.
const SIGNATURES_MAX: usize = 16;

const SIGNATURE_BYTES: usize = 32;

/// Whose signature it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which of the secrets matched, by their places in the slice; at least one. While a secret is
    /// rolled, the old and the new one may both match.
    pub matched: Vec<usize>,
    /// When Stripe signed, in Unix seconds.
    pub signed_at: i64,
}

/// Why a webhook is not believed. For the administrator; the sender gets a bare 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no `Stripe-Signature` header, so this did not come from Stripe.
    #[error("there is no Stripe-Signature header; the sender is not Stripe, or a proxy drops it")]
    HeaderMissing,
    /// The header does not have Stripe's form.
    #[error("the Stripe-Signature header is malformed")]
    HeaderMalformed,
    /// The header holds no v1 signature.
    #[error("the Stripe-Signature header holds no v1 signature")]
    NoSignature,
    /// No secret is known for this endpoint.
    #[error("no webhook secret is stored; copy it from Stripe's Webhooks page")]
    NoSecret,
    /// No signature matches any secret.
    #[error(
        "the signature matches no stored webhook secret; copy the secret of this endpoint and mode again"
    )]
    Mismatch,
    /// The signature is right but old.
    #[error(
        "signature right, clock off by {by_s} s; set this machine's clock, or the event was replayed"
    )]
    TooOld {
        /// How much older than now, in seconds.
        by_s: i64,
    },
}

/// Checks the header against the raw body and each secret.
///
/// Every v1 is compared with every secret in constant time, and only then is the time looked at,
/// so that a wrong clock can be told from a wrong secret. A time ahead of ours is accepted, as
/// Stripe's own libraries do; replays are caught by the event's ID.
pub fn verify(
    raw_body: &[u8],
    header: Option<&str>,
    secrets: &[WebhookSecret],
    now_unix: i64,
    tolerance_s: i64,
) -> Result<Verified, SignatureError> {
    let parsed = parse(header.ok_or(SignatureError::HeaderMissing)?)?;
    if secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let mut matched = Vec::new();
    for (index, secret) in secrets.iter().enumerate() {
        let expected = mac(raw_body, secret, parsed.time);
        let mut any = Choice::from(0);
        for signature in &parsed.signatures {
            any |= expected.ct_eq(signature);
        }
        if bool::from(any) {
            matched.push(index);
        }
    }
    if matched.is_empty() {
        return Err(SignatureError::Mismatch);
    }
    let age_s = now_unix.saturating_sub(parsed.signed_at);
    if age_s > tolerance_s {
        return Err(SignatureError::TooOld { by_s: age_s });
    }
    Ok(Verified { matched, signed_at: parsed.signed_at })
}

/// Makes the header's value for a body, with one v1 for each secret.
pub fn sign(raw_body: &[u8], secrets: &[WebhookSecret], signed_at: i64) -> String {
    let mut header = format!("t={signed_at}");
    for secret in secrets {
        header.push_str(",v1=");
        header.push_str(&HEXLOWER.encode(&mac(raw_body, secret, &signed_at.to_string())));
    }
    header
}

struct Parsed<'h> {
    /// The time as it was written, which is what was signed.
    time: &'h str,
    signed_at: i64,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

fn parse(header: &str) -> Result<Parsed<'_>, SignatureError> {
    if header.len() > HEADER_LENGTH_MAX {
        return Err(SignatureError::HeaderMalformed);
    }
    let mut time = None;
    // One v1 for each secret that is active: mostly one, two while a secret is rolled.
    let mut signatures = Vec::with_capacity(2);
    for item in header.split(',') {
        match item.trim().split_once('=') {
            Some(("t", text)) if time.is_none() => time = Some(text),
            Some(("t", _)) | None => return Err(SignatureError::HeaderMalformed),
            Some(("v1", hex)) if signatures.len() < SIGNATURES_MAX => {
                signatures.extend(signature_from(hex));
            }
            Some(_) => {}
        }
    }
    let time = time.ok_or(SignatureError::HeaderMalformed)?;
    let signed_at = time.parse().map_err(|_| SignatureError::HeaderMalformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::NoSignature);
    }
    Ok(Parsed { time, signed_at, signatures })
}

/// A v1 that is not 64 hex digits cannot match anything and is skipped.
fn signature_from(hex: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let mut signature = [0; SIGNATURE_BYTES];
    let fits = HEXLOWER.decode_len(hex.len()) == Ok(SIGNATURE_BYTES);
    let decoded = fits && HEXLOWER.decode_mut(hex.as_bytes(), &mut signature).is_ok();
    decoded.then_some(signature)
}

fn mac(raw_body: &[u8], secret: &WebhookSecret, time: &str) -> [u8; SIGNATURE_BYTES] {
    // HMAC takes a key of any length, so this cannot fail; an all-zero answer matches nothing
    // that anybody could sign.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return [0; SIGNATURE_BYTES];
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(raw_body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_790_000_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::parse(text).unwrap()
    }

    fn check(header: &str, secrets: &[WebhookSecret]) -> Result<Verified, SignatureError> {
        verify(BODY, Some(header), secrets, NOW, TOLERANCE_S)
    }

    /// Computed with `openssl dgst -sha256 -hmac whsec_test` over `1790000000.{"id":"evt_1"}`.
    const KNOWN: &str = "e32657f3e678d33b41ec084c16ac0e125d25480a06cb3902286dc5942c6fd259";

    #[test]
    fn the_signature_is_the_one_that_other_tools_compute() {
        assert_eq!(sign(BODY, &[secret("whsec_test")], NOW), format!("t={NOW},v1={KNOWN}"));
    }

    #[test]
    fn during_a_roll_either_secret_is_enough() {
        let (old, new) = (secret("whsec_old"), secret("whsec_new"));
        let both = sign(BODY, &[old.clone(), new.clone()], NOW);
        assert_eq!(check(&both, std::slice::from_ref(&new)).unwrap().matched, [0]);
        assert_eq!(check(&both, &[secret("whsec_x"), old.clone()]).unwrap().matched, [1]);
        assert_eq!(check(&both, &[new.clone(), old]).unwrap().matched, [0, 1]);
        let only_new = sign(BODY, std::slice::from_ref(&new), NOW);
        assert_eq!(check(&only_new, &[secret("whsec_x"), new]).unwrap().matched, [1]);
    }

    #[test]
    fn a_changed_body_or_a_foreign_secret_is_a_mismatch() {
        let header = sign(BODY, &[secret("whsec_a")], NOW);
        assert_eq!(check(&header, &[secret("whsec_b")]), Err(SignatureError::Mismatch));
        let tampered = verify(b"{}", Some(&header), &[secret("whsec_a")], NOW, TOLERANCE_S);
        assert_eq!(tampered, Err(SignatureError::Mismatch));
        let other_time = header.replace(&NOW.to_string(), &(NOW - 1).to_string());
        assert_eq!(check(&other_time, &[secret("whsec_a")]), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_right_signature_with_a_wrong_clock_says_so() {
        let old = sign(BODY, &[secret("whsec_a")], NOW - 412);
        let error = check(&old, &[secret("whsec_a")]).unwrap_err();
        assert_eq!(error, SignatureError::TooOld { by_s: 412 });
        assert!(error.to_string().contains("signature right, clock off by 412 s"));
        // With a foreign secret the age is not told: whoever cannot sign learns nothing.
        assert_eq!(check(&old, &[secret("whsec_b")]), Err(SignatureError::Mismatch));
        let edge = sign(BODY, &[secret("whsec_a")], NOW - TOLERANCE_S);
        assert!(check(&edge, &[secret("whsec_a")]).is_ok());
        let ahead = sign(BODY, &[secret("whsec_a")], NOW + 3_600);
        assert!(check(&ahead, &[secret("whsec_a")]).is_ok());
    }

    #[test]
    fn schemes_other_than_v1_are_ignored() {
        let real = sign(BODY, &[secret("whsec_a")], NOW);
        let (time, v1) = real.split_once(",v1=").unwrap();
        let only_v0 = format!("{time},v0={v1}");
        assert_eq!(check(&only_v0, &[secret("whsec_a")]), Err(SignatureError::NoSignature));
        assert!(check(&format!("{only_v0},v1=zz,v1={v1}"), &[secret("whsec_a")]).is_ok());
    }

    #[test]
    fn a_malformed_header_is_refused_without_a_panic() {
        let malformed = ["", "t=", "t=x,v1=00", "v1=00", "t=1,t=2,v1=00", "nonsense", "t=1,,v1=00"];
        for header in malformed {
            let error = check(header, &[secret("whsec_a")]).unwrap_err();
            assert_eq!(error, SignatureError::HeaderMalformed, "{header:?}");
        }
        let huge = format!("t=1,v1={}", "0".repeat(HEADER_LENGTH_MAX));
        assert_eq!(check(&huge, &[]).unwrap_err(), SignatureError::HeaderMalformed);
        assert_eq!(verify(BODY, None, &[], NOW, 0).unwrap_err(), SignatureError::HeaderMissing);
        let header = sign(BODY, &[secret("whsec_a")], NOW);
        assert_eq!(check(&header, &[]).unwrap_err(), SignatureError::NoSecret);
        let distant = sign(BODY, &[secret("whsec_a")], i64::MIN);
        assert!(matches!(
            check(&distant, &[secret("whsec_a")]),
            Err(SignatureError::TooOld { .. })
        ));
    }

    fn spoiled() -> impl Strategy<Value = String> {
        let changes = prop::collection::vec((any::<usize>(), "[ -~]?", any::<bool>()), 1..4);
        changes.prop_map(|changes| {
            let mut text: Vec<char> = sign(BODY, &[secret("whsec_test")], NOW).chars().collect();
            for (at, with, is_instead) in changes {
                let at = at % (text.len() + 1);
                let end = (at + usize::from(is_instead)).min(text.len());
                text.splice(at..end, with.chars());
            }
            text.into_iter().collect()
        })
    }

    proptest! {
        #[test]
        fn only_a_header_with_the_right_signature_and_its_time_is_believed(
            header in prop_oneof![spoiled(), "\\PC{0,120}", "(t=[0-9]{0,20},?)?(v1=[0-9a-f]{0,64},?){0,4}"],
        ) {
            if let Ok(verified) = check(&header, &[secret("whsec_test")]) {
                prop_assert_eq!(verified.signed_at, NOW);
                prop_assert!(header.contains(KNOWN), "{}", header);
            }
        }

        #[test]
        fn no_other_body_is_believed(body in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assume!(body != BODY);
            let header = sign(BODY, &[secret("whsec_test")], NOW);
            let answer = verify(&body, Some(&header), &[secret("whsec_test")], NOW, TOLERANCE_S);
            prop_assert!(answer.is_err());
        }
    }
}
