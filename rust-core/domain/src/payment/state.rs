//! The states a payment can be in, one enum for handheld, office and payer.

use serde::{Deserialize, Serialize};

/// Where a payment stands. The words beside each are those of `look.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// On the handheld only, not held yet.
    Draft,
    /// Held and on disk; the gateway has not answered yet.
    Queued,
    /// The gateway has it; nobody has opened the card page yet.
    Sent,
    /// Stripe's page is open.
    WaitingForCard,
    /// Stripe or the bank is working on it.
    Processing,
    /// The last card was declined; the same session takes another.
    Declined,
    /// Paid, once.
    Paid,
    /// Past its lifetime, unpaid.
    Expired,
    /// Unpaid, and no card page is open.
    Owed,
    /// Cancelling was asked for, and it is not certain yet that nothing was paid.
    CancelRequested,
    /// Canceled, and certainly unpaid.
    Canceled,
    /// Given up by a person, with a reason.
    Withdrawn,
    /// A refund is on its way.
    RefundPending,
    /// All of it went back.
    Refunded,
    /// Some of it went back.
    PartlyRefunded,
    /// The last refund failed; the money is still here.
    RefundFailed,
    /// The payer's bank disputes it, or took it back.
    Disputed,
    /// The charge was settled by another payment.
    AlreadyPaid,
    /// A person must look.
    NeedsAttention,
}

impl PaymentState {
    /// Every state, in the order of the table in `look.md`.
    pub const ALL: [Self; 19] = [
        Self::Draft,
        Self::Queued,
        Self::Sent,
        Self::WaitingForCard,
        Self::Processing,
        Self::Declined,
        Self::Paid,
        Self::Expired,
        Self::Owed,
        Self::CancelRequested,
        Self::Canceled,
        Self::Withdrawn,
        Self::RefundPending,
        Self::Refunded,
        Self::PartlyRefunded,
        Self::RefundFailed,
        Self::Disputed,
        Self::AlreadyPaid,
        Self::NeedsAttention,
    ];

    /// The state in words, in English.
    pub fn words(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Queued => "Saved, not yet sent",
            Self::Sent => "Sent",
            Self::WaitingForCard => "Waiting for the card",
            Self::Processing => "Processing",
            Self::Declined => "Declined, try another card",
            Self::Paid => "Paid",
            Self::Expired => "Expired",
            Self::Owed => "Owed",
            Self::CancelRequested => "Cancel requested",
            Self::Canceled => "Canceled",
            Self::Withdrawn => "Withdrawn",
            Self::RefundPending => "Refund pending",
            Self::Refunded => "Refunded",
            Self::PartlyRefunded => "Partly refunded",
            Self::RefundFailed => "Refund failed",
            Self::Disputed => "Disputed",
            Self::AlreadyPaid => "Already paid by another payment",
            Self::NeedsAttention => "Needs attention",
        }
    }

    /// The name in the database and in JSON, such as `waiting_for_card`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::WaitingForCard => "waiting_for_card",
            Self::Processing => "processing",
            Self::Declined => "declined",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Owed => "owed",
            Self::CancelRequested => "cancel_requested",
            Self::Canceled => "canceled",
            Self::Withdrawn => "withdrawn",
            Self::RefundPending => "refund_pending",
            Self::Refunded => "refunded",
            Self::PartlyRefunded => "partly_refunded",
            Self::RefundFailed => "refund_failed",
            Self::Disputed => "disputed",
            Self::AlreadyPaid => "already_paid",
            Self::NeedsAttention => "needs_attention",
        }
    }

    /// Reads what [`PaymentState::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// True once money has been received, whatever became of it later: an order exists.
    pub fn has_been_paid(self) -> bool {
        matches!(
            self,
            Self::Paid
                | Self::RefundPending
                | Self::Refunded
                | Self::PartlyRefunded
                | Self::RefundFailed
                | Self::Disputed
        )
    }

    /// True while a payer can still pay it with a card.
    pub fn can_be_paid(self) -> bool {
        matches!(
            self,
            Self::Queued | Self::Sent | Self::WaitingForCard | Self::Declined | Self::Owed
        )
    }
}

/// Why a person must look at a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionReason {
    /// Stripe reports another amount or currency than was held for.
    AmountDiffers,
    /// A live object answers for a test order, or the other way round.
    ModeDiffers,
    /// The object belongs to another Stripe account.
    AccountDiffers,
    /// Money arrived through a session that we did not open for this payment.
    ForeignSession,
    /// Money arrived twice.
    PaidTwice,
    /// Stripe refused to open a session, and will refuse again.
    StripeRefuses,
    /// It was held on a handheld that is revoked: a person says whether the hold is genuine.
    AwaitsApproval,
}

impl AttentionReason {
    /// What happened, in a sentence for the person who acts (the administrator).
    pub fn sentence(self) -> &'static str {
        match self {
            Self::AmountDiffers => {
                "Stripe reports another amount than the officer held for. Compare both in View \
                 Details before you refund."
            }
            Self::ModeDiffers => {
                "A test payment and a live key met. Check the keys of the payment type."
            }
            Self::AccountDiffers => {
                "The payment answers from another Stripe account. Check the keys of the payment \
                 type."
            }
            Self::ForeignSession => {
                "Money arrived through a checkout session that this gateway did not open. Compare \
                 it in the Stripe dashboard."
            }
            Self::PaidTwice => "Money arrived twice. Refund one of the two charges.",
            Self::StripeRefuses => {
                "Stripe refuses to open a card page for this payment. Check the keys and the \
                 currency of the payment type."
            }
            Self::AwaitsApproval => {
                "It was held on a handheld that has been revoked. Approve it if the hold is genuine, \
                 or give it up."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_read_back_as_written() {
        for state in PaymentState::ALL {
            assert_eq!(PaymentState::parse(state.as_str()), Some(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.as_str()));
        }
    }
}
