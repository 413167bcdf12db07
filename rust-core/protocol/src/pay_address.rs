//! The pay address: the gateway's own address with the signed order inside.
//!
//! All capitals, so that a QR code can use its alphanumeric mode (5.5 bits a character in place
//! of 8). Scheme and host do not care about case; the gateway serves the path in either.

use crate::order::{ORDER_BYTES_MAX, SignedOrder};
use data_encoding::BASE32_NOPAD;

/// First segment of the path, as the QR code spells it.
pub const PATH_SEGMENT: &str = "O";
/// Longest base32 text of an order in characters.
pub const BASE32_CHARS_MAX: usize = ORDER_BYTES_MAX.div_ceil(5) * 8;

/// The address for an order at the gateway of `public_url` (without a path).
pub fn pay_address(public_url: &str, order: &SignedOrder) -> String {
    let base = public_url.trim_end_matches('/').to_ascii_uppercase();
    format!("{base}/{PATH_SEGMENT}/{}", BASE32_NOPAD.encode(&order.to_bytes()))
}

/// The bytes behind the base32 text of a pay address, in either case.
pub fn order_bytes(base32: &str) -> Option<Vec<u8>> {
    if base32.len() > BASE32_CHARS_MAX {
        return None;
    }
    BASE32_NOPAD.decode(base32.to_ascii_uppercase().as_bytes()).ok()
}

/// The domain in words, to stand beside the QR code: `pay.example.org`, with a port if it has one.
pub fn host_in_words(public_url: &str) -> String {
    let after_scheme = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    after_scheme.split('/').next().unwrap_or_default().to_ascii_lowercase()
}
