//! A webhook event, stored once. It is only a hint: the worker looks at the object itself.

use crate::rows::{Event, Hint, JobKind};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::PaymentId;

/// An event whose signature is right.
#[derive(Debug, Clone)]
pub struct RecordEvent {
    /// As it came; its `payment` is filled in here.
    pub event: Event,
    /// What it says it is about.
    pub hint: Hint,
}

/// What became of it. In each case it is stored, and may be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEventOutcome {
    /// New, and about this payment of ours.
    Followed(PaymentId),
    /// New, and about nothing that this gateway follows.
    Ignored,
    /// It was here before.
    Duplicate,
}

impl Decision for RecordEvent {
    type Outcome = RecordEventOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<RecordEventOutcome, StoreError> {
        let tenant = &self.event.tenant;
        let payment = match &self.hint {
            Hint::Payment(payment) => tx.payment(tenant, *payment).await?.map(|row| row.payment),
            Hint::Object(object) => tx.payment_of_object(tenant, object).await?,
            Hint::Nothing => None,
        };
        let event = Event { payment, ..self.event.clone() };
        if !tx.add_event(&event).await? {
            return Ok(RecordEventOutcome::Duplicate);
        }
        let Some(payment) = payment else {
            return Ok(RecordEventOutcome::Ignored);
        };
        tx.want_job(tenant, JobKind::CheckSession, payment, env.now_ms).await?;
        Ok(RecordEventOutcome::Followed(payment))
    }
}
