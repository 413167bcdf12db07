//! Ranges of IP addresses, written as `192.0.2.0/24`, `2001:db8::/32`, or one address alone.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix_bits: u32,
}

/// Why a text is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no range of addresses; write it as 192.0.2.0/24 or 2001:db8::/32, or one address alone"
)]
pub struct NotACidr(String);

/// Longest part of a wrong text that is repeated, in characters.
const SHOWN_CHARS_MAX: usize = 50;

impl Cidr {
    /// True if the address lies in the range. An IPv4 address that came over an IPv6 socket counts as
    /// what it is.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(it)) => {
                same_prefix(range.to_bits().into(), it.to_bits().into(), self.prefix_bits, 32)
            }
            (IpAddr::V6(range), IpAddr::V6(it)) => {
                same_prefix(range.to_bits(), it.to_bits(), self.prefix_bits, 128)
            }
            _ => false,
        }
    }
}

fn same_prefix(range: u128, address: u128, prefix_bits: u32, bits: u32) -> bool {
    // Shifting out everything is what a prefix of no bits means.
    let shift = bits.saturating_sub(prefix_bits);
    (range ^ address).checked_shr(shift).unwrap_or(0) == 0
}

impl FromStr for Cidr {
    type Err = NotACidr;

    fn from_str(text: &str) -> Result<Self, NotACidr> {
        let refused = || NotACidr(text.chars().take(SHOWN_CHARS_MAX).collect());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let digits = |it: &&str| it.bytes().all(|b| b.is_ascii_digit());
        let prefix_bits = match prefix {
            None => bits,
            Some(text) => Some(text)
                .filter(digits)
                .and_then(|it| it.parse().ok())
                .filter(|it| *it <= bits)
                .ok_or_else(refused)?,
        };
        Ok(Self { address, prefix_bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_holds_what_shares_its_prefix() {
        for (range, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("192.0.2.0/31", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
        ] {
            let range: Cidr = range.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{range} {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{range} {outside}");
        }
    }

    #[test]
    fn a_text_that_is_none_is_repeated_and_no_longer_than_need_be() {
        for text in
            ["", "192.0.2", "192.0.2.0/33", "::/129", "192.0.2.0/-1", "192.0.2.0/", "a.b", "/8"]
        {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
        let long = "x".repeat(10_000).parse::<Cidr>().unwrap_err();
        assert!(long.to_string().len() < 250);
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_and_read_again(address in any::<[u8; 4]>(), bits in 0..=32_u32) {
            let text = format!("{}/{bits}", IpAddr::from(address));
            let range: Cidr = text.parse().unwrap();
            prop_assert_eq!(range.to_string().parse::<Cidr>(), Ok(range));
            prop_assert!(range.contains(address.into()));
        }

        #[test]
        fn exactly_the_first_bits_count(
            address in any::<[u8; 16]>(), bits in 0..=128_u32, flipped in 0..128_u32,
        ) {
            // Some of these are IPv4 addresses in disguise, which are another family.
            let address = IpAddr::from(address);
            prop_assume!(address.to_canonical() == address);
            let range: Cidr = format!("{address}/{bits}").parse().unwrap();
            let IpAddr::V6(it) = address else { return Ok(()) };
            let other = IpAddr::from(std::net::Ipv6Addr::from_bits(it.to_bits() ^ (1 << (127 - flipped))));
            prop_assume!(other.to_canonical() == other);
            prop_assert_eq!(range.contains(other), flipped >= bits);
        }

        #[test]
        fn any_text_is_a_range_or_refused(text in "[ -~]{0,60}|\\PC{0,20}") {
            if let Err(error) = text.parse::<Cidr>() {
                prop_assert!(error.to_string().len() < 400);
            }
        }
    }
}
