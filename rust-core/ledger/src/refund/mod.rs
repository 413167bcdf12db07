//! Money on its way back.
//!
//! # The life of a refund
//!
//! 1. **Asked** ([`AskRefund`]). A person confirmed a form, or the gateway decided by itself. In one
//!    transaction it is decided whether so much may go back ([`holdfast_domain::refund`]), and the
//!    request to Stripe is frozen and stored with its idempotency key and a job. The [`RefundKey`] is
//!    minted with the form, so the same form sent twice is one refund.
//! 2. **Sent** ([`crate::work::send_refund`]). The same bytes again until there is an answer; once
//!    sending is over, Stripe's list is looked through for our key.
//! 3. **Made** ([`RefundMade`]): Stripe has a refund of its own now, and from here on *its* state is
//!    what counts: pending, succeeded, failed, and failed outranks succeeded. Or **refused**
//!    ([`RefundRefused`]): proven that nothing went back. Only then may another form, with another
//!    key, try again: while one request of a payment is undecided, no second is taken.
//! 4. **Told** ([`FinanceAlert`]). Each change of a refund or dispute, whoever made it, stands on the
//!    finance role's list until somebody acknowledges it.

pub(crate) mod alert;
mod answer;
mod ask;

pub use alert::{Acknowledge, AlertStatus, FinanceAlert};
pub use answer::{RefundMade, RefundRefused, RefundWaits};
pub use ask::{AskRefund, AskRefundOutcome, RefundsOf, refunds_known};

use holdfast_domain::{Money, PaymentId, TenantSlug};
use holdfast_stripe::FrozenRequest;
use std::fmt;

/// Refunds of one payment at the most: one page of Stripe's list holds them all, so a look-up that
/// finds nothing there is proof.
pub const REFUNDS_MAX: usize = 50;
/// Longest reason in characters.
pub const REASON_CHARS_MAX: usize = 200;

/// Names one wish to refund, from the form on; the root of its idempotency key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundKey(String);

/// Longest key in characters, so that it fits an idempotency key and a note at Stripe.
const KEY_CHARS_MAX: usize = 60;
/// Shortest key in characters: 64 random bits.
const KEY_CHARS_MIN: usize = 16;

impl RefundKey {
    /// A new key from random bytes, for a new form.
    pub fn mint(random: [u8; 16]) -> Self {
        Self(data_encoding(random))
    }

    /// The key of the refund that the gateway makes by itself: one for each payment, so that
    /// deciding it again is the same refund.
    pub fn automatic(payment: PaymentId) -> Self {
        Self(format!("auto-{payment}"))
    }

    /// Reads a key out of a form.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-';
        let fits = (KEY_CHARS_MIN..=KEY_CHARS_MAX).contains(&text.len());
        (fits && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn data_encoding(bytes: [u8; 16]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for RefundKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RefundKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a request for a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Stored; it may or may not have reached Stripe.
    Frozen,
    /// Stripe made a refund of it.
    Made,
    /// Proven: Stripe made none, and never will for this key.
    Refused,
}

impl RequestState {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Made => "made",
            Self::Refused => "refused",
        }
    }

    /// Reads what [`RequestState::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Frozen, Self::Made, Self::Refused].into_iter().find(|it| it.as_str() == text)
    }
}

/// A wish to refund, with the request that carries it to Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Whose.
    pub tenant: TenantSlug,
    /// Minted with the form.
    pub key: RefundKey,
    /// Of which payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Why, in the words of whoever asked; may be empty.
    pub reason: String,
    /// Who asked.
    pub who: String,
    /// True if the charges that the payment settled are canceled once all of it went back; otherwise
    /// they are owed again.
    pub cancels_charges: bool,
    /// How far it is.
    pub state: RequestState,
    /// Path, body and idempotency key, byte for byte as they are sent and sent again.
    pub frozen: FrozenRequest,
    /// When it was frozen, before the first send.
    pub asked_at_ms: i64,
    /// Stripe's refund, once known.
    pub refund: Option<String>,
    /// Why it waits or was refused, in words for the office; empty while all is well.
    pub problem: String,
}

/// An act for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditAct {
    /// Whose log.
    pub tenant: TenantSlug,
    /// When.
    pub at_ms: i64,
    /// Who.
    pub who: String,
    /// Stable words with underscores, such as `refund_asked`.
    pub what: &'static str,
    /// In words; never a secret.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_nothing_else_passes_for_one() {
        let minted = RefundKey::mint([0xAB; 16]);
        assert_eq!(RefundKey::parse(minted.as_str()), Some(minted));
        let automatic = RefundKey::automatic(PaymentId::mint(1, &[2; 10]));
        assert_eq!(RefundKey::parse(automatic.as_str()), Some(automatic));
        for text in ["", "short", "UPPERCASE-UPPERCASE", "0123456789abcde\n", "a b c d e f g h i j"]
        {
            assert_eq!(RefundKey::parse(text), None, "{text:?}");
        }
        assert_eq!(RefundKey::parse(&"a".repeat(61)), None);
    }
}
