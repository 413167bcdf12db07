//! Refunds.

use holdfast_domain::Money;

use super::{FreezeError, FrozenRequest, checked_metadata};
use crate::amount;
use crate::form::Form;
use crate::objects::{Metadata, RefundReason};
use crate::path;

/// What is refunded, by ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundTarget {
    /// `ch_…`
    Charge(String),
    /// `pi_…`
    PaymentIntent(String),
}

/// What is needed to send money back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRefund {
    /// What is refunded.
    pub target: RefundTarget,
    /// How much; always said, so that a request means one amount whenever it arrives.
    pub amount: Money,
    /// Why, if one of Stripe's reasons fits.
    pub reason: Option<RefundReason>,
    /// Our notes.
    pub metadata: Metadata,
}

impl CreateRefund {
    /// Freezes the request under a key.
    pub fn freeze(&self, idempotency_key: &str) -> Result<FrozenRequest, FreezeError> {
        let units = amount::units(self.amount)?;
        if units < 1 {
            let least = Money::new(1, self.amount.currency());
            return Err(amount::AmountError::TooSmall { money: self.amount, least }.into());
        }
        let mut form = Form::default();
        match &self.target {
            RefundTarget::Charge(id) => form.set("charge", path::id_segment(id)?),
            RefundTarget::PaymentIntent(id) => form.set("payment_intent", path::id_segment(id)?),
        };
        form.set("amount", units)
            .set_some("reason", self.reason.as_ref())
            .set_map("metadata", checked_metadata("metadata", &self.metadata)?);
        FrozenRequest::new("/v1/refunds".to_owned(), &form, idempotency_key)
    }
}
