//! The small part of CBOR (RFC 8949) that the signed order uses, in its deterministic encoding.
//!
//! The decoder of the field library accepts more than one spelling of a number. Whoever reads a
//! payload therefore encodes it again and compares: what is not the one spelling is refused.

use holdfast_domain::{Currency, Mode, Money};
use minicbor::{Decoder, Encoder};
use std::convert::Infallible;

/// The bytes are not CBOR of the expected shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// Encodes into a vector, which cannot fail.
pub(crate) fn encode(
    write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), minicbor::encode::Error<Infallible>>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    // Writing to a vector has no error: the type is `Infallible`, but the library wraps it.
    let _ = write(&mut encoder);
    bytes
}

/// A definite-length array of exactly `len` entries.
pub(crate) fn array_of(decoder: &mut Decoder<'_>, len: u64) -> Result<(), Malformed> {
    (decoder.array()? == Some(len)).then_some(()).ok_or(Malformed)
}

/// The next map key, which must be `key`.
pub(crate) fn key(decoder: &mut Decoder<'_>, key: u8) -> Result<(), Malformed> {
    (decoder.u8()? == key).then_some(()).ok_or(Malformed)
}

/// A byte string of exactly `N` bytes.
pub(crate) fn fixed_bytes<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[u8; N], Malformed> {
    <[u8; N]>::try_from(decoder.bytes()?).map_err(|_| Malformed)
}

/// Nothing may follow.
pub(crate) fn end(decoder: &Decoder<'_>) -> Result<(), Malformed> {
    (decoder.position() == decoder.input().len()).then_some(()).ok_or(Malformed)
}

/// `[currency, minor units]`.
pub(crate) fn decode_money(d: &mut Decoder<'_>) -> Result<Money, Malformed> {
    array_of(d, 2)?;
    let currency = Currency::from_code(d.str()?).map_err(|_| Malformed)?;
    Ok(Money::new(d.i64()?, currency))
}

/// 0 test, 1 live.
pub(crate) fn mode_number(mode: Mode) -> u8 {
    match mode {
        Mode::Test => 0,
        Mode::Live => 1,
    }
}

/// Reads what [`mode_number`] writes.
pub(crate) fn mode_of_number(number: u8) -> Result<Mode, Malformed> {
    match number {
        0 => Ok(Mode::Test),
        1 => Ok(Mode::Live),
        _ => Err(Malformed),
    }
}
