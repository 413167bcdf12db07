//! Money in Stripe's units, which are not always ISO's minor units.
//!
//! Stripe's page "Supported currencies" has four kinds of exceptions:
//! - MGA has two digits in ISO, and none at Stripe;
//! - ISK and UGX have none in ISO, yet Stripe wants them with two, which must be zeros;
//! - the three-digit currencies are charged in steps of ten;
//! - HUF and TWD are charged with two digits like any other (only payouts drop them).
//!
//! What does not fit exactly is refused; nothing here rounds.

use holdfast_domain::{Currency, Money};

/// The largest amount of one charge, in Stripe's units: eight digits.
pub const UNITS_MAX: i64 = 99_999_999;

/// Currencies that Stripe counts in hundredths although ISO does not divide them.
const PADDED: [&str; 2] = ["ISK", "UGX"];

/// Currencies that Stripe does not divide although ISO does.
const UNDIVIDED: [&str; 1] = ["MGA"];

/// Three-digit currencies that Stripe charges, in steps of ten.
const IN_TENS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The smallest charge in each settlement currency, in Stripe's units. In another currency the
/// smallest is one step here, and Stripe compares the converted amount.
const UNITS_MIN: [(&str, i64); 24] = [
    ("USD", 50),
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1_000),
];

/// Why an amount cannot be charged through Stripe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Stripe does not take this currency.
    #[error("Stripe does not take {code}; choose another currency for this payment type")]
    Unsupported {
        /// The currency.
        code: String,
    },
    /// The amount has digits that Stripe cannot take in this currency.
    #[error("{code} is charged in steps of {step_minor} minor units; change the amount")]
    Step {
        /// The currency.
        code: String,
        /// The step, in ISO's minor units.
        step_minor: i64,
    },
    /// Stripe sent an amount that this currency does not have.
    #[error("{units} is not an amount of {code} in Stripe's units")]
    Garbled {
        /// What came.
        units: i64,
        /// The currency.
        code: String,
    },
    /// Below the smallest charge.
    #[error("{money} is less than Stripe charges at least, {least}")]
    TooSmall {
        /// The amount.
        money: Money,
        /// The least that can be charged.
        least: Money,
    },
    /// More than eight digits.
    #[error("{money} is more than Stripe charges at once, {most}")]
    TooLarge {
        /// The amount.
        money: Money,
        /// The most that can be charged.
        most: Money,
    },
}

/// How minor units of one currency become Stripe's.
#[derive(Clone, Copy)]
enum Rule {
    Same { step: i64 },
    TimesHundred,
    DividedByHundred,
}

fn rule(currency: Currency) -> Result<Rule, AmountError> {
    let code = currency.code();
    if PADDED.contains(&code) {
        return Ok(Rule::TimesHundred);
    }
    if UNDIVIDED.contains(&code) {
        return Ok(Rule::DividedByHundred);
    }
    if IN_TENS.contains(&code) {
        return Ok(Rule::Same { step: 10 });
    }
    if currency.exponent() > 2 {
        return Err(AmountError::Unsupported { code: code.to_owned() });
    }
    Ok(Rule::Same { step: 1 })
}

/// The amount in Stripe's units, for a charge: within its limits and exactly representable.
pub fn charge_units(money: Money) -> Result<i64, AmountError> {
    let units = units(money)?;
    let currency = money.currency();
    let least = units_min(currency.code());
    if units < least {
        return Err(AmountError::TooSmall { money, least: from_units(least, currency)? });
    }
    if units > UNITS_MAX {
        let most = UNITS_MAX - UNITS_MAX % units_step(currency)?;
        return Err(AmountError::TooLarge { money, most: from_units(most, currency)? });
    }
    Ok(units)
}

/// The amount in Stripe's units, without the limits of a charge (a refund may be one cent).
pub fn units(money: Money) -> Result<i64, AmountError> {
    let minor = money.minor();
    let code = || money.currency().code().to_owned();
    match rule(money.currency())? {
        Rule::Same { step } if minor % step == 0 => Ok(minor),
        Rule::Same { step } => Err(AmountError::Step { code: code(), step_minor: step }),
        Rule::DividedByHundred if minor % 100 == 0 => Ok(minor / 100),
        Rule::DividedByHundred => Err(AmountError::Step { code: code(), step_minor: 100 }),
        Rule::TimesHundred => minor.checked_mul(100).ok_or(AmountError::TooLarge {
            money,
            most: Money::new(UNITS_MAX / 100, money.currency()),
        }),
    }
}

/// What Stripe's units mean, given Stripe's lower-case code.
pub fn money(units: i64, code: &str) -> Result<Money, AmountError> {
    let currency = Currency::from_code(code)
        .map_err(|_| AmountError::Unsupported { code: code.to_owned() })?;
    from_units(units, currency)
}

fn from_units(units: i64, currency: Currency) -> Result<Money, AmountError> {
    let garbled = || AmountError::Garbled { units, code: currency.code().to_owned() };
    let minor = match rule(currency)? {
        Rule::Same { step: 1 } => units,
        Rule::Same { step } if units % step == 0 => units,
        Rule::DividedByHundred => units.checked_mul(100).ok_or_else(garbled)?,
        Rule::TimesHundred if units % 100 == 0 => units / 100,
        Rule::Same { .. } | Rule::TimesHundred => return Err(garbled()),
    };
    Ok(Money::new(minor, currency))
}

/// The smallest charge in a currency (any case), in Stripe's units: what Stripe's list says, or one
/// step where the list has nothing.
pub fn units_min(code: &str) -> i64 {
    let listed = UNITS_MIN.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
    let step = || Currency::from_code(code).ok().and_then(|known| units_step(known).ok());
    listed.map_or_else(|| step().unwrap_or(1), |(_, least)| *least)
}

/// Amounts in Stripe's units are whole multiples of this.
pub fn units_step(currency: Currency) -> Result<i64, AmountError> {
    Ok(match rule(currency)? {
        Rule::Same { step } => step,
        Rule::TimesHundred => 100,
        Rule::DividedByHundred => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cash(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::from_code(code).unwrap())
    }

    #[test]
    fn each_kind_of_currency_converts_as_stripe_says() {
        for (code, minor, stripe) in [
            ("USD", 1_000, 1_000),
            ("JPY", 500, 500),
            ("KRW", 500, 500),
            ("MGA", 50_000, 500),
            ("ISK", 5, 500),
            ("UGX", 5, 500),
            ("HUF", 17_501, 17_501),
            ("TWD", 1_001, 1_001),
            ("KWD", 5_120, 5_120),
        ] {
            assert_eq!(charge_units(cash(minor, code)), Ok(stripe), "{code}");
            assert_eq!(money(stripe, &code.to_lowercase()), Ok(cash(minor, code)), "{code}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |minor, code| charge_units(cash(minor, code)).unwrap_err();
        assert!(matches!(refused(5_124, "KWD"), AmountError::Step { step_minor: 10, .. }));
        assert!(matches!(refused(50_001, "MGA"), AmountError::Step { step_minor: 100, .. }));
        assert!(matches!(refused(49, "USD"), AmountError::TooSmall { .. }));
        assert!(matches!(refused(0, "XOF"), AmountError::TooSmall { .. }));
        assert!(matches!(refused(-50, "USD"), AmountError::TooSmall { .. }));
        assert!(matches!(refused(100_000_000, "USD"), AmountError::TooLarge { .. }));
        assert!(matches!(refused(1_000_000, "ISK"), AmountError::TooLarge { .. }));
        assert!(matches!(refused(100_000_000, "KWD"), AmountError::TooLarge { .. }));
        assert!(matches!(refused(i64::MAX, "UGX"), AmountError::TooLarge { .. }));
        assert!(matches!(refused(1_000, "IQD"), AmountError::Unsupported { .. }));
        assert_eq!(charge_units(cash(99_999_999, "USD")), Ok(UNITS_MAX));
        assert_eq!(charge_units(cash(50, "USD")), Ok(50));
    }

    #[test]
    fn too_small_is_told_with_the_least_amount_that_can_be_charged() {
        for (code, minor, least) in [
            ("USD", 49, 50),
            ("JPY", 49, 50),
            ("KRW", 0, 1),
            ("VND", 0, 1),
            ("KWD", 0, 10),
            ("BHD", -10, 10),
            ("ISK", 0, 1),
            ("UGX", -1, 1),
            ("MGA", 0, 100),
        ] {
            let (money, least) = (cash(minor, code), cash(least, code));
            let refused = AmountError::TooSmall { money, least };
            assert_eq!(charge_units(money), Err(refused), "{code}");
            assert!(charge_units(least).is_ok(), "{code}");
        }
    }

    #[test]
    fn an_amount_that_stripe_cannot_have_sent_is_named() {
        assert!(matches!(money(501, "isk"), Err(AmountError::Garbled { .. })));
        assert!(matches!(money(5_124, "kwd"), Err(AmountError::Garbled { .. })));
        assert!(matches!(money(i64::MAX, "mga"), Err(AmountError::Garbled { .. })));
        assert!(matches!(money(1, "zzz"), Err(AmountError::Unsupported { .. })));
    }

    proptest! {
        #[test]
        fn what_is_charged_is_what_comes_back(
            minor in any::<i64>(), code in "USD|JPY|KWD|MGA|ISK|UGX|HUF|TWD"
        ) {
            let amount = cash(minor, &code);
            if let Ok(sent) = units(amount) {
                prop_assert_eq!(money(sent, &code), Ok(amount));
            }
        }
    }
}
