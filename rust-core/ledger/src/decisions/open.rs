//! What became of the request for a checkout session.

use crate::decisions::learn::{link_all, settle};
use crate::rows::{Attempt, AttemptState, JobKind, Payment, Source};
use crate::schedule::check_again_ms;
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{AttentionReason, Evidence, PaymentId, SessionStatus, TenantSlug};

/// Stripe answered with a session, or one was found when looked up.
#[derive(Clone)]
pub struct SessionOpened {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// Number of the attempt.
    pub number: u32,
    /// Stripe's ID.
    pub session: String,
    /// Stripe's page; none once the session is not open any more.
    pub url: Option<String>,
}

impl Decision for SessionOpened {
    /// The payment as it stands now; none if there is no such attempt.
    type Outcome = Option<Payment>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Option<Payment>, StoreError> {
        let Some(mut attempt) = find(tx, &self.tenant, self.payment, self.number).await? else {
            return Ok(None);
        };
        let evidence = if attempt.session.as_ref().is_some_and(|known| *known != self.session) {
            // One idempotency key made two sessions: only a person can tell what that means.
            Evidence::Misfit { reason: AttentionReason::ForeignSession }
        } else {
            if attempt.state == AttemptState::Frozen {
                attempt.state = AttemptState::Opened;
            }
            attempt.session = Some(self.session.clone());
            attempt.url = self.url.clone().or(attempt.url);
            tx.put_attempt(&attempt).await?;
            Evidence::Session { session: self.session.clone(), status: SessionStatus::Open }
        };
        link_all(tx, &self.tenant, self.payment, [&self.session], env).await?;
        tx.add_evidence(&self.tenant, self.payment, &evidence, Source::Act, env.now_ms).await?;
        let due_at_ms = env.now_ms.saturating_add(check_again_ms(1));
        tx.want_job(&self.tenant, JobKind::CheckSession, self.payment, due_at_ms).await?;
        settle(tx, &self.tenant, self.payment, env).await
    }
}

/// Proven: the request made no session, and the same request never will.
#[derive(Clone)]
pub struct OpenRefused {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// Number of the attempt.
    pub number: u32,
    /// True if the next attempt would fare the same (a refusal of Stripe's), so that a person must
    /// look; false if it only never reached Stripe.
    pub needs_attention: bool,
}

impl Decision for OpenRefused {
    /// The payment as it stands now; none if there is no such attempt.
    type Outcome = Option<Payment>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Option<Payment>, StoreError> {
        let Some(mut attempt) = find(tx, &self.tenant, self.payment, self.number).await? else {
            return Ok(None);
        };
        if attempt.state == AttemptState::Frozen {
            attempt.state = AttemptState::Disposed;
            tx.put_attempt(&attempt).await?;
        }
        if self.needs_attention {
            let reason = Evidence::Misfit { reason: AttentionReason::StripeRefuses };
            tx.add_evidence(&self.tenant, self.payment, &reason, Source::Act, env.now_ms).await?;
        }
        settle(tx, &self.tenant, self.payment, env).await
    }
}

async fn find<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    payment: PaymentId,
    number: u32,
) -> Result<Option<Attempt>, StoreError> {
    let attempts = tx.attempts(tenant, payment).await?;
    Ok(attempts.into_iter().find(|attempt| attempt.number == number))
}
