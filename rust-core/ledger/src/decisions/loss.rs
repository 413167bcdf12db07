//! Money that a bank took back for good, and what becomes of what it had settled.
//!
//! A dispute that was lost leaves its charges settled: whether the payer still owes them is no machine's to
//! say. A person of the finance role decides. Owed again, anybody may pay them; written off, they stay
//! settled, and may still be called owed again later.

use crate::decisions::learn::settle;
use crate::refund::{AlertStatus, AuditAct};
use crate::rows::{Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{ClaimState, Evidence, Facts, PaymentId, TenantSlug};

/// Somebody says what becomes of the charges of a payment whose dispute was lost.
#[derive(Debug, Clone)]
pub struct DecideLoss {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which payment.
    pub payment: PaymentId,
    /// True: they are owed again. False: they are written off.
    pub owed_again: bool,
    /// Who says so, as the audit log shows it.
    pub who: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LossOutcome {
    /// It is decided.
    Decided {
        /// The payment as it stands now.
        payment: Box<Payment>,
    },
    /// There is nothing to decide, or not any more: no dispute was lost, or nothing is settled by it.
    /// Nothing was done.
    NothingLost,
    /// There is no such payment.
    Unknown,
}

impl Decision for DecideLoss {
    type Outcome = LossOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<LossOutcome, StoreError> {
        let (tenant, id) = (&self.tenant, self.payment);
        let Some(payment) = tx.payment(tenant, id).await? else {
            return Ok(LossOutcome::Unknown);
        };
        let facts = Facts::from_evidence(&tx.evidence(tenant, id).await?);
        let claims = tx.claims_of(tenant, id).await?;
        let settled = claims.iter().filter(|it| it.state == ClaimState::Settled);
        let settled: Vec<&str> = settled.map(|it| it.reference.as_str()).collect();
        if !facts.is_lost() || settled.is_empty() {
            return Ok(LossOutcome::NothingLost);
        }
        self.note_on_alerts(tx, &facts, env).await?;
        tx.record_act(AuditAct {
            tenant: tenant.clone(),
            at_ms: env.now_ms,
            who: self.who.clone(),
            what: if self.owed_again { "loss_owed_again" } else { "loss_written_off" },
            detail: format!("{} of payment {id}, lost by a dispute", settled.join(", ")),
        })
        .await?;
        if self.owed_again {
            tx.add_evidence(tenant, id, &Evidence::OwedAgain, Source::Act, env.now_ms).await?;
        }
        let after = settle(tx, tenant, id, env).await?.unwrap_or(payment);
        Ok(LossOutcome::Decided { payment: Box::new(after) })
    }
}

impl DecideLoss {
    /// Whoever has decided has read the news.
    async fn note_on_alerts<T: Tx>(
        &self,
        tx: &mut T,
        facts: &Facts,
        env: &Env,
    ) -> Result<(), StoreError> {
        for dispute in facts.disputes_lost() {
            let found = tx.alert(&self.tenant, dispute).await?;
            let Some(mut alert) = found.filter(|it| it.status == AlertStatus::DisputeLost) else {
                continue;
            };
            alert.written_off = !self.owed_again;
            alert.acknowledged.get_or_insert_with(|| (self.who.clone(), env.now_ms));
            tx.put_alert(&alert).await?;
        }
        Ok(())
    }
}
