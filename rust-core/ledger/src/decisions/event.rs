//! A webhook event, stored once. It is only a hint: the worker looks at the object itself.

use crate::decisions::learn::settle;
use crate::rows::{Event, Hint, JobKind, Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{AttentionReason, Evidence, PaymentId};

/// An event whose signature is right.
#[derive(Debug, Clone)]
pub struct RecordEvent {
    /// As it came; its `payment` and `waiting_for` are filled in here.
    pub event: Event,
    /// What it says it is about.
    pub hint: Hint,
}

/// What became of it. In each case it is stored, and may be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEventOutcome {
    /// New, and about this payment of ours.
    Followed(PaymentId),
    /// New, and about something that is not known here, or not yet.
    Waiting,
    /// New, and about nothing that this gateway follows.
    Ignored,
    /// It was here before.
    Duplicate,
}

impl Decision for RecordEvent {
    type Outcome = RecordEventOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<RecordEventOutcome, StoreError> {
        let tenant = &self.event.tenant;
        let (id, waiting_for) = match &self.hint {
            Hint::Payment(payment) => (Some(*payment), Some(payment.to_string())),
            Hint::Object(object) => {
                (tx.payment_of_object(tenant, object).await?, Some(object.clone()))
            }
            Hint::Nothing => (None, None),
        };
        let payment = match id {
            Some(id) => tx.payment(tenant, id).await?,
            None => None,
        };
        let known = payment.as_ref().map(|payment| payment.payment);
        let waiting_for = waiting_for.filter(|_| known.is_none());
        let waits = waiting_for.is_some();
        let event = Event { payment: known, waiting_for, ..self.event.clone() };
        if !tx.add_event(&event).await? {
            return Ok(RecordEventOutcome::Duplicate);
        }
        let Some(payment) = payment else {
            return Ok(if waits {
                RecordEventOutcome::Waiting
            } else {
                RecordEventOutcome::Ignored
            });
        };
        self.note_other_account(tx, &payment, env).await?;
        tx.want_job(tenant, JobKind::CheckSession, payment.payment, env.now_ms).await?;
        Ok(RecordEventOutcome::Followed(payment.payment))
    }
}

impl RecordEvent {
    /// An event of another account about this payment: its own key would find nothing there, and no
    /// machine may guess which of the two is meant.
    async fn note_other_account<T: Tx>(
        &self,
        tx: &mut T,
        payment: &Payment,
        env: &Env,
    ) -> Result<(), StoreError> {
        let (named, pinned) = (&self.event.account, &payment.pin.account);
        if named.is_empty() || pinned.is_empty() || named == pinned {
            return Ok(());
        }
        let misfit = Evidence::Misfit { reason: AttentionReason::AccountDiffers };
        let (tenant, id) = (&payment.tenant, payment.payment);
        tx.add_evidence(tenant, id, &misfit, Source::Webhook, env.now_ms).await?;
        settle(tx, tenant, id, env).await.map(|_| ())
    }
}
