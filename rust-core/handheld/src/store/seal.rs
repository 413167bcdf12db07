//! AES-256-GCM over each record.
//!
//! The associated data binds a record to its place: its name (table and ID), its version and this
//! installation. A record moved to another name, put into another file, or changed by one bit does
//! not open, and is named. Nonces are 96 random bits; NIST SP 800-38D (section 8.3) allows 2^32 of
//! those under one key. Seals are counted, and [`Budget`] says when a new key takes over.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use holdfast_domain::Secret;
use zeroize::Zeroizing;

/// Length of the data key in bytes.
pub const DATA_KEY_BYTES: usize = 32;
/// Length of an installation's ID in bytes.
pub const INSTALLATION_BYTES: usize = 16;

const NONCE_BYTES: usize = 12;
const VERSION_BYTES: usize = 8;

/// Seals under one key: from here on, the next start makes a new key. A handheld that commits every
/// second of its life gets here after some years.
const SEALS_RENEW_AT: u64 = 1 << 30;
/// Seals under one key at the most; half of what the standard allows, so that what a crash leaves
/// uncounted does not matter.
const SEALS_MAX: u64 = 1 << 31;

/// How much a data key may seal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// From so many seals on, the next start makes a new key.
    pub(super) renew_at: u64,
    /// More than these are refused.
    pub(super) seals_max: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { renew_at: SEALS_RENEW_AT, seals_max: SEALS_MAX }
    }
}

/// Names the purpose and version of this sealing.
const PURPOSE: &[u8] = b"holdfast/record/1";

/// Seals and opens the records of one installation.
pub struct Sealer {
    cipher: Aes256Gcm,
    installation: [u8; INSTALLATION_BYTES],
}

/// No randomness, or a record beyond what the cipher takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotSealed;

impl Sealer {
    /// With the data key of an installation. The cipher's copy of the key is wiped with it.
    pub fn new(key: &Secret<[u8; DATA_KEY_BYTES]>, installation: [u8; INSTALLATION_BYTES]) -> Self {
        Self { cipher: Aes256Gcm::new(key.expose().into()), installation }
    }

    /// The installation that it seals for.
    pub(super) fn installation(&self) -> [u8; INSTALLATION_BYTES] {
        self.installation
    }

    /// Version, nonce and ciphertext.
    pub fn seal(&self, name: &[u8], version: u64, plain: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| NotSealed)?;
        let aad = self.associated_data(name, version);
        let payload = Payload { msg: plain, aad: &aad };
        let sealed = self.cipher.encrypt(&nonce.into(), payload).map_err(|_| NotSealed)?;
        Ok([version.to_be_bytes().as_slice(), &nonce, &sealed].concat())
    }

    /// What was sealed under this name, or nothing.
    pub fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (version, rest) = sealed.split_first_chunk::<VERSION_BYTES>()?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let aad = self.associated_data(name, u64::from_be_bytes(*version));
        let plain = self.cipher.decrypt(nonce.into(), Payload { msg, aad: &aad }).ok()?;
        Some(Zeroizing::new(plain))
    }

    /// Fixed lengths and a length before the name: two places never have the same.
    fn associated_data(&self, name: &[u8], version: u64) -> Vec<u8> {
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
        [PURPOSE, &length.to_be_bytes(), name, &version.to_be_bytes(), &self.installation].concat()
    }
}

/// The version of a sealed record, as its first bytes claim.
pub fn version(sealed: &[u8]) -> u64 {
    sealed.first_chunk::<VERSION_BYTES>().map_or(0, |version| u64::from_be_bytes(*version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(key: u8, installation: u8) -> Sealer {
        Sealer::new(&Secret::new([key; 32]), [installation; 16])
    }

    #[test]
    fn what_is_sealed_opens_again_and_only_in_its_place() {
        let sealed = sealer(1, 1).seal(b"\x04payment", 7, b"the order").unwrap();
        let opened = |sealer: &Sealer, name: &[u8]| sealer.open(name, &sealed);
        assert_eq!(opened(&sealer(1, 1), b"\x04payment").unwrap().as_slice(), b"the order");
        assert_eq!(version(&sealed), 7);
        assert!(opened(&sealer(1, 1), b"\x04another").is_none(), "another name");
        assert!(opened(&sealer(1, 2), b"\x04payment").is_none(), "another installation");
        assert!(opened(&sealer(2, 1), b"\x04payment").is_none(), "another key");
    }

    /// Compiles only while each of these is wiped when it goes.
    #[test]
    fn keys_and_opened_records_are_wiped() {
        fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let key = Secret::new([1; DATA_KEY_BYTES]);
        is_wiped(&key);
        let sealer = Sealer::new(&key, [1; INSTALLATION_BYTES]);
        is_wiped(&sealer.cipher);
        let sealed = sealer.seal(b"name", 1, b"the order").unwrap();
        is_wiped(&sealer.open(b"name", &sealed).unwrap());
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_found() {
        let sealer = sealer(1, 1);
        let sealed = sealer.seal(b"name", 1, b"the order").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open(b"name", &flipped).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(sealer.open(b"name", &sealed[..length]).is_none(), "length {length}");
        }
    }

    #[test]
    fn nothing_of_the_contents_shows_and_no_nonce_repeats() {
        let sealer = sealer(1, 1);
        let one = sealer.seal(b"name", 1, b"the order").unwrap();
        let two = sealer.seal(b"name", 1, b"the order").unwrap();
        assert_ne!(one, two);
        assert!(!one.windows(5).any(|window| window == b"order"));
    }
}
