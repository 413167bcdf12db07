//! What can be learned about a payment, one object at a time.

use super::state::AttentionReason;
use crate::decline::DeclineReason;
use crate::id::PaymentId;
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// How far a checkout session is known to have come. The order is the order of rank: a session
/// that was seen complete or expired is never open again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// The payer can still pay.
    Open,
    /// It can no longer be paid and was not.
    Expired,
    /// The payer finished; the money may still be on its way.
    Complete,
}

/// What became of one attempt to charge a card. Later variants outrank earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeOutcome {
    /// Not known yet.
    Pending,
    /// The bank said no.
    Failed(DeclineReason),
    /// The money is there.
    Succeeded,
}

/// Status of a refund, in order of rank: a refund can fail after it had succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// The payer has to do something first.
    RequiresAction,
    /// The money went back.
    Succeeded,
    /// It was called off; the money stayed.
    Canceled,
    /// It failed, perhaps after it had succeeded; the money is here again.
    Failed,
}

/// How a dispute stands, in order of rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The bank has not decided.
    Open,
    /// The money stays here.
    Won,
    /// The bank took the money back.
    Lost,
}

/// What another payment did with a charge of this one, in order of rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Elsewhere {
    /// Its money settled the charge.
    Settled,
    /// That was undone (cash that was voided, money that went back): it counts no more.
    Undone,
}

/// One piece of evidence: what was learned about one object. `created` is Stripe's own time of
/// the object in Unix seconds; it only tells which of two objects is the later one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A session of ours.
    Session {
        /// Stripe's ID.
        session: String,
        /// How far it is.
        status: SessionStatus,
    },
    /// An attempt to charge a card within a session of ours.
    Charge {
        /// Stripe's ID.
        charge: String,
        /// Unix seconds.
        created: i64,
        /// What became of it.
        outcome: ChargeOutcome,
        /// How much.
        amount: Money,
    },
    /// A refund of a charge.
    Refund {
        /// Stripe's ID.
        refund: String,
        /// Unix seconds.
        created: i64,
        /// How it stands.
        status: RefundStatus,
        /// How much goes back.
        amount: Money,
    },
    /// A dispute of a charge.
    Dispute {
        /// Stripe's ID.
        dispute: String,
        /// How it stands.
        outcome: DisputeOutcome,
    },
    /// Somebody asked to cancel.
    CancelRequested,
    /// Canceled, with proof that no session can still be paid.
    Canceled,
    /// A person gave it up.
    Withdrawn,
    /// The order's lifetime is over.
    LifetimeEnded,
    /// Another payment settled what this one was for, or had done so.
    SettledElsewhere {
        /// The other payment.
        by: PaymentId,
        /// How often that was undone before: a refund that fails settles the charge again, and the
        /// later turn outranks the earlier one.
        #[serde(default, skip_serializing_if = "is_first")]
        turn: u32,
        /// Whether that still holds.
        standing: Elsewhere,
    },
    /// The officer took cash at the hold.
    CashTaken {
        /// How much.
        amount: Money,
    },
    /// The cash was given back, within the rule for voids.
    CashVoided,
    /// It was held on a handheld that is revoked, and nobody had seen it before.
    AwaitsApproval,
    /// A person said that such a hold is genuine.
    Approved,
    /// A person said that what a lost dispute took is owed again.
    OwedAgain,
    /// Something does not fit.
    Misfit {
        /// What.
        reason: AttentionReason,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(turn: &u32) -> bool {
    *turn == 0
}
