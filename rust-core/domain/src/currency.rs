//! ISO 4217 currencies and their exponents.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A currency of ISO 4217. Its exponent says how many digits of the minor unit follow the point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// The text is not a currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency of ISO 4217; use three letters such as USD")]
pub struct UnknownCurrency(pub String);

/// Active currencies of ISO 4217 (list one, without funds, metals and testing codes), exponent 2.
const TWO_DIGITS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD \
BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL \
GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD \
LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK \
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS \
TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";

/// Currencies without a minor unit.
const NO_DIGITS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";

/// Currencies divided by a thousand.
const THREE_DIGITS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// True if the list has this code. Looked up for each amount that is read, so without any copying.
fn lists(list: &str, code: &[u8; 3]) -> bool {
    // Three letters and a space.
    list.as_bytes().chunks(4).any(|entry| entry.starts_with(code))
}

impl Currency {
    /// US dollar, the default of a payment type.
    pub const USD: Self = Self(*b"USD");

    /// Looks the code up, in either case.
    pub fn from_code(code: &str) -> Result<Self, UnknownCurrency> {
        let known = |code: &[u8; 3]| {
            [TWO_DIGITS, NO_DIGITS, THREE_DIGITS].iter().any(|list| lists(list, code))
        };
        <[u8; 3]>::try_from(code.as_bytes())
            .ok()
            .map(|code| code.map(|letter| letter.to_ascii_uppercase()))
            .filter(known)
            .map(Self)
            .ok_or_else(|| UnknownCurrency(code.chars().take(8).collect()))
    }

    /// Three capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the decimal point: 0, 2 or 3.
    pub fn exponent(self) -> u32 {
        let within = |list: &str| lists(list, &self.0);
        if within(NO_DIGITS) {
            0
        } else if within(THREE_DIGITS) {
            3
        } else {
            2
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;
    fn try_from(code: String) -> Result<Self, UnknownCurrency> {
        Self::from_code(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_iso() {
        for (code, exponent) in
            [("usd", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0), ("MGA", 2), ("UGX", 0), ("HUF", 2)]
        {
            assert_eq!(Currency::from_code(code).unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for code in ["", "US", "USDX", "XXX", "ZZZ", "€", "U D", "USD EUR"] {
            assert!(Currency::from_code(code).is_err(), "{code:?}");
        }
    }
}
