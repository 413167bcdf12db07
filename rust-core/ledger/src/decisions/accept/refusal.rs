//! Why an order is not taken.

use super::AcceptOutcome;
use holdfast_protocol::wire::ErrorCode;

/// Why nothing is stored: for programs, and for people.
pub(in crate::decisions) struct Refusal(
    pub(in crate::decisions) ErrorCode,
    pub(in crate::decisions) String,
);

impl Refusal {
    pub(in crate::decisions) fn of(code: ErrorCode, message: &str) -> Self {
        Self(code, message.to_owned())
    }

    pub(in crate::decisions) fn signature() -> Self {
        Self::of(
            ErrorCode::SignatureWrong,
            "This was changed after it was signed, or the code was read wrongly. Scan it again; if \
             that does not help, the officer makes a new one.",
        )
    }

    pub(super) fn given_up() -> Self {
        Self::of(
            ErrorCode::Withdrawn,
            "The officer gave this order up. Do not pay it; ask the officer for a new one.",
        )
    }

    pub(super) fn recovering() -> Self {
        Self::of(
            ErrorCode::Unavailable,
            "The gateway was restored from a backup and is asking Stripe what happened since. Try \
             again in a few minutes; nothing is lost, and nothing is paid twice.",
        )
    }

    pub(super) fn conflict() -> Self {
        Self::of(
            ErrorCode::PaymentConflict,
            "Another order with the same payment ID was accepted before. Do not pay this one; call \
             the administrator.",
        )
    }
}

impl From<Refusal> for AcceptOutcome {
    fn from(Refusal(code, message): Refusal) -> Self {
        Self::Refused { code, message }
    }
}
