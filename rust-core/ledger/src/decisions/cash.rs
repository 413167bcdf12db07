//! Cash that is given back.

use crate::decisions::learn::settle;
use crate::refund::AuditAct;
use crate::rows::{Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{Evidence, PaymentId, PaymentState, TenantSlug};
use holdfast_protocol::wire::Provider;

/// The office voids a cash payment: the cash was given back to the payer.
#[derive(Debug, Clone)]
pub struct VoidCash {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub payment: PaymentId,
    /// Who voids it, as the audit log shows it.
    pub who: String,
    /// Why, in words; not empty.
    pub reason: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoidOutcome {
    /// It is voided, now or since earlier.
    Voided {
        /// As it stands.
        payment: Box<Payment>,
        /// False if it was voided before.
        new: bool,
    },
    /// It stays: the shift it was taken in is closed.
    HandedIn,
    /// There is no such cash payment.
    Unknown,
}

impl Decision for VoidCash {
    type Outcome = VoidOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<VoidOutcome, StoreError> {
        let Some(payment) = tx.payment(&self.tenant, self.payment).await? else {
            return Ok(VoidOutcome::Unknown);
        };
        if !is_cash(tx, &payment).await? {
            return Ok(VoidOutcome::Unknown);
        }
        let outcome = void(tx, payment, env).await?;
        if let VoidOutcome::Voided { payment, new: true } = &outcome {
            let detail = format!("{} of payment {}: {}", payment.total, self.payment, self.reason);
            let (tenant, who) = (self.tenant.clone(), self.who.clone());
            let (at_ms, what) = (env.now_ms, "cash_voided");
            tx.record_act(AuditAct { tenant, at_ms, who, what, detail }).await?;
        }
        Ok(outcome)
    }
}

/// True if the payment was taken in cash.
pub(crate) async fn is_cash<T: Tx>(tx: &mut T, payment: &Payment) -> Result<bool, StoreError> {
    let kind = tx.payment_type(&payment.tenant, &payment.payment_type).await?;
    Ok(kind.is_some_and(|kind| kind.provider == Provider::Cash))
}

/// Voids a cash payment, unless its shift is closed.
pub(crate) async fn void<T: Tx>(
    tx: &mut T,
    payment: Payment,
    env: &Env,
) -> Result<VoidOutcome, StoreError> {
    let (tenant, id) = (payment.tenant.clone(), payment.payment);
    if payment.state == PaymentState::Withdrawn {
        return Ok(VoidOutcome::Voided { payment: Box::new(payment), new: false });
    }
    if tx.is_handed_in(&tenant, id).await? {
        return Ok(VoidOutcome::HandedIn);
    }
    tx.add_evidence(&tenant, id, &Evidence::CashVoided, Source::Act, env.now_ms).await?;
    let after = settle(tx, &tenant, id, env).await?.unwrap_or(payment);
    Ok(VoidOutcome::Voided { payment: Box::new(after), new: true })
}
