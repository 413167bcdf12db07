//! The furthest thing known about each object of a payment, and the state that follows.

use super::evidence::{
    ChargeOutcome, DisputeOutcome, Elsewhere, Evidence, RefundStatus, SessionStatus,
};
use super::state::{AttentionReason, PaymentState};
use crate::decline::DeclineReason;
use crate::id::PaymentId;
use crate::money::Money;
use std::collections::{BTreeMap, BTreeSet};

/// Everything known about a payment. It only grows: [`Facts::learn`] is commutative, associative
/// and idempotent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    sessions: BTreeMap<String, SessionStatus>,
    charges: BTreeMap<String, Charge>,
    refunds: BTreeMap<String, Refund>,
    disputes: BTreeMap<String, DisputeOutcome>,
    cash: BTreeSet<Money>,
    /// The turn, and how it stands in it.
    elsewhere: BTreeMap<PaymentId, (u32, Elsewhere)>,
    decisions: BTreeSet<Decision>,
    misfits: BTreeSet<AttentionReason>,
}

/// Compared field by field, in this order, so that the greater of two is always the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Charge {
    outcome: ChargeOutcome,
    created: i64,
    amount: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Refund {
    status: RefundStatus,
    created: i64,
    amount: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Decision {
    CancelRequested,
    Canceled,
    Withdrawn,
    LifetimeEnded,
    CashVoided,
    AwaitsApproval,
    Approved,
    OwedAgain,
}

/// A state with what has to be said beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: PaymentState,
    /// With [`PaymentState::Declined`]: why the latest card was declined.
    pub decline: Option<DeclineReason>,
    /// With [`PaymentState::NeedsAttention`]: why.
    pub attention: Option<AttentionReason>,
    /// True if money has arrived at least once, so that an order must exist.
    pub money_arrived: bool,
    /// True if all money that arrived is gone again, refunded, or taken by a dispute that was lost and
    /// of which a person said that it is owed again: none of it settles anything.
    pub money_is_back: bool,
}

impl Standing {
    fn of(state: PaymentState) -> Self {
        let (decline, attention) = (None, None);
        let money_arrived = state.has_been_paid();
        Self { state, decline, attention, money_arrived, money_is_back: false }
    }
}

impl Facts {
    /// The facts that a heap of evidence makes, in any order.
    pub fn from_evidence<'a>(evidence: impl IntoIterator<Item = &'a Evidence>) -> Self {
        let mut facts = Self::default();
        for piece in evidence {
            facts.learn(piece);
        }
        facts
    }

    /// Adds one piece of evidence.
    pub fn learn(&mut self, evidence: &Evidence) {
        match evidence.clone() {
            Evidence::Session { session, status } => raise(&mut self.sessions, session, status),
            Evidence::Charge { charge, created, outcome, amount } => {
                raise(&mut self.charges, charge, Charge { outcome, created, amount });
            }
            Evidence::Refund { refund, created, status, amount } => {
                raise(&mut self.refunds, refund, Refund { status, created, amount });
            }
            Evidence::Dispute { dispute, outcome } => raise(&mut self.disputes, dispute, outcome),
            Evidence::Misfit { reason } => {
                self.misfits.insert(reason);
            }
            Evidence::CancelRequested => self.decide(Decision::CancelRequested),
            Evidence::Canceled => self.decide(Decision::Canceled),
            Evidence::Withdrawn => self.decide(Decision::Withdrawn),
            Evidence::LifetimeEnded => self.decide(Decision::LifetimeEnded),
            Evidence::SettledElsewhere { by, turn, standing } => {
                raise(&mut self.elsewhere, by, (turn, standing));
            }
            Evidence::CashTaken { amount } => {
                self.cash.insert(amount);
            }
            Evidence::CashVoided => self.decide(Decision::CashVoided),
            Evidence::AwaitsApproval => self.decide(Decision::AwaitsApproval),
            Evidence::Approved => self.decide(Decision::Approved),
            Evidence::OwedAgain => self.decide(Decision::OwedAgain),
        }
    }

    /// The state of an accepted order over `total`. Total: every set of facts has one.
    pub fn standing(&self, total: Money) -> Standing {
        let received = self.sums_received();
        let standing = match received.as_slice() {
            [] => self.unpaid(),
            [amount] if *amount != total => attention(AttentionReason::AmountDiffers),
            [amount] => self.paid(*amount),
            [_, _, ..] => attention(AttentionReason::PaidTwice),
        };
        let standing = match self.misfits.first() {
            Some(reason) => attention(*reason),
            None => standing,
        };
        let money_arrived = !received.is_empty();
        let sum = received.iter().map(|money| money.minor()).fold(0, i64::saturating_add);
        let money_is_back =
            money_arrived && (self.returned_minor() >= sum || self.loss_is_owed_again());
        Standing { money_arrived, money_is_back, ..standing }
    }

    /// Each sum of money that arrived and was not voided.
    fn sums_received(&self) -> Vec<Money> {
        let charges = self.charges.values().filter(|it| it.outcome == ChargeOutcome::Succeeded);
        let voided = self.decisions.contains(&Decision::CashVoided);
        let cash = self.cash.iter().filter(|_| !voided);
        charges.map(|charge| charge.amount).chain(cash.copied()).collect()
    }

    /// True while nothing may become of it, because nobody has said yet that the hold is genuine.
    pub fn awaits_approval(&self) -> bool {
        let decided = |decision| self.decisions.contains(&decision);
        decided(Decision::AwaitsApproval) && !decided(Decision::Approved)
    }

    /// True if another payment settled what this one was for.
    pub fn is_settled_elsewhere(&self) -> bool {
        self.elsewhere.values().any(|(_, standing)| *standing == Elsewhere::Settled)
    }

    /// What has to be said so that this is how the other payment is known to stand; none if it is.
    pub fn news_of(&self, by: PaymentId, standing: Elsewhere) -> Option<Evidence> {
        let turn = match (self.elsewhere.get(&by), standing) {
            (None, Elsewhere::Settled) => 0,
            (Some((turn, Elsewhere::Undone)), Elsewhere::Settled) => turn.saturating_add(1),
            (Some((turn, Elsewhere::Settled)), Elsewhere::Undone) => *turn,
            _ => return None,
        };
        Some(Evidence::SettledElsewhere { by, turn, standing })
    }

    /// True if some session of this payment may still take money.
    pub fn has_open_session(&self) -> bool {
        self.sessions.values().any(|status| *status == SessionStatus::Open)
    }

    /// The charges that brought money, with how much each brought.
    pub(crate) fn received(&self) -> Vec<(&str, Money)> {
        let succeeded =
            self.charges.iter().filter(|(_, it)| it.outcome == ChargeOutcome::Succeeded);
        succeeded.map(|(id, it)| (id.as_str(), it.amount)).collect()
    }

    /// What went back or is on its way, in minor units.
    pub(crate) fn going_back_minor(&self) -> i64 {
        let gone = |refund: &&Refund| {
            !matches!(refund.status, RefundStatus::Canceled | RefundStatus::Failed)
        };
        let minor = self.refunds.values().filter(gone).map(|refund| refund.amount.minor());
        minor.fold(0, i64::saturating_add)
    }

    /// True if the bank asks for the money, or took it.
    pub(crate) fn is_disputed(&self) -> bool {
        self.disputes.values().any(|outcome| *outcome != DisputeOutcome::Won)
    }

    /// True if a bank took the money back for good.
    pub fn is_lost(&self) -> bool {
        self.disputes_lost().next().is_some()
    }

    /// The disputes that were lost.
    pub fn disputes_lost(&self) -> impl Iterator<Item = &str> {
        let lost = self.disputes.iter().filter(|(_, outcome)| **outcome == DisputeOutcome::Lost);
        lost.map(|(id, _)| id.as_str())
    }

    /// True if a person said that what the bank took is owed again. It is no proof of a loss by itself.
    pub fn loss_is_owed_again(&self) -> bool {
        self.is_lost() && self.decisions.contains(&Decision::OwedAgain)
    }

    /// How a refund is known to stand.
    pub fn refund_status(&self, refund: &str) -> Option<RefundStatus> {
        self.refunds.get(refund).map(|it| it.status)
    }

    /// Every refund that is known, with its amount, oldest first.
    pub fn refunds(&self) -> Vec<(&str, RefundStatus, Money)> {
        let mut known: Vec<_> = self.refunds.iter().collect();
        known.sort_by_key(|(id, refund)| (refund.created, *id));
        known.into_iter().map(|(id, it)| (id.as_str(), it.status, it.amount)).collect()
    }

    /// How a dispute is known to stand.
    pub fn dispute_outcome(&self, dispute: &str) -> Option<DisputeOutcome> {
        self.disputes.get(dispute).copied()
    }

    fn paid(&self, amount: Money) -> Standing {
        if self.is_disputed() {
            return Standing::of(PaymentState::Disputed);
        }
        let state = self.refund_state(amount);
        if state == PaymentState::Paid && self.is_settled_elsewhere() {
            return attention(AttentionReason::PaidTwice);
        }
        Standing::of(state)
    }

    fn refund_state(&self, amount: Money) -> PaymentState {
        let returned = self.returned_minor();
        let on_its_way = |refund: &Refund| {
            matches!(refund.status, RefundStatus::Pending | RefundStatus::RequiresAction)
        };
        if returned >= amount.minor() {
            PaymentState::Refunded
        } else if self.refunds.values().any(on_its_way) {
            PaymentState::RefundPending
        } else if self.latest_refund() == Some(RefundStatus::Failed) {
            PaymentState::RefundFailed
        } else if returned > 0 {
            PaymentState::PartlyRefunded
        } else {
            PaymentState::Paid
        }
    }

    /// What certainly went back, in minor units.
    fn returned_minor(&self) -> i64 {
        let succeeded = self.refunds.values().filter(|it| it.status == RefundStatus::Succeeded);
        succeeded.fold(0, |sum, refund| sum.saturating_add(refund.amount.minor()))
    }

    fn latest_refund(&self) -> Option<RefundStatus> {
        self.refunds
            .iter()
            .filter(|(_, refund)| refund.status != RefundStatus::Canceled)
            .max_by_key(|(id, refund)| (refund.created, *id))
            .map(|(_, refund)| refund.status)
    }

    fn unpaid(&self) -> Standing {
        let decided = |decision| self.decisions.contains(&decision);
        if decided(Decision::CashVoided) {
            return Standing::of(PaymentState::Withdrawn);
        }
        if self.is_settled_elsewhere() {
            return Standing::of(PaymentState::AlreadyPaid);
        }
        if decided(Decision::Canceled) {
            return Standing::of(PaymentState::Canceled);
        }
        if decided(Decision::Withdrawn) {
            return Standing::of(PaymentState::Withdrawn);
        }
        if self.awaits_approval() {
            return attention(AttentionReason::AwaitsApproval);
        }
        if self.is_processing() {
            return Standing::of(PaymentState::Processing);
        }
        if decided(Decision::CancelRequested) {
            return Standing::of(PaymentState::CancelRequested);
        }
        if self.has_open_session() {
            return self.waiting();
        }
        Standing::of(if decided(Decision::LifetimeEnded) {
            PaymentState::Expired
        } else if self.sessions.is_empty() {
            PaymentState::Sent
        } else {
            PaymentState::Owed
        })
    }

    /// Money may be on its way: a charge is pending, or a session is complete and no charge of
    /// this payment has failed since.
    fn is_processing(&self) -> bool {
        let pending = self.charges.values().any(|c| c.outcome == ChargeOutcome::Pending);
        let complete = self.sessions.values().any(|status| *status == SessionStatus::Complete);
        pending || (complete && self.latest_decline().is_none())
    }

    fn waiting(&self) -> Standing {
        let decline = self.latest_decline();
        let state =
            if decline.is_some() { PaymentState::Declined } else { PaymentState::WaitingForCard };
        Standing { decline, ..Standing::of(state) }
    }

    fn latest_decline(&self) -> Option<DeclineReason> {
        let latest = self.charges.iter().max_by_key(|(id, charge)| (charge.created, *id))?;
        match latest.1.outcome {
            ChargeOutcome::Failed(reason) => Some(reason),
            ChargeOutcome::Pending | ChargeOutcome::Succeeded => None,
        }
    }

    fn decide(&mut self, decision: Decision) {
        self.decisions.insert(decision);
    }
}

fn attention(reason: AttentionReason) -> Standing {
    Standing { attention: Some(reason), ..Standing::of(PaymentState::NeedsAttention) }
}

fn raise<K: Ord, V: Ord>(known: &mut BTreeMap<K, V>, id: K, value: V) {
    match known.entry(id) {
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(value);
        }
        std::collections::btree_map::Entry::Occupied(mut place) => {
            if *place.get() < value {
                place.insert(value);
            }
        }
    }
}
