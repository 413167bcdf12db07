//! What is owed: charges, and who may settle one.
//!
//! A charge (a notice, a fee) has a reference, and payments claim it. At most one claim of a charge
//! holds it or has settled it; the others wait, and are told so before anybody pays. [`next_claim`]
//! is the whole rule: it reads a payment's standing and what the other claims on its charges are,
//! and says what its own claims become. All claims of one payment move together, since a payment is
//! paid as a whole or not at all; only money that came for several charges, one of which another
//! payment had settled, is told apart charge by charge. Once all of a payment's money went back, what it
//! had settled is owed again; a refund that fails after all settles it again.

use crate::id::IdError;
use crate::money::Money;
use crate::payment::{AttentionReason, PaymentState, Standing};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest reference, so that an order with charges stays within its QR code.
pub const CHARGE_REFERENCE_CHARS_MAX: usize = 12;

/// What a charge is called, such as a notice number: `N-2041`. Unique within a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChargeReference(String);

impl ChargeReference {
    /// Capitals, digits and inner hyphens; 1 to 12 characters.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=CHARGE_REFERENCE_CHARS_MAX).contains(&text.len())
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        let rule = "1 to 12 capitals, digits and inner hyphens, such as N-2041";
        good.then(|| Self(text.to_owned())).ok_or(IdError { kind: "reference", rule })
    }

    /// Reads a reference as a person typed it: small letters are meant as capitals.
    pub fn typed(text: &str) -> Result<Self, IdError> {
        Self::parse(&text.trim().to_ascii_uppercase())
    }

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ChargeReference {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<ChargeReference> for String {
    fn from(reference: ChargeReference) -> Self {
        reference.0
    }
}

impl std::str::FromStr for ChargeReference {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for ChargeReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A charge as a cart needs it. No plate and no payer: the name goes to Stripe's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Which charge.
    pub reference: ChargeReference,
    /// What officer and payer read.
    pub name: String,
    /// What is owed now.
    pub amount: Money,
}

/// Whether a charge can be paid, as whoever looks for it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeState {
    /// Owed, and nobody is paying it.
    Open,
    /// Owed, and a payment holds it: whoever holds for it now has to wait for that one.
    BeingPaid,
    /// A payment settled it.
    Settled,
    /// Not owed any more.
    Withdrawn,
}

impl ChargeState {
    /// The state in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::BeingPaid => "Being paid",
            Self::Settled => "Settled",
            Self::Withdrawn => "Withdrawn",
        }
    }

    /// The name in addresses and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::BeingPaid => "being_paid",
            Self::Settled => "settled",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What a payment's claim on a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimState {
    /// Another payment holds a charge of this one.
    Waiting,
    /// This payment alone may be paid for the charge.
    Holding,
    /// This payment's money settled the charge.
    Settled,
    /// Given up, gone back, or settled by another payment.
    Released,
}

impl ClaimState {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Holding => "holding",
            Self::Settled => "settled",
            Self::Released => "released",
        }
    }

    /// Reads what [`ClaimState::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Holding, Self::Settled, Self::Released]
            .into_iter()
            .find(|state| state.as_str() == text)
    }

    /// True if no other claim on the charge may be of this kind.
    pub fn is_settling(self) -> bool {
        matches!(self, Self::Holding | Self::Settled)
    }
}

/// How far a payment is, as far as its claims are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It may still be paid.
    Live,
    /// Nobody has said yet that it may be paid: it stands in nobody's way.
    Unapproved,
    /// Money arrived.
    Received,
    /// Money arrived, and all of it went back.
    Returned,
    /// It ended without money, and no session of it takes any.
    Over,
}

impl Stage {
    /// The stage of a payment. `all_disposed`: none of its sessions takes money any more.
    pub fn of(standing: &Standing, all_disposed: bool) -> Self {
        use PaymentState as S;
        let ends = [S::Canceled, S::Expired, S::Withdrawn, S::AlreadyPaid];
        if standing.money_is_back {
            Self::Returned
        } else if standing.money_arrived {
            Self::Received
        } else if all_disposed && ends.contains(&standing.state) {
            Self::Over
        } else if standing.attention == Some(AttentionReason::AwaitsApproval) {
            Self::Unapproved
        } else {
            Self::Live
        }
    }
}

/// What the claim of a payment on one charge becomes. `another_settled`: another payment has settled
/// that charge. `all_free`: no other payment holds or has settled any of this payment's charges.
pub fn next_claim(stage: Stage, another_settled: bool, all_free: bool) -> ClaimState {
    match stage {
        Stage::Over | Stage::Returned => ClaimState::Released,
        _ if another_settled => ClaimState::Released,
        Stage::Received => ClaimState::Settled,
        Stage::Live if all_free => ClaimState::Holding,
        Stage::Live | Stage::Unapproved => ClaimState::Waiting,
    }
}

/// What has to agree before money that arrived twice goes back by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<'a, P> {
    /// The charges it was for, sorted.
    pub charges: &'a [ChargeReference],
    /// True if it was for nothing else.
    pub charges_only: bool,
    /// How much.
    pub amount: Money,
    /// Who moved the money.
    pub provider: P,
}

/// May the second payment be refunded by itself? Only if it is the first one over again: the same
/// charges and nothing else, the same amount, the same provider. Otherwise a person decides.
pub fn goes_back_by_itself<P: PartialEq>(
    first: &Received<'_, P>,
    second: &Received<'_, P>,
) -> bool {
    first == second && first.charges_only && !first.charges.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn references_keep_their_rule() {
        for good in ["N-2041", "A", "2026-0001234"] {
            assert!(ChargeReference::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "n-1", "-N1", "N1-", "N 1", "N/1", "=1+1", "ABCDEFGHIJKLM", "Ä"] {
            assert!(ChargeReference::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(ChargeReference::typed(" n-2041 ").unwrap().as_str(), "N-2041");
    }

    #[test]
    fn a_claim_is_settling_only_while_no_other_is() {
        for stage in [Stage::Live, Stage::Received, Stage::Returned, Stage::Over] {
            assert!(!next_claim(stage, true, false).is_settling(), "{stage:?}");
        }
        assert_eq!(next_claim(Stage::Live, false, true), ClaimState::Holding);
        assert_eq!(next_claim(Stage::Live, false, false), ClaimState::Waiting);
        // Money that came settles the charge, whoever held it.
        assert_eq!(next_claim(Stage::Received, false, false), ClaimState::Settled);
        assert_eq!(next_claim(Stage::Over, false, true), ClaimState::Released);
        // What went back settles nothing.
        assert_eq!(next_claim(Stage::Returned, false, true), ClaimState::Released);
    }

    #[test]
    fn a_payment_that_may_still_take_money_keeps_its_claim() {
        use PaymentState as S;
        let stage = |state, money_arrived, all_disposed| {
            let (decline, attention, money_is_back) = (None, None, false);
            let standing = Standing { state, decline, attention, money_arrived, money_is_back };
            Stage::of(&standing, all_disposed)
        };
        assert_eq!(stage(S::Withdrawn, false, false), Stage::Live);
        assert_eq!(stage(S::Withdrawn, false, true), Stage::Over);
        assert_eq!(stage(S::CancelRequested, false, true), Stage::Live);
        assert_eq!(stage(S::NeedsAttention, false, true), Stage::Live);
        assert_eq!(stage(S::NeedsAttention, true, true), Stage::Received);
        assert_eq!(stage(S::PartlyRefunded, true, true), Stage::Received);
        let back = Standing {
            state: S::Refunded,
            decline: None,
            attention: None,
            money_arrived: true,
            money_is_back: true,
        };
        assert_eq!(Stage::of(&back, true), Stage::Returned);
    }

    #[test]
    fn only_the_same_payment_over_again_goes_back_by_itself() {
        let one = [ChargeReference::parse("N-1").unwrap()];
        let other = [ChargeReference::parse("N-2").unwrap()];
        let usd = |minor| Money::new(minor, Currency::USD);
        let first =
            Received { charges: &one, charges_only: true, amount: usd(50), provider: "stripe" };
        assert!(goes_back_by_itself(&first, &first.clone()));
        for second in [
            Received { charges: &other, ..first.clone() },
            Received { charges_only: false, ..first.clone() },
            Received { amount: usd(51), ..first.clone() },
            Received { provider: "cash", ..first.clone() },
        ] {
            assert!(!goes_back_by_itself(&first, &second), "{second:?}");
        }
    }
}
