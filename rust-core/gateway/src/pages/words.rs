//! States, times and lines as people read them.

use holdfast_domain::{AttentionReason, DeclineReason, Money, PaymentState, PricedLine, Standing};
use std::fmt;

/// The icon beside a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Done, and good.
    Done,
    /// Under way.
    Waiting,
    /// Over, without money.
    Stopped,
    /// Money on its way back.
    Back,
    /// Somebody has to look.
    Look,
}

/// A state with its word, icon and tone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateView {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    pub(crate) sign: Sign,
    pub(crate) tone: &'static str,
}

impl From<PaymentState> for StateView {
    fn from(state: PaymentState) -> Self {
        use PaymentState as S;
        let (sign, tone) = match state {
            S::Paid => (Sign::Done, "good"),
            S::Draft | S::Queued | S::Sent | S::WaitingForCard | S::Processing | S::Owed => {
                (Sign::Waiting, "plain")
            }
            S::CancelRequested => (Sign::Waiting, "plain"),
            S::Expired | S::Canceled | S::Withdrawn | S::AlreadyPaid => (Sign::Stopped, "plain"),
            S::Declined => (Sign::Stopped, "bad"),
            S::RefundPending | S::Refunded | S::PartlyRefunded => (Sign::Back, "plain"),
            S::RefundFailed | S::Disputed | S::NeedsAttention => (Sign::Look, "bad"),
        };
        Self { name: state.as_str(), words: state.words(), sign, tone }
    }
}

/// What the payer reads under the state: what it means and what to do next.
pub(crate) fn sentence_for_payer(standing: &Standing) -> Option<&'static str> {
    use PaymentState as S;
    Some(match standing.state {
        S::Paid => "Thank you. You can close this page.",
        S::Processing => {
            "The bank is working on it. Do not pay again; this page changes by itself."
        }
        S::WaitingForCard => "Stripe's page is open. Finish paying there.",
        S::Declined => payer_decline(standing.decline),
        S::Sent | S::Owed | S::Queued | S::Draft => "Nothing has been paid yet.",
        S::Expired => "This payment is too old to be paid. Ask the officer for a new code.",
        S::CancelRequested | S::Canceled | S::Withdrawn => {
            "This payment was called off. Nothing is to be paid."
        }
        S::AlreadyPaid => "This was already paid. Nothing more is to be paid.",
        S::RefundPending => "The money is on its way back to you.",
        S::Refunded => "The money went back to you.",
        S::PartlyRefunded => "Part of the money went back to you.",
        S::NeedsAttention if standing.attention == Some(AttentionReason::AwaitsApproval) => {
            "This order waits for the office's approval. Nothing is to be paid yet; ask the officer."
        }
        S::RefundFailed | S::Disputed | S::NeedsAttention => {
            "Somebody at the office is looking at this payment. Do not pay again."
        }
    })
}

fn payer_decline(reason: Option<DeclineReason>) -> &'static str {
    match reason {
        Some(DeclineReason::NotEnoughFunds) => "There were not enough funds. Try another card.",
        Some(DeclineReason::CardExpired) => "The card has expired. Try another card.",
        Some(DeclineReason::SecurityCodeWrong) => {
            "The security code did not match. Check it and try again."
        }
        Some(DeclineReason::CardNumberWrong) => {
            "The card number was not right. Check it and try again."
        }
        Some(DeclineReason::TryAgainLater) => {
            "The card could not be processed just now. Try again in a minute."
        }
        Some(DeclineReason::PayerMustConfirm) => {
            "Your bank wants you to confirm. Follow the steps on your phone."
        }
        Some(DeclineReason::BankDeclined) | None => "The bank declined the card. Try another card.",
    }
}

/// What the office reads under the state, where there is something to say.
pub(crate) fn sentence_for_office(standing: &Standing) -> Option<&'static str> {
    standing
        .attention
        .map(AttentionReason::sentence)
        .or_else(|| standing.decline.map(DeclineReason::sentence))
}

/// A line of an order.
#[derive(Debug, Clone)]
pub(crate) struct LineView {
    pub(crate) name: String,
    pub(crate) quantity: u32,
    pub(crate) amount: Money,
}

impl From<PricedLine> for LineView {
    fn from(line: PricedLine) -> Self {
        Self { name: line.name, quantity: line.quantity, amount: line.amount }
    }
}

/// A time for the machine (RFC 3339) and for people; the script shows it in the reader's zone.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) machine: String,
    pub(crate) people: String,
}

const DAY_S: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Moment {
    /// From milliseconds since 1970.
    pub(crate) fn from_ms(ms: i64) -> Self {
        let seconds = ms.div_euclid(1000);
        let (year, month, day) = civil_date(seconds.div_euclid(DAY_S));
        let of_day = seconds.rem_euclid(DAY_S);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let name = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index));
        Self {
            machine: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
            people: format!("{day} {} {year}, {hour:02}:{minute:02} UTC", name.unwrap_or(&"")),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.people)
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Counts from
/// 1 March of the year 0, so that the leap day is the last one of its year.
fn civil_date(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let from_march = days.saturating_add(719_468);
    let era = from_march.div_euclid(DAYS_OF_400_YEARS);
    let day_of_era = from_march.rem_euclid(DAYS_OF_400_YEARS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, machine) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (1_795_395_906_000, "2026-11-23T01:05:06Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment::from_ms(ms).machine, machine);
        }
        assert_eq!(Moment::from_ms(1_795_395_906_000).people, "23 Nov 2026, 01:05 UTC");
    }

    #[test]
    fn a_payer_is_never_told_more_than_the_officer_may_say() {
        for state in PaymentState::ALL {
            let standing = Standing {
                state,
                decline: None,
                attention: None,
                money_arrived: false,
                money_is_back: false,
            };
            let sentence = sentence_for_payer(&standing).unwrap_or_default();
            for word in ["lost", "stolen", "fraud", "risk"] {
                assert!(!sentence.contains(word), "{state:?}: {sentence}");
            }
        }
    }
}
