//! The payer pressed *Pay*.

use crate::decisions::recover::is_recovering;
use crate::rows::{Attempt, AttemptState, JobKind, Payment};
use crate::schedule::RESEND_REMAINING_S_MIN;
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{ChargeReference, PaymentId, PaymentState, TenantSlug};

/// Opens the card page, or finds the one that is open.
#[derive(Clone)]
pub struct Pay {
    /// Whose.
    pub tenant: TenantSlug,
    /// What is to be paid.
    pub payment: PaymentId,
    /// The request to send, should an attempt have to be made. Its body is stored as it is.
    pub proposal: Proposal,
}

/// A frozen request for a checkout session.
#[derive(Clone)]
pub struct Proposal {
    /// Number of the attempt it was made for.
    pub number: u32,
    /// Derived from payment ID and number.
    pub idempotency_key: String,
    /// Form-encoded.
    pub frozen_body: String,
    /// Session expiry inside the body, Unix seconds.
    pub expires_at_unix_s: i64,
}

/// What the payer gets.
#[derive(Clone, PartialEq, Eq)]
pub enum PayOutcome {
    /// The card page is open: go there.
    Open {
        /// Stripe's address.
        url: String,
    },
    /// An attempt is stored and its job is due; carry it out, then ask again.
    Opening {
        /// The attempt.
        attempt: Box<Attempt>,
    },
    /// The proposal was made for another attempt number: make it anew for this one.
    Propose {
        /// The next number.
        number: u32,
    },
    /// Another payment holds a charge of this one: whoever pays now would pay twice.
    HeldUp {
        /// As it stands.
        payment: Box<Payment>,
        /// The charge.
        reference: ChargeReference,
    },
    /// The ledger was put back, and a card page may be open that it does not know. Stripe is being
    /// asked; ask again in a few minutes.
    Recovering,
    /// It cannot be paid in this state.
    NotPayable {
        /// As it stands.
        payment: Box<Payment>,
    },
    /// There is no such payment.
    Unknown,
}

impl Decision for Pay {
    type Outcome = PayOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<PayOutcome, StoreError> {
        let Some(payment) = tx.payment(&self.tenant, self.payment).await? else {
            return Ok(PayOutcome::Unknown);
        };
        let attempts = tx.attempts(&self.tenant, self.payment).await?;
        if let Some(current) = attempts.iter().find(|a| a.state != AttemptState::Disposed) {
            return self.continue_with(tx, &payment, current, env.now_ms).await;
        }
        if let Some(reference) = payment.held_up.clone() {
            return Ok(PayOutcome::HeldUp { payment: Box::new(payment), reference });
        }
        if !payment.state.can_be_paid() || payment.lifetime_ends_at_ms <= env.now_ms {
            return Ok(PayOutcome::NotPayable { payment: Box::new(payment) });
        }
        if is_recovering(tx, &self.tenant, payment.mode).await? {
            return Ok(PayOutcome::Recovering);
        }
        let next = attempts.last().map_or(1, |last| last.number.saturating_add(1));
        if self.proposal.number != next {
            return Ok(PayOutcome::Propose { number: next });
        }
        let attempt = self.new_attempt(env.now_ms);
        tx.put_attempt(&attempt).await?;
        tx.want_job(&self.tenant, JobKind::OpenSession, self.payment, env.now_ms).await?;
        Ok(PayOutcome::Opening { attempt: Box::new(attempt) })
    }
}

impl Pay {
    async fn continue_with<T: Tx>(
        &self,
        tx: &mut T,
        payment: &Payment,
        current: &Attempt,
        now_ms: i64,
    ) -> Result<PayOutcome, StoreError> {
        let processing = payment.state == PaymentState::Processing;
        if processing || !(payment.state.can_be_paid()) {
            return Ok(PayOutcome::NotPayable { payment: Box::new(payment.clone()) });
        }
        if let Some(url) = current.url.clone().filter(|_| current.state == AttemptState::Opened) {
            return Ok(PayOutcome::Open { url });
        }
        tx.want_job(&self.tenant, JobKind::OpenSession, self.payment, now_ms).await?;
        Ok(PayOutcome::Opening { attempt: Box::new(current.clone()) })
    }

    fn new_attempt(&self, now_ms: i64) -> Attempt {
        Attempt {
            tenant: self.tenant.clone(),
            payment: self.payment,
            number: self.proposal.number,
            state: AttemptState::Frozen,
            idempotency_key: self.proposal.idempotency_key.clone(),
            frozen_body: self.proposal.frozen_body.clone(),
            frozen_at_ms: now_ms,
            expires_at_unix_s: self.proposal.expires_at_unix_s,
            session: None,
            url: None,
        }
    }
}

impl Proposal {
    /// True if Stripe would still take this proposal's expiry.
    pub fn is_fresh(&self, now_ms: i64) -> bool {
        self.expires_at_unix_s.saturating_sub(now_ms.div_euclid(1000)) > RESEND_REMAINING_S_MIN
    }
}
