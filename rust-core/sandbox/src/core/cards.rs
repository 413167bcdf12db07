//! Stripe's test cards and what each does.
//!
//! Numbers that are no test card are never kept: the sandbox takes them for a mistake and says so.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The card form of the hosted page, as typed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct CardForm {
    /// Digits, with or without spaces.
    pub number: String,
    /// `MM/YY` or `MM / YYYY`.
    pub expiry: String,
    /// Three digits, four for American Express.
    pub cvc: String,
    /// Name on the card.
    pub name: String,
    /// E-mail address; may be empty.
    pub email: String,
}

impl CardForm {
    /// A test card by its number, good in every other respect.
    pub fn test(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            expiry: "12/34".to_owned(),
            cvc: "123".to_owned(),
            name: "Test Payer".to_owned(),
            email: String::new(),
        }
    }
}

impl std::fmt::Debug for CardForm {
    /// Somebody may have typed a real card.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardForm(…)")
    }
}

/// A field of the form that is wrong, found before any bank is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardFault {
    /// The check digit is wrong, or it is no number.
    #[error("Your card number is invalid.")]
    Number,
    /// A well-formed number that is none of the test cards.
    #[error(
        "This is not a test card. The sandbox takes test cards only, such as 4242 4242 4242 4242."
    )]
    NotATestCard,
    /// Not a month and a year.
    #[error("Your card's expiration date is incomplete. Write it as MM / YY.")]
    Expiry,
    /// In the past.
    #[error("Your card's expiration date is in the past.")]
    Expired,
    /// Too short, or no digits.
    #[error("Your card's security code is incomplete.")]
    Cvc,
    /// Empty.
    #[error("Enter the name on the card.")]
    Name,
}

/// What may be known of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFacts {
    /// Such as `visa`.
    pub brand: &'static str,
    /// `credit` or `debit`.
    pub funding: &'static str,
    /// The last four digits.
    pub last4: Arc<str>,
    /// 1 to 12.
    pub exp_month: u8,
    /// Four digits.
    pub exp_year: u16,
}

/// A bank's no.
#[derive(Debug, PartialEq, Eq)]
pub struct Decline {
    /// Stripe's `code`.
    pub code: &'static str,
    /// Stripe's `decline_code`.
    pub decline_code: Option<&'static str>,
    /// Stripe's `advice_code`.
    pub advice_code: &'static str,
    /// The parameter at fault.
    pub param: Option<&'static str>,
    /// What the payer reads. It never says lost or stolen.
    pub message: &'static str,
}

/// What a card does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    Succeeds,
    Declines(&'static Decline),
    /// The bank wants the payer to confirm (3-D Secure).
    AsksPayer,
}

struct TestCard {
    number: &'static str,
    brand: &'static str,
    funding: &'static str,
    behaviour: Behaviour,
}

const DECLINED_MESSAGE: &str = "Your card was declined.";

const fn bank_decline(
    decline_code: &'static str,
    advice_code: &'static str,
    message: &'static str,
) -> Decline {
    Decline {
        code: "card_declined",
        decline_code: Some(decline_code),
        advice_code,
        param: None,
        message,
    }
}

static GENERIC: Decline = bank_decline("generic_decline", "try_again_later", DECLINED_MESSAGE);
static INSUFFICIENT_FUNDS: Decline =
    bank_decline("insufficient_funds", "try_again_later", "Your card has insufficient funds.");
static LOST: Decline = bank_decline("lost_card", "do_not_try_again", DECLINED_MESSAGE);
static STOLEN: Decline = bank_decline("stolen_card", "do_not_try_again", DECLINED_MESSAGE);
static EXPIRED: Decline = Decline {
    code: "expired_card",
    decline_code: None,
    advice_code: "confirm_card_data",
    param: Some("exp_month"),
    message: "Your card has expired.",
};
static INCORRECT_CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: None,
    advice_code: "confirm_card_data",
    param: Some("cvc"),
    message: "Your card's security code is incorrect.",
};
static PROCESSING_ERROR: Decline = Decline {
    code: "processing_error",
    decline_code: None,
    advice_code: "try_again_later",
    param: None,
    message: "An error occurred while processing your card. Try again in a little bit.",
};

const fn card(
    number: &'static str,
    brand: &'static str,
    funding: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { number, brand, funding, behaviour }
}

/// Stripe's page "Testing": the numbers a person would type.
static TEST_CARDS: [TestCard; 18] = [
    card("4242424242424242", "visa", "credit", Behaviour::Succeeds),
    card("4000056655665556", "visa", "debit", Behaviour::Succeeds),
    card("5555555555554444", "mastercard", "credit", Behaviour::Succeeds),
    card("5200828282828210", "mastercard", "debit", Behaviour::Succeeds),
    card("378282246310005", "amex", "credit", Behaviour::Succeeds),
    card("6011111111111117", "discover", "credit", Behaviour::Succeeds),
    card("3056930009020004", "diners", "credit", Behaviour::Succeeds),
    card("3566002020360505", "jcb", "credit", Behaviour::Succeeds),
    card("4000000000000002", "visa", "credit", Behaviour::Declines(&GENERIC)),
    card("4000000000009995", "visa", "credit", Behaviour::Declines(&INSUFFICIENT_FUNDS)),
    card("4000000000009987", "visa", "credit", Behaviour::Declines(&LOST)),
    card("4000000000009979", "visa", "credit", Behaviour::Declines(&STOLEN)),
    card("4000000000000069", "visa", "credit", Behaviour::Declines(&EXPIRED)),
    card("4000000000000127", "visa", "credit", Behaviour::Declines(&INCORRECT_CVC)),
    card("4000000000000119", "visa", "credit", Behaviour::Declines(&PROCESSING_ERROR)),
    card("4000000000003220", "visa", "credit", Behaviour::AsksPayer),
    card("4000002760003184", "visa", "credit", Behaviour::AsksPayer),
    // Without a set-up before it, this one asks as well.
    card("4000002500003155", "visa", "credit", Behaviour::AsksPayer),
];

/// Checks the form as the page would and finds out what the card does.
pub(super) fn read(form: &CardForm, now_s: i64) -> Result<(CardFacts, Behaviour), CardFault> {
    let digits: String = form.number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !luhn_holds(&digits) {
        return Err(CardFault::Number);
    }
    let known = TEST_CARDS.iter().find(|card| card.number == digits);
    let known = known.ok_or(CardFault::NotATestCard)?;
    let (exp_month, exp_year) = expiry(&form.expiry).ok_or(CardFault::Expiry)?;
    if (exp_year, exp_month) < year_and_month(now_s) {
        return Err(CardFault::Expired);
    }
    let cvc_length = if known.brand == "amex" { 4 } else { 3 };
    let cvc = form.cvc.trim();
    if cvc.len() != cvc_length || !cvc.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CardFault::Cvc);
    }
    if form.name.trim().is_empty() {
        return Err(CardFault::Name);
    }
    let last4 = known.number.get(known.number.len().saturating_sub(4)..).unwrap_or_default();
    let facts = CardFacts {
        brand: known.brand,
        funding: known.funding,
        last4: last4.into(),
        exp_month,
        exp_year,
    };
    Ok((facts, known.behaviour))
}

fn luhn_holds(digits: &str) -> bool {
    if !(12..=19).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|b| u32::from(b - b'0'))
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// `12/34`, `12 / 2034` or `1234` as month and year.
fn expiry(text: &str) -> Option<(u8, u16)> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (month, year) = match text.split_once('/') {
        Some(halves) => halves,
        None => text.split_at_checked(2)?,
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !digits(month) || !digits(year) || !matches!(year.len(), 2 | 4) {
        return None;
    }
    let month: u8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    let year: u16 = year.parse().ok()?;
    Some((month, if year < 100 { year.saturating_add(2000) } else { year }))
}

/// The calendar month of a time, by Howard Hinnant's days-to-civil arithmetic.
fn year_and_month(now_s: i64) -> (u16, u8) {
    let days = now_s.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (u16::try_from(year).unwrap_or(u16::MAX), u8::try_from(month).unwrap_or(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 23 November 2026.
    const NOW_S: i64 = 1_795_392_000;

    fn check(change: impl FnOnce(&mut CardForm)) -> Result<(CardFacts, Behaviour), CardFault> {
        let mut form = CardForm::test("4242 4242 4242 4242");
        change(&mut form);
        read(&form, NOW_S)
    }

    #[test]
    fn every_test_card_has_a_right_check_digit() {
        for card in &TEST_CARDS {
            assert!(luhn_holds(card.number), "{}", card.number);
        }
    }

    /// The decline table of Stripe's test mode.
    #[test]
    fn each_declining_card_gives_its_codes() {
        for (last4, code, decline_code, param, advice) in [
            ("0002", "card_declined", Some("generic_decline"), None, "try_again_later"),
            ("9995", "card_declined", Some("insufficient_funds"), None, "try_again_later"),
            ("9987", "card_declined", Some("lost_card"), None, "do_not_try_again"),
            ("9979", "card_declined", Some("stolen_card"), None, "do_not_try_again"),
            ("0069", "expired_card", None, Some("exp_month"), "confirm_card_data"),
            ("0127", "incorrect_cvc", None, Some("cvc"), "confirm_card_data"),
            ("0119", "processing_error", None, None, "try_again_later"),
        ] {
            let (_, behaviour) = check(|f| f.number = format!("400000000000{last4}")).unwrap();
            let Behaviour::Declines(decline) = behaviour else { panic!("{last4}: {behaviour:?}") };
            let got = (decline.code, decline.decline_code, decline.param, decline.advice_code);
            assert_eq!(got, (code, decline_code, param, advice), "{last4}");
            let shown = decline.message.to_lowercase();
            assert!(!shown.contains("lost") && !shown.contains("stolen"), "{last4}");
        }
    }

    #[test]
    fn a_wrong_field_is_named_before_any_bank_is_asked() {
        let fault = |change: fn(&mut CardForm)| check(change).unwrap_err();
        assert_eq!(fault(|f| f.number = "4242424242424241".into()), CardFault::Number);
        assert_eq!(fault(|f| f.number = "4242".into()), CardFault::Number);
        assert_eq!(fault(|f| f.number = "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢".into()), CardFault::Number);
        assert_eq!(fault(|f| f.number = "4111111111111111".into()), CardFault::NotATestCard);
        assert_eq!(fault(|f| f.expiry = "10/26".into()), CardFault::Expired);
        assert_eq!(fault(|f| f.expiry = "13/30".into()), CardFault::Expiry);
        assert_eq!(fault(|f| f.expiry = "1".into()), CardFault::Expiry);
        assert_eq!(fault(|f| f.expiry = "€€/30".into()), CardFault::Expiry);
        assert_eq!(fault(|f| f.cvc = "12".into()), CardFault::Cvc);
        assert_eq!(fault(|f| f.name = " ".into()), CardFault::Name);
        assert!(check(|f| f.expiry = "11/26".into()).is_ok());
        assert!(check(|f| f.expiry = "12 / 2034".into()).is_ok());
        assert!(check(|f| f.expiry = "1234".into()).is_ok());
        assert!(check(|f| (f.number, f.cvc) = ("378282246310005".into(), "1234".into())).is_ok());
    }

    #[test]
    fn months_are_counted_right() {
        for (now_s, month) in [
            (0, (1970, 1)),
            (NOW_S, (2026, 11)),
            (951_782_400, (2000, 2)),
            (951_868_800, (2000, 3)),
            (1_798_761_599, (2026, 12)),
            (1_798_761_600, (2027, 1)),
        ] {
            assert_eq!(year_and_month(now_s), month, "{now_s}");
        }
    }
}
