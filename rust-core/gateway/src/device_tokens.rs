//! Tokens that let a handheld read: the device and the end of the token's time, with a MAC. Nothing
//! is stored, so a handheld that asks often costs no write; a revoked one is found by its row.

use crate::tokens::mac;
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{DeviceId, TenantSlug};
use subtle::ConstantTimeEq;

/// How long a token is good, in seconds: short, because it is only as safe as the handheld's
/// memory.
pub(crate) const TTL_S: u32 = 15 * 60;

const LABEL: &[u8] = b"holdfast/device-token/1";

/// A token for a device, good from now on.
pub(crate) fn make(
    secret: &[u8],
    tenant: &TenantSlug,
    device: DeviceId,
    now_unix_s: u64,
) -> String {
    let expires = now_unix_s.saturating_add(u64::from(TTL_S)).to_be_bytes();
    let mut token = device.as_bytes().to_vec();
    token.extend(expires);
    token.extend(seal(secret, tenant, device, &expires));
    BASE64URL_NOPAD.encode(&token)
}

/// The device of a token, if it is ours and still good.
pub(crate) fn read(
    secret: &[u8],
    tenant: &TenantSlug,
    token: &str,
    now_unix_s: u64,
) -> Option<DeviceId> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let (device, rest) = bytes.split_first_chunk::<8>()?;
    let (expires, given) = rest.split_first_chunk::<8>()?;
    let device = DeviceId::from_bytes(*device);
    let ours: bool = seal(secret, tenant, device, expires).ct_eq(given).into();
    (ours && u64::from_be_bytes(*expires) > now_unix_s).then_some(device)
}

fn seal(secret: &[u8], tenant: &TenantSlug, device: DeviceId, expires: &[u8; 8]) -> [u8; 32] {
    mac(secret, &[LABEL, tenant.as_str().as_bytes(), device.as_bytes(), expires])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId::from_bytes([7; 8]);

    #[test]
    fn a_token_is_good_for_its_tenant_and_its_time() {
        let (demo, other) = ("demo".parse().unwrap(), "other".parse().unwrap());
        let token = make(b"secret", &demo, DEVICE, 1_000);
        assert_eq!(read(b"secret", &demo, &token, 1_000), Some(DEVICE));
        assert_eq!(read(b"secret", &demo, &token, 1_000 + u64::from(TTL_S)), None);
        assert_eq!(read(b"secret", &other, &token, 1_000), None);
        assert_eq!(read(b"another", &demo, &token, 1_000), None);
    }

    #[test]
    fn an_altered_token_is_no_token() {
        let demo = "demo".parse().unwrap();
        let token = make(b"secret", &demo, DEVICE, 1_000);
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        for index in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            let altered = BASE64URL_NOPAD.encode(&altered);
            assert_eq!(read(b"secret", &demo, &altered, 1_000), None, "byte {index}");
        }
        for text in ["", "x", "====", &token[..20]] {
            assert_eq!(read(b"secret", &demo, text, 1_000), None, "{text:?}");
        }
    }
}
