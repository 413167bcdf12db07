//! PaymentIntents that the server makes itself: the portal's, and the webhook check's.

use holdfast_domain::Money;

use super::{FreezeError, FrozenRequest, action_path, checked_metadata};
use crate::amount;
use crate::form::Form;
use crate::objects::Metadata;

/// What is needed to create a PaymentIntent for a card, unconfirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateIntent {
    /// What is to be paid.
    pub amount: Money,
    /// Our notes.
    pub metadata: Metadata,
}

impl CreateIntent {
    /// Freezes the request under a key.
    pub fn freeze(&self, idempotency_key: &str) -> Result<FrozenRequest, FreezeError> {
        let mut form = Form::default();
        form.set("amount", amount::charge_units(self.amount)?)
            .set("currency", self.amount.currency().code().to_ascii_lowercase())
            .set("payment_method_types[0]", "card")
            .set_map("metadata", checked_metadata("metadata", &self.metadata)?);
        FrozenRequest::new("/v1/payment_intents".to_owned(), &form, idempotency_key)
    }
}

/// Cancels a PaymentIntent that no Checkout Session owns (expire the session instead).
pub fn cancel_intent(intent_id: &str, idempotency_key: &str) -> Result<FrozenRequest, FreezeError> {
    let path = action_path("payment_intents", intent_id, "cancel")?;
    FrozenRequest::new(path, &Form::default(), idempotency_key)
}
