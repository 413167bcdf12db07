//! What proves that a handheld which enrols is one that was enrolled before.
//!
//! After a lost device key, or a new enrolment code, a handheld has a new ID and perhaps a new key.
//! What it held before it may still want to cancel. The key that signed may be gone, but the secret
//! of its confirm codes was given to that enrolment alone and lies sealed beside its orders: whoever
//! has it is the same installation. The administrator sees the claim before approving.

use crate::confirm::CONFIRM_SECRET_BYTES;
use crate::signature::DevicePublicKey;
use hmac::{Hmac, KeyInit, Mac};
use holdfast_domain::{DeviceId, Secret, TenantSlug};
use sha2::Sha256;

/// Earlier enrolments that one request may name: the latest of a handheld's life.
pub const CONTINUED_MAX: usize = 8;
/// Length of a proof in bytes.
pub const CONTINUITY_PROOF_BYTES: usize = 32;

/// That whoever has `secret` (the confirm secret of the enrolment `earlier`) enrols with this key.
pub fn proof(
    secret: &Secret<[u8; CONFIRM_SECRET_BYTES]>,
    tenant: &TenantSlug,
    earlier: DeviceId,
    key: &DevicePublicKey,
) -> [u8; CONTINUITY_PROOF_BYTES] {
    mac(secret, tenant, earlier, key)
        .map_or([0; CONTINUITY_PROOF_BYTES], |mac| mac.finalize().into_bytes().into())
}

/// True if this is that proof. Takes the same time whatever differs.
pub fn is_proof(
    claimed: &[u8],
    secret: &Secret<[u8; CONFIRM_SECRET_BYTES]>,
    tenant: &TenantSlug,
    earlier: DeviceId,
    key: &DevicePublicKey,
) -> bool {
    mac(secret, tenant, earlier, key).is_some_and(|mac| mac.verify_slice(claimed).is_ok())
}

fn mac(
    secret: &Secret<[u8; CONFIRM_SECRET_BYTES]>,
    tenant: &TenantSlug,
    earlier: DeviceId,
    key: &DevicePublicKey,
) -> Option<Hmac<Sha256>> {
    // An HMAC takes a key of any length, so there always is one.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
    mac.update(b"holdfast/continuity/1\0");
    mac.update(tenant.as_str().as_bytes());
    mac.update(b"\0");
    mac.update(earlier.as_bytes());
    mac.update(&key.to_sec1());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;

    fn key(byte: u8) -> DevicePublicKey {
        DevicePublicKey::from(*SigningKey::from_slice(&[byte; 32]).unwrap().verifying_key())
    }

    #[test]
    fn a_proof_is_for_one_secret_tenant_handheld_and_key() {
        let (secret, device) = (Secret::new([5; 32]), DeviceId::from_bytes([2; 8]));
        let (demo, other) = ("demo".parse().unwrap(), "other".parse().unwrap());
        let made = proof(&secret, &demo, device, &key(1));
        assert!(is_proof(&made, &secret, &demo, device, &key(1)));
        for wrong in [
            is_proof(&made, &Secret::new([6; 32]), &demo, device, &key(1)),
            is_proof(&made, &secret, &other, device, &key(1)),
            is_proof(&made, &secret, &demo, DeviceId::from_bytes([3; 8]), &key(1)),
            is_proof(&made, &secret, &demo, device, &key(2)),
            is_proof(&made[1..], &secret, &demo, device, &key(1)),
            is_proof(&[], &secret, &demo, device, &key(1)),
        ] {
            assert!(!wrong);
        }
    }

    #[test]
    fn a_proof_is_the_one_of_the_wire_document() {
        let device = DeviceId::from_bytes([2; 8]);
        let made = proof(&Secret::new([5; 32]), &"demo".parse().unwrap(), device, &key(1));
        assert_eq!(
            data_encoding::HEXLOWER.encode(&made),
            "c709590b2e6db0c59d160adbdfa348e6f745867fadae9697397ca66f8cf6806d"
        );
    }
}
