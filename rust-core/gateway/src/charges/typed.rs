//! A charge as it was typed: checked field by field, so that each error stands beside its field.

use crate::settings::FieldError;
use holdfast_domain::cart::TOTAL_MINOR_MAX;
use holdfast_domain::{ChargeReference, Currency, Money, TenantSlug};
use holdfast_ledger::{Charge, ChargeLine};

/// Longest plate, in characters; the longest that are issued have ten and their spaces.
pub(crate) const PLATE_CHARS_MAX: usize = 16;
/// Longest name of a payer, in characters.
pub(crate) const PAYER_CHARS_MAX: usize = 80;
/// Longest words for what a part is for: with the reference they are one line on Stripe's page.
pub(crate) const PART_CHARS_MAX: usize = 46;
/// Parts of one charge at the most.
pub(crate) const PARTS_MAX: usize = 12;
/// Longest reason for a withdrawal, in characters.
pub(crate) const REASON_CHARS_MAX: usize = 140;
/// Who may settle a charge: name and words.
pub(crate) const USER_TYPES: [(&str, &str); 2] =
    [("officers", "Officers, on handhelds"), ("portal", "Payers, in the portal")];

/// A charge as it was typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypedCharge {
    pub(crate) reference: String,
    pub(crate) plate: String,
    pub(crate) payer: String,
    /// What for, and how much.
    pub(crate) parts: Vec<(String, Amount)>,
    /// Empty: the tenant's own.
    pub(crate) currency: String,
    pub(crate) due_on: String,
    /// With commas between; empty: everyone.
    pub(crate) user_types: String,
}

/// How much, as a person writes it or as a program does.
#[derive(Debug, Clone)]
pub(crate) enum Amount {
    /// Such as `12.50`.
    Typed(String),
    /// In minor units.
    Minor(i64),
}

/// The charge, or every field that does not fit.
pub(crate) fn checked(
    typed: &TypedCharge,
    tenant: &TenantSlug,
    currency_default: Currency,
) -> Result<Charge, Vec<FieldError>> {
    let mut errors = Vec::new();
    let reference = ChargeReference::typed(&typed.reference)
        .map_err(|_| {
            let why = "A reference has 1 to 12 capital letters, digits and inner hyphens, such as \
                       N-2041.";
            errors.push(("reference", why.to_owned()));
        })
        .ok();
    let currency = match typed.currency.trim() {
        "" => Some(currency_default),
        code => Currency::from_code(&code.to_ascii_uppercase())
            .map_err(|_| errors.push(("currency", "Write three letters, such as USD.".into())))
            .ok(),
    };
    let plate = one_line("plate", &typed.plate, PLATE_CHARS_MAX, &mut errors);
    let payer = one_line("payer", &typed.payer, PAYER_CHARS_MAX, &mut errors);
    let due_on = typed.due_on.trim().to_owned();
    if !due_on.is_empty() && !is_date(&due_on) {
        errors.push(("due_on", "Write the date as 2026-12-31, or leave it empty.".into()));
    }
    let user_types = user_types(&typed.user_types, &mut errors);
    let lines = currency.map(|currency| parts(&typed.parts, currency, &mut errors));
    let (Some(reference), Some(currency), Some(lines), true) =
        (reference, currency, lines, errors.is_empty())
    else {
        return Err(errors);
    };
    let sum = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.minor));
    if sum > TOTAL_MINOR_MAX {
        let most = Money::new(TOTAL_MINOR_MAX, currency);
        return Err(vec![("amount", format!("A charge comes to {most} at the most; split it."))]);
    }
    Ok(Charge {
        tenant: tenant.clone(),
        reference,
        plate,
        payer,
        lines,
        amount: Money::new(sum, currency),
        due_on,
        user_types,
        withdrawn: String::new(),
        created_at_ms: 0,
        changed_at_ms: 0,
    })
}

/// Text of so many characters on one line, trimmed; it may be empty.
fn one_line(
    field: &'static str,
    text: &str,
    chars_max: usize,
    errors: &mut Vec<FieldError>,
) -> String {
    let text = text.trim();
    if text.chars().count() > chars_max || text.chars().any(is_unfit) {
        let why = format!("This has at most {chars_max} characters, on one line.");
        errors.push((field, why));
    }
    text.to_owned()
}

/// Control characters, and those that turn the direction of writing: with them a name could be made
/// to look like another.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A reason that somebody typed; none if it is no sentence.
pub(crate) fn reason(text: &str) -> Option<String> {
    let text = text.trim();
    let fits =
        (1..=REASON_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(is_unfit);
    fits.then(|| text.to_owned())
}

fn parts(
    typed: &[(String, Amount)],
    currency: Currency,
    errors: &mut Vec<FieldError>,
) -> Vec<ChargeLine> {
    if !(1..=PARTS_MAX).contains(&typed.len()) {
        let why = format!("Write what is owed, in 1 to {PARTS_MAX} parts.");
        errors.push(("for", why));
    }
    let mut lines = Vec::new();
    for (text, amount) in typed {
        let text = one_line("for", text, PART_CHARS_MAX, errors);
        if text.is_empty() {
            errors.push(("for", "Write what it is for; the payer reads it.".into()));
        }
        let minor = match amount {
            Amount::Minor(minor) => Ok(*minor),
            Amount::Typed(typed) => Money::parse(typed.trim(), currency).map(Money::minor),
        };
        match minor.map(|minor| (minor, (1..=TOTAL_MINOR_MAX).contains(&minor))) {
            Ok((minor, true)) => lines.push(ChargeLine { text, minor }),
            Ok((_, false)) => errors.push(("amount", "The amount is more than zero.".into())),
            Err(why) => {
                let why = why.to_string();
                let mut letters = why.chars();
                let first = letters.next().map(|it| it.to_ascii_uppercase()).unwrap_or_default();
                errors.push(("amount", format!("{first}{}.", letters.as_str())));
            }
        }
    }
    errors.dedup();
    lines
}

fn user_types(text: &str, errors: &mut Vec<FieldError>) -> String {
    let mut typed = text.split([',', ' ']).filter(|it| !it.is_empty()).peekable();
    if typed.peek().is_none() {
        return USER_TYPES.map(|(name, _)| name).join(",");
    }
    let typed: Vec<String> = typed.map(str::to_ascii_lowercase).collect();
    let known = |name: &String| USER_TYPES.iter().any(|(known, _)| known == name);
    if !typed.iter().all(known) {
        errors.push(("user_types", "Write officers, portal, or both.".into()));
    }
    let chosen = USER_TYPES.iter().filter(|(name, _)| typed.iter().any(|it| it == name));
    chosen.map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

/// `YYYY-MM-DD`, of the Gregorian calendar.
fn is_date(text: &str) -> bool {
    let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return false };
    let number = |part: &str, digits: usize| {
        let fits = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| fits)
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(reference: &str, amount: &str) -> TypedCharge {
        TypedCharge {
            reference: reference.into(),
            parts: vec![("Parking".into(), Amount::Typed(amount.into()))],
            ..TypedCharge::default()
        }
    }

    fn check(typed: &TypedCharge) -> Result<Charge, Vec<&'static str>> {
        checked(typed, &"demo".parse().unwrap(), Currency::USD)
            .map_err(|errors| errors.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn a_charge_is_read_as_it_was_meant() {
        let charge = check(&typed(" n-2041 ", "65.00")).unwrap();
        assert_eq!(charge.reference.as_str(), "N-2041");
        assert_eq!((charge.amount.minor(), charge.user_types.as_str()), (6500, "officers,portal"));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let wrong = |change: &dyn Fn(&mut TypedCharge), field: &'static str| {
            let mut charge = typed("N-1", "1");
            change(&mut charge);
            assert_eq!(check(&charge).unwrap_err(), [field]);
        };
        wrong(&|c| c.reference = "N 1".into(), "reference");
        wrong(&|c| c.plate = "x".repeat(17), "plate");
        wrong(&|c| c.payer = "Kim\nLee".into(), "payer");
        wrong(&|c| c.payer = "eeL \u{202E}miK".into(), "payer");
        wrong(&|c| c.parts.clear(), "for");
        wrong(&|c| c.parts[0].0.clear(), "for");
        for amount in ["0", "-1", "1.234", "1e5", "100000000000", "", "1,000"] {
            wrong(&|c| c.parts[0].1 = Amount::Typed(amount.into()), "amount");
        }
        wrong(&|c| c.parts = vec![("A".into(), Amount::Minor(TOTAL_MINOR_MAX)); 2], "amount");
        wrong(&|c| c.currency = "dollars".into(), "currency");
        for date in ["tomorrow", "2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-04-31"] {
            wrong(&|c| c.due_on = date.into(), "due_on");
        }
        wrong(&|c| c.user_types = "everybody".into(), "user_types");
        assert!(is_date("2028-02-29") && !is_date("2100-02-29"));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_gives_a_charge_that_keeps_the_rules(
            reference in ".{0,14}", plate in ".{0,18}", payer in ".{0,20}", text in ".{0,50}",
            amount in ".{0,12}", minor in any::<i64>(), due_on in ".{0,11}", users in ".{0,12}",
        ) {
            let parts = vec![(text, Amount::Typed(amount)), ("Fee".into(), Amount::Minor(minor))];
            let typed = TypedCharge {
                reference, plate, payer, parts, currency: String::new(), due_on, user_types: users,
            };
            if let Ok(charge) = check(&typed) {
                prop_assert!(charge.amount.minor() > 0 && charge.amount.minor() <= TOTAL_MINOR_MAX);
                prop_assert!(charge.owed().name.chars().count() <= 60);
                prop_assert!(!charge.owed().name.chars().any(is_unfit));
            }
        }
    }
}
