//! A person says what becomes of an order that was held on a revoked handheld.

use crate::decisions::learn::settle;
use crate::refund::AuditAct;
use crate::rows::{Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{AttentionReason, Evidence, PaymentId, TenantSlug};
use holdfast_protocol::wire::Provider;

/// The hold is genuine, or it is not.
#[derive(Debug, Clone)]
pub struct Approve {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub payment: PaymentId,
    /// True: it may be paid from now on. False: it is given up.
    pub is_genuine: bool,
    /// Who says so, as the audit log shows it.
    pub who: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveOutcome {
    /// It is decided.
    Decided {
        /// As it stands now.
        payment: Box<Payment>,
    },
    /// It does not wait for anybody, or no more. Nothing was done.
    NotWaiting {
        /// As it stands.
        payment: Box<Payment>,
    },
    /// There is no such payment.
    Unknown,
}

impl Decision for Approve {
    type Outcome = ApproveOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<ApproveOutcome, StoreError> {
        let (tenant, id) = (&self.tenant, self.payment);
        let Some(payment) = tx.payment(tenant, id).await? else {
            return Ok(ApproveOutcome::Unknown);
        };
        if payment.attention != Some(AttentionReason::AwaitsApproval) {
            return Ok(ApproveOutcome::NotWaiting { payment: Box::new(payment) });
        }
        let said = if self.is_genuine { Evidence::Approved } else { Evidence::Withdrawn };
        tx.add_evidence(tenant, id, &said, Source::Act, env.now_ms).await?;
        let kind = tx.payment_type(tenant, &payment.payment_type).await?;
        if self.is_genuine && kind.is_some_and(|kind| kind.provider == Provider::Cash) {
            let taken = Evidence::CashTaken { amount: payment.total };
            tx.add_evidence(tenant, id, &taken, Source::Act, env.now_ms).await?;
        }
        tx.record_act(AuditAct {
            tenant: tenant.clone(),
            at_ms: env.now_ms,
            who: self.who.clone(),
            what: if self.is_genuine { "order_approved" } else { "order_given_up" },
            detail: format!("payment {id}, held on the revoked handheld {}", payment.device),
        })
        .await?;
        let after = settle(tx, tenant, id, env).await?.unwrap_or(payment);
        Ok(ApproveOutcome::Decided { payment: Box::new(after) })
    }
}
