//! Stripe's test cards and what each does.
//!
//! Numbers that are no test card are never kept: the sandbox takes them for a mistake and says so.

mod table;

use serde::{Deserialize, Serialize};

use super::calendar::civil;
use super::ids::Ids;
pub use table::Decline;
use table::TestCard;
pub(super) use table::{AUTHENTICATION_REQUIRED, Aftermath, Behaviour};

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

/// A test card as somebody holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardFacts {
    card: &'static TestCard,
    /// 1 to 12.
    pub exp_month: u8,
    /// Four digits.
    pub exp_year: u16,
}

impl CardFacts {
    /// A card that a test name such as `pm_card_visa` or `tok_visa` stands for, good for some
    /// years yet.
    pub(super) fn by_name(name: &str, now_s: i64) -> Option<Self> {
        let card = table::by_name(name)?;
        let (year, exp_month) = year_and_month(now_s);
        Some(Self { card, exp_month, exp_year: year.saturating_add(1) })
    }

    /// Such as `visa`.
    pub fn brand(&self) -> &'static str {
        self.card.brand
    }

    /// `credit` or `debit`.
    pub fn funding(&self) -> &'static str {
        self.card.funding
    }

    /// The last four digits.
    pub fn last4(&self) -> &'static str {
        let number = self.card.number;
        number.get(number.len().saturating_sub(4)..).unwrap_or_default()
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        self.card.behaviour
    }

    pub(super) fn aftermath(&self) -> Aftermath {
        self.card.aftermath
    }

    /// The same for every use of one number, as Stripe's fingerprints are.
    pub(super) fn fingerprint(&self) -> String {
        let number = self.card.number.bytes();
        let seed = number.fold(0_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
        Ids::new(seed).text("", 16)
    }
}

/// Checks the form as the page would and finds out what the card does.
pub(super) fn read(form: &CardForm, now_s: i64) -> Result<CardFacts, CardFault> {
    let digits: String = form.number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !luhn_holds(&digits) {
        return Err(CardFault::Number);
    }
    let known = table::by_number(&digits).ok_or(CardFault::NotATestCard)?;
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
    Ok(CardFacts { card: known, exp_month, exp_year })
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

/// The calendar month of a time.
fn year_and_month(now_s: i64) -> (u16, u8) {
    let (year, month, _) = civil(now_s);
    (u16::try_from(year).unwrap_or(u16::MAX), u8::try_from(month).unwrap_or(12))
}

#[cfg(test)]
mod tests;
