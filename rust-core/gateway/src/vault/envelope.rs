//! Sealing one value, and wrapping the key that seals.
//!
//! A sealed value is `1 | key number (4 bytes, big-endian) | nonce (12) | ciphertext and tag`.
//! A wrapped data key is `1 | nonce (12) | ciphertext and tag`.

use super::master::{KEY_BYTES, MasterKey};
use crate::world::{NoEntropy, World, random};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use holdfast_domain::Secret;

/// The scope of secrets that belong to the gateway and to no tenant.
pub(crate) const GATEWAY_SCOPE: &str = "";

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Where a sealed value stands. It opens there and nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The tenant, or [`GATEWAY_SCOPE`].
    pub(crate) scope: &'a str,
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) column: &'static str,
}

/// Why a value cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key is another one, or the value was altered or moved.
    #[error(
        "a stored secret does not open: the master key is not the one it was sealed with, or the \
         database was altered; restore master.key and the database from the same backup"
    )]
    DoesNotOpen,
    /// No randomness for a key or a nonce.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// A key that seals the secrets of one scope.
pub(crate) struct DataKey {
    number: u32,
    key: Secret<[u8; KEY_BYTES]>,
}

impl DataKey {
    /// Which of the scope's keys this is; it stands in each sealed value.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn seal(
        &self,
        place: Place<'_>,
        plain: &[u8],
        world: &dyn World,
    ) -> Result<Vec<u8>, SealError> {
        let nonce = random::<NONCE_BYTES>(world)?;
        let ciphertext = encrypt(self.key.expose(), &nonce, plain, &place.associated_data())?;
        let mut sealed = vec![VERSION];
        sealed.extend(self.number.to_be_bytes());
        sealed.extend(nonce);
        sealed.extend(ciphertext);
        Ok(sealed)
    }

    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Secret<Vec<u8>>, SealError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::DoesNotOpen)?;
        let (_, rest) = rest.split_first_chunk::<4>().ok_or(SealError::DoesNotOpen)?;
        decrypt(self.key.expose(), rest, &place.associated_data())
    }
}

/// The number of the data key that sealed a value.
pub(crate) fn key_number(sealed: &[u8]) -> Option<u32> {
    let rest = sealed.strip_prefix(&[VERSION])?;
    rest.first_chunk().map(|number| u32::from_be_bytes(*number))
}

/// Draws a data key for a scope; returns it with its wrapped form for the database.
pub(crate) fn wrap_new(
    master: &MasterKey,
    scope: &str,
    number: u32,
    world: &dyn World,
) -> Result<(DataKey, Vec<u8>), SealError> {
    let key = DataKey { number, key: Secret::new(random::<KEY_BYTES>(world)?) };
    let wrapped = wrap(master, scope, number, &key, world)?;
    Ok((key, wrapped))
}

/// Wraps a data key anew, with another master key.
pub(crate) fn rewrap(
    (old, new): (&MasterKey, &MasterKey),
    scope: &str,
    number: u32,
    wrapped: &[u8],
    world: &dyn World,
) -> Result<Vec<u8>, SealError> {
    let key = unwrap(old, scope, number, wrapped)?;
    wrap(new, scope, number, &key, world)
}

fn wrap(
    master: &MasterKey,
    scope: &str,
    number: u32,
    key: &DataKey,
    world: &dyn World,
) -> Result<Vec<u8>, SealError> {
    let nonce = random::<NONCE_BYTES>(world)?;
    let plain = key.key.expose();
    let ciphertext = encrypt(master.expose(), &nonce, plain, &wrapping(scope, number))?;
    let mut wrapped = vec![VERSION];
    wrapped.extend(nonce);
    wrapped.extend(ciphertext);
    Ok(wrapped)
}

/// Opens a wrapped data key.
pub(super) fn unwrap(
    master: &MasterKey,
    scope: &str,
    number: u32,
    wrapped: &[u8],
) -> Result<DataKey, SealError> {
    let rest = wrapped.strip_prefix(&[VERSION]).ok_or(SealError::DoesNotOpen)?;
    let plain = decrypt(master.expose(), rest, &wrapping(scope, number))?;
    let key = plain.expose().as_slice().try_into().map_err(|_| SealError::DoesNotOpen)?;
    Ok(DataKey { number, key: Secret::new(key) })
}

impl Place<'_> {
    /// Each part with its length in front, so that no two places give the same bytes.
    fn associated_data(&self) -> Vec<u8> {
        joined(&[
            b"holdfast-sealed-1",
            self.scope.as_bytes(),
            self.table.as_bytes(),
            self.row.as_bytes(),
            self.column.as_bytes(),
        ])
    }
}

fn wrapping(scope: &str, number: u32) -> Vec<u8> {
    joined(&[b"holdfast-data-key-1", scope.as_bytes(), &number.to_be_bytes()])
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.extend(*part);
    }
    all
}

fn encrypt(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    plain: &[u8],
    associated: &[u8],
) -> Result<Vec<u8>, SealError> {
    Aes256Gcm::new(key.into())
        .encrypt(nonce.into(), Payload { msg: plain, aad: associated })
        .map_err(|_| SealError::DoesNotOpen)
}

fn decrypt(
    key: &[u8; KEY_BYTES],
    nonce_and_ciphertext: &[u8],
    associated: &[u8],
) -> Result<Secret<Vec<u8>>, SealError> {
    let (nonce, ciphertext) =
        nonce_and_ciphertext.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::DoesNotOpen)?;
    Aes256Gcm::new(key.into())
        .decrypt(nonce.into(), Payload { msg: ciphertext, aad: associated })
        .map(Secret::new)
        .map_err(|_| SealError::DoesNotOpen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemWorld;

    const PLACE: Place<'_> =
        Place { scope: "demo", table: "processors", row: "STRIPE/test", column: "secret_key" };
    const PLAIN: &[u8] = b"sk_test_51Abcdefghijk";

    fn master() -> MasterKey {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::create(folder.path(), &SystemWorld).unwrap()
    }

    fn data_key() -> DataKey {
        wrap_new(&master(), "demo", 1, &SystemWorld).unwrap().0
    }

    #[test]
    fn what_was_sealed_opens_at_its_place_and_is_not_readable() {
        let key = data_key();
        let sealed = key.seal(PLACE, PLAIN, &SystemWorld).unwrap();
        assert!(!sealed.windows(4).any(|part| PLAIN.windows(4).any(|plain| plain == part)));
        assert_eq!(key.open(PLACE, &sealed).unwrap().expose(), PLAIN);
        assert_eq!(key_number(&sealed), Some(1));
    }

    #[test]
    fn elsewhere_it_does_not_open() {
        let key = data_key();
        let sealed = key.seal(PLACE, PLAIN, &SystemWorld).unwrap();
        for elsewhere in [
            Place { scope: "other", ..PLACE },
            Place { table: "devices", ..PLACE },
            Place { row: "STRIPE/live", ..PLACE },
            Place { column: "webhook_secret", ..PLACE },
            // The same characters with the border moved.
            Place { table: "processorsS", row: "TRIPE/test", ..PLACE },
        ] {
            assert!(key.open(elsewhere, &sealed).is_err(), "{elsewhere:?}");
        }
    }

    #[test]
    fn each_altered_byte_is_noticed() {
        let key = data_key();
        let sealed = key.seal(PLACE, PLAIN, &SystemWorld).unwrap();
        for index in (0..sealed.len()).filter(|index| !(1..5).contains(index)) {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(key.open(PLACE, &altered).is_err(), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(PLACE, &sealed[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_to_the_same_bytes() {
        let key = data_key();
        let seal = || key.seal(PLACE, PLAIN, &SystemWorld).unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_data_key_opens_only_under_its_master_scope_and_number() {
        let master_key = master();
        let (key, wrapped) = wrap_new(&master_key, "demo", 1, &SystemWorld).unwrap();
        let again = unwrap(&master_key, "demo", 1, &wrapped).unwrap();
        let sealed = key.seal(PLACE, PLAIN, &SystemWorld).unwrap();
        assert_eq!(again.open(PLACE, &sealed).unwrap().expose(), PLAIN);
        assert!(unwrap(&master(), "demo", 1, &wrapped).is_err());
        assert!(unwrap(&master_key, "other", 1, &wrapped).is_err());
        assert!(unwrap(&master_key, "demo", 2, &wrapped).is_err());
    }
}
