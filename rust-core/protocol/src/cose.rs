//! COSE_Sign1 (RFC 9052) in the one shape that this project writes and reads.
//!
//! Protected header `{1: -7}` (ES256), unprotected header empty, external data naming what kind of
//! message it is, so that a signature over one kind is worth nothing for another.

use crate::canonical::{self, Malformed, array_of, end, key};
use crate::signature::{DevicePublicKey, DeviceSignature, SignatureError};
use minicbor::Decoder;

/// COSE header `{1: -7}`: the algorithm is ES256.
pub(crate) const PROTECTED: &[u8] = &[0xA1, 0x01, 0x26];
/// CBOR tag of COSE_Sign1, which an envelope may carry.
const TAG_COSE_SIGN1: u64 = 18;

/// Why bytes are not the signed message that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than such a message can be.
    #[error("longer than such a message can be")]
    TooLong,
    /// Not the bytes of such a message.
    #[error("not such a message")]
    Malformed,
    /// Of a version that this program does not know.
    #[error("a message of a newer version; update this program")]
    UnknownVersion,
    /// Not signed by this key, or changed since.
    #[error("the signature does not match")]
    Signature(#[source] SignatureError),
}

impl From<Malformed> for MessageError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// A payload with its signature, both still in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sign1 {
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: DeviceSignature,
}

impl Sign1 {
    /// Reads an envelope of at most `bytes_max` bytes.
    pub(crate) fn parse(bytes: &[u8], bytes_max: usize) -> Result<Self, MessageError> {
        if bytes.len() > bytes_max {
            return Err(MessageError::TooLong);
        }
        let (payload, signature) = open(bytes)?;
        let signature = DeviceSignature::from_bytes(signature).map_err(MessageError::Signature)?;
        Ok(Self { payload: payload.to_vec(), signature })
    }

    /// Checks the signature of a message of the kind `domain`.
    pub(crate) fn verify(&self, domain: &[u8], key: &DevicePublicKey) -> Result<(), MessageError> {
        key.verify(&sig_structure(domain, &self.payload), &self.signature)
            .map_err(MessageError::Signature)
    }

    /// The envelope as it is written.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(|e| {
            e.array(4)?.bytes(PROTECTED)?.map(0)?;
            e.bytes(&self.payload)?.bytes(self.signature.as_bytes())?;
            Ok(())
        })
    }
}

/// A payload as it is written down: a version, and a map of so many keys.
pub(crate) trait Payload: Sized {
    /// The version this program writes and reads.
    const VERSION: u8;
    /// Keys of the map, the version's among them.
    const KEYS: u64;

    /// The one encoding of this payload.
    fn encoded(&self) -> Vec<u8>;

    /// Reads what follows the version.
    fn decode_fields(decoder: &mut Decoder<'_>) -> Result<Self, Malformed>;

    /// Reads a payload. The version is looked at first, so that a newer message is not called broken;
    /// any spelling but the one that [`Payload::encoded`] writes is refused.
    fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut d = Decoder::new(bytes);
        let entries = d.map().map_err(Malformed::from)?;
        key(&mut d, 1)?;
        if d.u8().map_err(Malformed::from)? != Self::VERSION {
            return Err(MessageError::UnknownVersion);
        }
        if entries != Some(Self::KEYS) {
            return Err(MessageError::Malformed);
        }
        let payload = Self::decode_fields(&mut d)?;
        end(&d)?;
        (payload.encoded() == bytes).then_some(payload).ok_or(MessageError::Malformed)
    }
}

/// What is signed: COSE's Sig_structure (RFC 9052, section 4.4).
pub(crate) fn sig_structure(domain: &[u8], payload: &[u8]) -> Vec<u8> {
    canonical::encode(|e| {
        e.array(4)?.str("Signature1")?.bytes(PROTECTED)?.bytes(domain)?.bytes(payload)?;
        Ok(())
    })
}

fn open(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut d = Decoder::new(bytes);
    if d.datatype()? == minicbor::data::Type::Tag && d.tag()?.as_u64() != TAG_COSE_SIGN1 {
        return Err(Malformed);
    }
    array_of(&mut d, 4)?;
    if d.bytes()? != PROTECTED || d.map()? != Some(0) {
        return Err(Malformed);
    }
    let payload = d.bytes()?;
    let signature = d.bytes()?;
    end(&d)?;
    Ok((payload, signature))
}
