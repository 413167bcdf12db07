//! The doctor's own look at the webhook: a request that nobody signed, which the list of deliveries would
//! name as trouble. The doctor opens the data folder, so it can prove who asks; a stranger cannot, and
//! whoever overhears a proof can hide no more than further empty requests within its minute.

use crate::tokens::mac;
use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

/// The header that carries the proof.
pub(crate) const HEADER: &str = "holdfast-look";
/// How long a proof is good, in seconds: both clocks are of one machine, mostly.
const GOOD_FOR_S: u64 = 60;

const LABEL: &[u8] = b"holdfast/doctor-look/1";

/// Proves that the look at this path is the doctor's.
pub(crate) fn prove(secret: &[u8], path: &str, now_unix_s: i64) -> String {
    let at = now_unix_s.to_string();
    let proof = seal(secret, path, &at);
    format!("{at}.{proof}")
}

/// True for a look of the doctor's own.
pub(crate) fn is_ours(secret: &[u8], path: &str, header: &str, now_unix_s: i64) -> bool {
    let Some((at, given)) = header.split_once('.') else { return false };
    let proven: bool = seal(secret, path, at).as_bytes().ct_eq(given.as_bytes()).into();
    proven && at.parse::<i64>().is_ok_and(|at| at.abs_diff(now_unix_s) <= GOOD_FOR_S)
}

fn seal(secret: &[u8], path: &str, at: &str) -> String {
    BASE64URL_NOPAD.encode(&mac(secret, &[LABEL, path.as_bytes(), at.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_for_its_path_and_its_minute() {
        let path = "/api/demo/qr/payment/webhook";
        let proof = prove(b"secret", path, 1_000);
        assert!(is_ours(b"secret", path, &proof, 1_000));
        assert!(is_ours(b"secret", path, &proof, 1_060));
        assert!(!is_ours(b"secret", path, &proof, 1_061));
        assert!(!is_ours(b"secret", "/api/other/qr/payment/webhook", &proof, 1_000));
        assert!(!is_ours(b"another", path, &proof, 1_000));
        let later = proof.replacen("1000", "1050", 1);
        for forged in ["", ".", "1000", "1000.", "x.y", &later] {
            assert!(!is_ours(b"secret", path, forged, 1_000), "{forged}");
        }
    }
}
