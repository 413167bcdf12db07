//! What became of a request for a refund.

use super::ask::show_again;
use super::{AlertStatus, AuditAct, RefundKey, RefundRequest, RequestState, alert};
use crate::decisions::learn::settle;
use crate::rows::{JobKind, Source};
use crate::schedule::{check_again_ms, follow_again_ms};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{Evidence, PaymentId, TenantSlug};

/// Who answers in the audit log.
const STRIPE: &str = "Stripe";

/// Stripe has a refund for the request: it answered, or its list was looked through.
#[derive(Debug, Clone)]
pub struct RefundMade {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// The request.
    pub key: RefundKey,
    /// Stripe's ID.
    pub refund: String,
    /// How the refund stands, and how much it is.
    pub evidence: Evidence,
    /// How it was learned.
    pub source: Source,
}

impl Decision for RefundMade {
    /// False if there is no such request of this payment.
    type Outcome = bool;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<bool, StoreError> {
        let found = find(tx, &self.tenant, self.payment, &self.key).await?;
        let Some(mut request) = found else { return Ok(false) };
        let is_news = request.refund.is_none();
        if is_news {
            request.state = RequestState::Made;
            request.refund = Some(self.refund.clone());
            request.problem.clear();
            tx.put_refund_request(&request).await?;
            tx.link_object(&self.tenant, &self.refund, self.payment).await?;
            let now_ms = env.now_ms;
            let (soon, later) = (check_again_ms(1), follow_again_ms(1));
            for (kind, wait_ms) in [(JobKind::CheckSession, soon), (JobKind::FollowRefunds, later)]
            {
                let due_at_ms = now_ms.saturating_add(wait_ms);
                tx.want_job(&self.tenant, kind, self.payment, due_at_ms).await?;
            }
        }
        alert::add_evidence(tx, (&self.tenant, self.payment), &self.evidence, self.source, env)
            .await?;
        let payment = settle(tx, &self.tenant, self.payment, env).await?;
        if let Some(payment) = payment.filter(|_| is_news) {
            show_again(tx, payment, env.now_ms).await?;
        }
        Ok(true)
    }
}

/// Proven: Stripe made no refund for the request, and never will.
#[derive(Debug, Clone)]
pub struct RefundRefused {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// The request.
    pub key: RefundKey,
    /// Why, in words for the office.
    pub why: String,
}

impl Decision for RefundRefused {
    /// False if there is no such request, or it was decided already.
    type Outcome = bool;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<bool, StoreError> {
        let found = find(tx, &self.tenant, self.payment, &self.key).await?;
        let undecided = |it: &RefundRequest| it.state == RequestState::Frozen;
        let Some(mut request) = found.filter(undecided) else { return Ok(false) };
        request.state = RequestState::Refused;
        request.problem.clone_from(&self.why);
        tx.put_refund_request(&request).await?;
        let told = (AlertStatus::RefundRefused, request.amount);
        alert::tell(tx, (&self.tenant, self.payment), self.key.as_str(), told, env.now_ms).await?;
        let act = AuditAct {
            tenant: self.tenant.clone(),
            at_ms: env.now_ms,
            who: STRIPE.to_owned(),
            what: "refund_refused",
            detail: format!("{} of payment {}: {}", request.amount, self.payment, self.why),
        };
        tx.record_act(act).await?;
        if let Some(payment) = tx.payment(&self.tenant, self.payment).await? {
            show_again(tx, payment, env.now_ms).await?;
        }
        Ok(true)
    }
}

/// The request could not be carried out now and will be tried again: the office sees why.
#[derive(Debug, Clone)]
pub struct RefundWaits {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// The request.
    pub key: RefundKey,
    /// Why, in words for the office.
    pub why: String,
}

impl Decision for RefundWaits {
    type Outcome = ();

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<(), StoreError> {
        let found = find(tx, &self.tenant, self.payment, &self.key).await?;
        let news = |it: &RefundRequest| it.state == RequestState::Frozen && it.problem != self.why;
        let Some(mut request) = found.filter(news) else { return Ok(()) };
        request.problem.clone_from(&self.why);
        tx.put_refund_request(&request).await?;
        if let Some(payment) = tx.payment(&self.tenant, self.payment).await? {
            show_again(tx, payment, env.now_ms).await?;
        }
        Ok(())
    }
}

async fn find<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    payment: PaymentId,
    key: &RefundKey,
) -> Result<Option<RefundRequest>, StoreError> {
    let found = tx.refund_request(tenant, key).await?;
    Ok(found.filter(|request| request.payment == payment))
}
