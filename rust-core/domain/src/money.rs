//! Money: whole minor units with their currency. No floating point anywhere near it.

use crate::currency::Currency;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in minor units (cents for USD, whole yen for JPY) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why two amounts do not make a third.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies were put together.
    #[error("{left} and {right} cannot be added; use one currency for a payment")]
    Currencies {
        /// The currency on the left.
        left: Currency,
        /// The currency on the right.
        right: Currency,
    },
    /// The result is more than 64 bits hold.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not an amount of this currency.
    #[error("that is not an amount in {0}; write digits and at most one point, such as 12.50")]
    NotAnAmount(Currency),
}

impl Money {
    /// So many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum, of one currency.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The difference, of one currency; it may be negative.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// So many times the amount.
    pub fn checked_mul(self, times: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(times)).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// Reads a decimal amount such as `12.50` or `7`; more digits than the currency has are
    /// refused, not rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let refused = MoneyError::NotAnAmount(currency);
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = usize::try_from(currency.exponent()).unwrap_or(0);
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let pointed = digits.contains('.');
        if whole.is_empty()
            || !all_digits(whole)
            || !all_digits(fraction)
            || fraction.len() > exponent
            || (pointed && fraction.is_empty())
        {
            return Err(refused);
        }
        let minor = format!("{sign}{whole}{fraction:0<exponent$}");
        minor.parse().map(|minor| Self::new(minor, currency)).map_err(|_| MoneyError::Overflow)
    }

    /// The amount without its currency, such as `12.50`.
    pub fn decimal(self) -> String {
        let exponent = usize::try_from(self.currency.exponent()).unwrap_or(0);
        let digits =
            format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent.saturating_add(1));
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(exponent));
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::Currencies { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.decimal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn amounts_are_written_with_the_digits_of_their_currency() {
        for (minor, code, text) in [
            (1250, "USD", "USD 12.50"),
            (5, "USD", "USD 0.05"),
            (-5, "USD", "USD -0.05"),
            (1250, "JPY", "JPY 1250"),
            (1250, "KWD", "KWD 1.250"),
            (i64::MIN, "USD", "USD -92233720368547758.08"),
        ] {
            assert_eq!(Money::new(minor, currency(code)).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "1.234", "1,50", "+1", "1e3", "--1", "½", "1 0", "1.-5"]
        {
            assert!(Money::parse(text, Currency::USD).is_err(), "{text:?}");
        }
        assert!(Money::parse("1.5", currency("JPY")).is_err());
        assert_eq!(Money::parse("99999999999999999999", Currency::USD), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_do_not_mix_and_nothing_wraps() {
        let dollar = Money::new(100, Currency::USD);
        let yen = Money::new(100, currency("JPY"));
        assert!(matches!(dollar.checked_add(yen), Err(MoneyError::Currencies { .. })));
        let most = Money::new(i64::MAX, Currency::USD);
        assert_eq!(most.checked_add(dollar), Err(MoneyError::Overflow));
        assert_eq!(most.checked_mul(2), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in any::<i64>(), code in "USD|JPY|KWD") {
            let money = Money::new(minor, currency(&code));
            prop_assert_eq!(Money::parse(&money.decimal(), money.currency()), Ok(money));
        }
    }
}
