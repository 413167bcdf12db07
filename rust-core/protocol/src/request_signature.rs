//! HTTP Message Signatures (RFC 9421), as far as one request needs them.
//!
//! A handheld signs one kind of request: the POST that fetches a short-lived token. Covered are
//! method, authority, path and the digest of the body; the parameters carry the time and the
//! device ID. Everything is spelled in one way and compared as text, so there is no parser to
//! trick.

use crate::signature::{DevicePublicKey, DeviceSignature, SignatureError};
use data_encoding::BASE64;
use holdfast_domain::DeviceId;

/// How far a signature's time may lie from the gateway's clock, in seconds, either way.
pub const CLOCK_TOLERANCE_S: u64 = 300;

const COMPONENTS: &str = r#"("@method" "@authority" "@path")"#;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest<'a> {
    /// Host and port as in the `Host` header, lower case.
    pub authority: &'a str,
    /// Path of the address.
    pub path: &'a str,
    /// Unix seconds, by the signer's best knowledge of the gateway's clock.
    pub created_unix_s: u64,
    /// Who signs.
    pub device: DeviceId,
}

/// Why a signed request is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The headers are missing or not spelled as a handheld spells them.
    #[error("the request is not signed as a handheld signs it")]
    Malformed,
    /// The signature is right but its time is not.
    #[error("the handheld's clock is off by {off_by_s} s")]
    Clock {
        /// Gateway's time minus the request's.
        off_by_s: i64,
    },
    /// By another key.
    #[error("the signature does not match")]
    Signature(#[source] SignatureError),
}

impl TokenRequest<'_> {
    /// Value of the `Signature-Input` header.
    pub fn signature_input(&self) -> String {
        format!("sig1={}", self.parameters())
    }

    /// The signature base (section 2.5): the bytes that the device key signs.
    pub fn signature_base(&self) -> Vec<u8> {
        format!(
            "\"@method\": POST\n\"@authority\": {}\n\"@path\": {}\n\"@signature-params\": {}",
            self.authority,
            self.path,
            self.parameters()
        )
        .into_bytes()
    }

    /// Value of the `Signature` header.
    pub fn signature_header(signature: &DeviceSignature) -> String {
        format!("sig1=:{}:", BASE64.encode(signature.as_bytes()))
    }

    fn parameters(&self) -> String {
        format!(
            "{COMPONENTS};created={};keyid=\"{}\";alg=\"ecdsa-p256-sha256\"",
            self.created_unix_s, self.device
        )
    }
}

/// Time and device that a `Signature-Input` header claims, to look the key up with.
pub fn claims(signature_input: &str) -> Result<(u64, DeviceId), RequestError> {
    let claims = || {
        let rest = signature_input.strip_prefix("sig1=")?.strip_prefix(COMPONENTS)?;
        let (created, rest) = rest.strip_prefix(";created=")?.split_once(";keyid=\"")?;
        let (device, alg) = rest.split_once('"')?;
        let plain = created.bytes().all(|b| b.is_ascii_digit()) && created.len() <= 11;
        let known = alg == ";alg=\"ecdsa-p256-sha256\"";
        let created = created.parse().ok().filter(|_| plain && known)?;
        Some((created, DeviceId::parse(device).ok()?))
    };
    claims().ok_or(RequestError::Malformed)
}

/// Checks the `Signature` header over the request, then its time.
pub fn verify(
    request: &TokenRequest<'_>,
    signature_header: &str,
    key: &DevicePublicKey,
    now_unix_s: u64,
) -> Result<(), RequestError> {
    let signature = signature_header
        .strip_prefix("sig1=:")
        .and_then(|rest| rest.strip_suffix(':'))
        .and_then(|text| BASE64.decode(text.as_bytes()).ok())
        .ok_or(RequestError::Malformed)?;
    let signature = DeviceSignature::from_bytes(&signature).map_err(RequestError::Signature)?;
    key.verify(&request.signature_base(), &signature).map_err(RequestError::Signature)?;
    if now_unix_s.abs_diff(request.created_unix_s) > CLOCK_TOLERANCE_S {
        let off_by_s =
            now_unix_s.cast_signed().saturating_sub(request.created_unix_s.cast_signed());
        return Err(RequestError::Clock { off_by_s });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Signer;
    use p256::ecdsa::{Signature, SigningKey};
    use proptest::prelude::*;

    const NOW: u64 = 1_790_000_000;

    fn request(created_unix_s: u64) -> TokenRequest<'static> {
        TokenRequest {
            authority: "pay.example.org",
            path: "/api/demo/handheld/token",
            created_unix_s,
            device: DeviceId::from_bytes([9; 8]),
        }
    }

    fn signed(request: &TokenRequest<'_>) -> (String, DevicePublicKey) {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let signature: Signature = key.sign(&request.signature_base());
        let signature = DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap();
        let public = DevicePublicKey::from(*key.verifying_key());
        (TokenRequest::signature_header(&signature), public)
    }

    #[test]
    fn a_signed_request_is_accepted_and_its_claims_are_read() {
        let request = request(NOW);
        let (header, key) = signed(&request);
        assert_eq!(claims(&request.signature_input()), Ok((NOW, request.device)));
        assert_eq!(verify(&request, &header, &key, NOW + 300), Ok(()));
    }

    #[test]
    fn another_path_host_or_time_is_refused() {
        let original = request(NOW);
        let (header, key) = signed(&original);
        for other in [
            TokenRequest { path: "/api/other/handheld/token", ..original.clone() },
            TokenRequest { authority: "evil.example", ..original.clone() },
            TokenRequest { created_unix_s: NOW + 1, ..original.clone() },
            TokenRequest { device: DeviceId::from_bytes([8; 8]), ..original.clone() },
        ] {
            let result = verify(&other, &header, &key, NOW);
            assert_eq!(result, Err(RequestError::Signature(SignatureError::Wrong)));
        }
        let late = verify(&original, &header, &key, NOW + 301);
        assert_eq!(late, Err(RequestError::Clock { off_by_s: 301 }));
    }

    #[test]
    fn another_spelling_is_refused() {
        for input in ["", "sig1=()", "sig1=(\"@method\");created=1", "sig2=x"] {
            assert_eq!(claims(input), Err(RequestError::Malformed), "{input}");
        }
        let good = request(NOW).signature_input();
        assert!(claims(&format!("{good};tag=\"x\"")).is_err());
        assert!(claims(&good.replace("created=1", "created=+1")).is_err());
    }

    /// A text with a few of its characters changed, left out or doubled.
    fn spoiled(good: String) -> impl Strategy<Value = String> {
        let changes = prop::collection::vec((any::<usize>(), "[ -~]?", any::<bool>()), 1..4);
        changes.prop_map(move |changes| {
            let mut text: Vec<char> = good.chars().collect();
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
        fn whatever_claims_are_read_they_are_spelled_as_we_spell_them(
            text in prop_oneof![spoiled(request(NOW).signature_input()), "\\PC{0,80}"],
        ) {
            if let Ok((created_unix_s, device)) = claims(&text) {
                let again = TokenRequest { device, ..request(created_unix_s) };
                prop_assert_eq!(claims(&again.signature_input()), Ok((created_unix_s, device)));
            }
        }

        #[test]
        fn no_other_signature_is_taken(
            header in prop_oneof![spoiled(signed(&request(NOW)).0), "\\PC{0,80}"],
        ) {
            let request = request(NOW);
            let (good, key) = signed(&request);
            if verify(&request, &header, &key, NOW).is_ok() {
                prop_assert_eq!(header, good);
            }
        }
    }
}
