//! Short codes that people read aloud and type: no look-alikes.

use std::fmt;

/// Digits and capitals without I, L, O and U: 32 symbols, so each carries five bits.
pub const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Symbols in a [`ShortCode`].
pub const SHORT_CODE_SYMBOLS: usize = 8;

/// Eight symbols (40 bits) of [`ALPHABET`], shown as `XXXX-XXXX`. Confirm codes, enrolment codes
/// and receipt order IDs are such codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortCode([u8; SHORT_CODE_SYMBOLS]);

impl ShortCode {
    /// The code for 40 bits, for instance the first five bytes of an HMAC or of randomness.
    pub fn from_bits(bits: [u8; 5]) -> Self {
        let mut number = [0_u8; 8];
        let (_, low) = number.split_at_mut(3);
        low.copy_from_slice(&bits);
        let number = u64::from_be_bytes(number);
        let mut place = SHORT_CODE_SYMBOLS;
        Self(std::array::from_fn(|_| {
            place = place.saturating_sub(1);
            let shift = place.saturating_mul(5);
            let index = (number >> shift) & 0x1F;
            ALPHABET.get(usize::try_from(index).unwrap_or(0)).copied().unwrap_or(b'0')
        }))
    }

    /// Reads a code as a person typed it: any case, dashes and spaces, O for 0, I and L for 1.
    pub fn parse(text: &str) -> Option<Self> {
        let mut symbols = text.bytes().filter(|b| !matches!(b, b'-' | b' ')).map(normal_symbol);
        let mut code = [0_u8; SHORT_CODE_SYMBOLS];
        for place in &mut code {
            *place = symbols.next().flatten()?;
        }
        symbols.next().is_none().then_some(Self(code))
    }

    /// The eight symbols without a dash, as stored and searched.
    pub fn compact(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn normal_symbol(byte: u8) -> Option<u8> {
    let upper = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET.contains(&upper).then_some(upper)
}

impl fmt::Display for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.compact().split_at(4);
        write!(f, "{first}-{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_spell_the_code() {
        assert_eq!(ShortCode::from_bits([0; 5]).to_string(), "0000-0000");
        assert_eq!(ShortCode::from_bits([0xFF; 5]).to_string(), "ZZZZ-ZZZZ");
        assert_eq!(ShortCode::from_bits([0, 0, 0, 0, 33]).compact(), "00000011");
    }

    #[test]
    fn typing_is_forgiven() {
        let code = ShortCode::parse("oil1 00aB").unwrap();
        assert_eq!(code.to_string(), "0111-00AB");
        assert_eq!(ShortCode::parse("1234567"), None);
        assert_eq!(ShortCode::parse("123456789"), None);
        assert_eq!(ShortCode::parse("1234567U"), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bits in any::<[u8; 5]>()) {
            let code = ShortCode::from_bits(bits);
            prop_assert_eq!(ShortCode::parse(&code.to_string()), Some(code));
        }
    }
}
