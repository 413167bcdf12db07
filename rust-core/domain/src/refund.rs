//! How much of a payment's money may go back, decided from what is known and from what was asked.
//!
//! Stripe refuses more than was paid. Holdfast does not rely on it: a refund whose answer was lost
//! is money that may be gone already, so it counts from the moment it is asked for.

use crate::money::Money;
use crate::payment::Facts;

/// How much is to go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAmount {
    /// All that is left.
    Full,
    /// So much.
    Part(Money),
}

/// A refund that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refundable {
    /// Stripe's charge that it is taken from.
    pub charge: String,
    /// How much goes back.
    pub amount: Money,
}

/// Why nothing may go back, or not that much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// No money came by card.
    #[error("no card was charged for this payment, so nothing can go back to one")]
    NothingReceived,
    /// Two charges of one payment succeeded: a person has to choose.
    #[error("two cards were charged for this payment; refund the wrong one in Stripe's Dashboard")]
    ReceivedTwice,
    /// The bank already asks for the money.
    #[error("the payer's bank disputes this payment; answer the dispute in Stripe's Dashboard")]
    Disputed,
    /// All of it went back, or is on its way.
    #[error("all of it went back already, or is on its way")]
    NothingLeft,
    /// More than is left.
    #[error("only {left} can still go back")]
    TooMuch {
        /// What is left.
        left: Money,
    },
    /// Zero, or less.
    #[error("write how much goes back, such as 12.50")]
    NotPositive,
    /// Another currency than the payment's.
    #[error("the payment is in {}", .paid.currency())]
    Currency {
        /// What was paid.
        paid: Money,
    },
}

/// What may still go back: received, less what Stripe knows to be back or on its way, less `asked`,
/// which was asked for and of which Stripe has not been heard yet.
pub fn left(facts: &Facts, asked: &[Money]) -> Result<Refundable, RefundRefusal> {
    let (charge, received) = match facts.received().as_slice() {
        [] => return Err(RefundRefusal::NothingReceived),
        [(charge, amount)] => ((*charge).to_owned(), *amount),
        [_, _, ..] => return Err(RefundRefusal::ReceivedTwice),
    };
    let gone =
        asked.iter().map(|money| money.minor()).fold(facts.going_back_minor(), i64::saturating_add);
    let left = received.minor().saturating_sub(gone);
    if left <= 0 {
        return Err(RefundRefusal::NothingLeft);
    }
    if facts.is_disputed() {
        return Err(RefundRefusal::Disputed);
    }
    Ok(Refundable { charge, amount: Money::new(left, received.currency()) })
}

/// Whether so much may go back now.
pub fn check(
    facts: &Facts,
    asked: &[Money],
    wanted: RefundAmount,
) -> Result<Refundable, RefundRefusal> {
    let left = left(facts, asked)?;
    match wanted {
        RefundAmount::Full => Ok(left),
        RefundAmount::Part(part) if part.currency() != left.amount.currency() => {
            Err(RefundRefusal::Currency { paid: left.amount })
        }
        RefundAmount::Part(part) if part.minor() <= 0 => Err(RefundRefusal::NotPositive),
        RefundAmount::Part(part) if part.minor() > left.amount.minor() => {
            Err(RefundRefusal::TooMuch { left: left.amount })
        }
        RefundAmount::Part(part) => Ok(Refundable { amount: part, ..left }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;
    use crate::payment::{ChargeOutcome, DisputeOutcome, Evidence, RefundStatus};
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn paid(minor: i64) -> Evidence {
        let outcome = ChargeOutcome::Succeeded;
        Evidence::Charge { charge: "ch_1".into(), created: 1, outcome, amount: usd(minor) }
    }

    fn back(id: &str, status: RefundStatus, minor: i64) -> Evidence {
        Evidence::Refund { refund: id.into(), created: 2, status, amount: usd(minor) }
    }

    fn left_of(evidence: &[Evidence], asked: &[Money]) -> Result<i64, RefundRefusal> {
        left(&Facts::from_evidence(evidence), asked).map(|left| left.amount.minor())
    }

    #[test]
    fn what_is_back_or_on_its_way_or_asked_for_cannot_go_back_again() {
        use RefundStatus as R;
        for (status, stays) in [
            (R::Pending, 750),
            (R::RequiresAction, 750),
            (R::Succeeded, 750),
            (R::Failed, 1250),
            (R::Canceled, 1250),
        ] {
            assert_eq!(left_of(&[paid(1250), back("re_1", status, 500)], &[]), Ok(stays));
        }
        let failed_after =
            [paid(1250), back("re_1", R::Succeeded, 1250), back("re_1", R::Failed, 1250)];
        assert_eq!(left_of(&failed_after, &[]), Ok(1250));
        assert_eq!(left_of(&[paid(1250)], &[usd(1000)]), Ok(250));
        assert_eq!(left_of(&[paid(1250)], &[usd(1250)]), Err(RefundRefusal::NothingLeft));
        assert_eq!(left_of(&[], &[]), Err(RefundRefusal::NothingReceived));
    }

    #[test]
    fn money_that_is_not_simply_here_is_a_persons_to_send_back() {
        let other = Evidence::Charge {
            charge: "ch_2".into(),
            created: 3,
            outcome: ChargeOutcome::Succeeded,
            amount: usd(1250),
        };
        assert_eq!(left_of(&[paid(1250), other], &[]), Err(RefundRefusal::ReceivedTwice));
        for (outcome, refused) in [
            (DisputeOutcome::Open, true),
            (DisputeOutcome::Lost, true),
            (DisputeOutcome::Won, false),
        ] {
            let dispute = Evidence::Dispute { dispute: "dp_1".into(), outcome };
            assert_eq!(left_of(&[paid(1250), dispute], &[]).is_err(), refused, "{outcome:?}");
        }
    }

    #[test]
    fn each_wrong_amount_is_refused_in_words() {
        let facts = Facts::from_evidence(&[paid(1250)]);
        let part = |money| check(&facts, &[], RefundAmount::Part(money)).map(|it| it.amount);
        assert_eq!(part(usd(1250)), Ok(usd(1250)));
        assert_eq!(part(usd(1251)), Err(RefundRefusal::TooMuch { left: usd(1250) }));
        assert_eq!(part(usd(0)), Err(RefundRefusal::NotPositive));
        assert_eq!(part(usd(-1)), Err(RefundRefusal::NotPositive));
        let yen = Money::new(1, Currency::from_code("JPY").unwrap());
        assert_eq!(part(yen), Err(RefundRefusal::Currency { paid: usd(1250) }));
    }

    proptest! {
        /// Whatever is asked for in whatever sizes, never more than was paid goes back.
        #[test]
        fn over_refund_is_impossible(total in 1_i64..100_000, wishes in prop::collection::vec(0_i64..60_000, 0..20)) {
            let facts = Facts::from_evidence(&[paid(total)]);
            let mut asked = Vec::new();
            for wish in wishes {
                let wanted = if wish == 0 { RefundAmount::Full } else { RefundAmount::Part(usd(wish)) };
                if let Ok(allowed) = check(&facts, &asked, wanted) {
                    asked.push(allowed.amount);
                }
                prop_assert!(asked.iter().map(|money| money.minor()).sum::<i64>() <= total);
            }
        }
    }
}
