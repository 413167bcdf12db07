//! When real money may move: Live Mode is off until it was proven, then on trial, then on.
//!
//! Turning it on takes live keys and three proofs that were made in test mode: a paid payment, a
//! verified webhook, and a refund. Then it is on trial: named officers only, at most 5.00, not on
//! tables and not in the portal. The first trial payment that is really paid opens it to everyone.

use crate::currency::Currency;
use crate::id::OfficerId;
use crate::money::Money;

/// The most that one trial payment may be, in whole units of its currency.
const TRIAL_UNITS_MAX: i64 = 5;

/// What must be there before the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A Secret Key for live mode.
    LiveKey,
    /// A Webhook Secret for live mode.
    LiveWebhookSecret,
    /// A payment in test mode that was paid.
    TestPayment,
    /// *Verify webhook* was good with the test keys in force.
    WebhookVerified,
    /// A refund in test mode that went back.
    TestRefund,
}

impl Proof {
    /// Every proof, in the order of the guide.
    pub const ALL: [Self; 5] = [
        Self::TestPayment,
        Self::WebhookVerified,
        Self::TestRefund,
        Self::LiveKey,
        Self::LiveWebhookSecret,
    ];

    /// What to do for it, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::LiveKey => "Enter the live Secret Key",
            Self::LiveWebhookSecret => "Enter the live Webhook Secret, or register the webhook",
            Self::TestPayment => "Take a payment in test mode, with a test card",
            Self::WebhookVerified => "Press Verify webhook under the test keys",
            Self::TestRefund => "Refund a payment in test mode",
        }
    }
}

/// Why the trial does not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialRefusal {
    /// Proofs are missing.
    #[error("something is still missing: {}", .0.iter().map(|it| it.words()).collect::<Vec<_>>().join("; "))]
    Unproven(Vec<Proof>),
    /// Nobody is named.
    #[error("name at least one officer for the trial")]
    NobodyNamed,
}

/// May the trial begin with these proofs and these officers?
pub fn may_begin(proven: &[Proof], officers: &[OfficerId]) -> Result<(), TrialRefusal> {
    let missing: Vec<Proof> = Proof::ALL.into_iter().filter(|it| !proven.contains(it)).collect();
    if !missing.is_empty() {
        return Err(TrialRefusal::Unproven(missing));
    }
    if officers.is_empty() {
        return Err(TrialRefusal::NobodyNamed);
    }
    Ok(())
}

/// Who wants to pay live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// An officer, on a handheld.
    Officer(OfficerId),
    /// A payer at a table.
    Table,
    /// A payer in the portal.
    Portal,
}

/// Why a payment is no trial payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInTrial {
    /// Tables and portal wait for the end of the trial.
    #[error("Live Mode is on trial, on handhelds only")]
    Channel,
    /// The officer is not named.
    #[error("Live Mode is on trial, and this officer is not named for it")]
    Officer,
    /// It is more than a trial may cost.
    #[error("Live Mode is on trial; a payment may be at most {0}")]
    Amount(Money),
}

/// May this be paid while Live Mode is on trial with these officers? `least` is what the provider takes
/// at least, in minor units: where five units are less, a trial would be impossible.
pub fn check_trial(
    officers: &[OfficerId],
    channel: Channel,
    total: Money,
    least: i64,
) -> Result<(), NotInTrial> {
    match channel {
        Channel::Table | Channel::Portal => return Err(NotInTrial::Channel),
        Channel::Officer(officer) if !officers.contains(&officer) => {
            return Err(NotInTrial::Officer);
        }
        Channel::Officer(_) => {}
    }
    let most = trial_max(total.currency(), least);
    if total.minor() > most.minor() { Err(NotInTrial::Amount(most)) } else { Ok(()) }
}

/// The most that a trial payment may be.
pub fn trial_max(currency: Currency, least: i64) -> Money {
    let unit = 10_i64.saturating_pow(currency.exponent());
    Money::new(TRIAL_UNITS_MAX.saturating_mul(unit).max(least), currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_proof_is_named_and_none_can_be_left_out() {
        let officers = [OfficerId(1)];
        assert_eq!(may_begin(&Proof::ALL, &officers), Ok(()));
        assert_eq!(may_begin(&Proof::ALL, &[]), Err(TrialRefusal::NobodyNamed));
        for missing in Proof::ALL {
            let proven: Vec<Proof> = Proof::ALL.into_iter().filter(|it| *it != missing).collect();
            let refused = may_begin(&proven, &officers);
            assert_eq!(refused, Err(TrialRefusal::Unproven(vec![missing])));
            assert!(refused.unwrap_err().to_string().contains(missing.words()));
        }
        let all = Proof::ALL.to_vec();
        assert_eq!(may_begin(&[], &officers), Err(TrialRefusal::Unproven(all)));
    }

    #[test]
    fn a_trial_is_small_on_handhelds_and_for_named_officers() {
        let usd = |minor| Money::new(minor, Currency::USD);
        let named = [OfficerId(1), OfficerId(3)];
        let check = |channel, total| check_trial(&named, channel, total, 50);
        assert_eq!(check(Channel::Officer(OfficerId(3)), usd(500)), Ok(()));
        let too_much = Err(NotInTrial::Amount(usd(500)));
        assert_eq!(check(Channel::Officer(OfficerId(1)), usd(501)), too_much);
        assert_eq!(check(Channel::Officer(OfficerId(2)), usd(100)), Err(NotInTrial::Officer));
        assert_eq!(check(Channel::Table, usd(100)), Err(NotInTrial::Channel));
        assert_eq!(check(Channel::Portal, usd(100)), Err(NotInTrial::Channel));
    }

    #[test]
    fn five_units_are_five_in_every_currency_and_never_less_than_the_provider_takes() {
        for (code, least, most) in [("USD", 50, 500), ("KWD", 1, 5000), ("JPY", 50, 50)] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(trial_max(currency, least), Money::new(most, currency));
        }
    }
}
