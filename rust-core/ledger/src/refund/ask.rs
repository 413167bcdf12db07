//! Asking for a refund.

use super::{AuditAct, REASON_CHARS_MAX, REFUNDS_MAX, RefundKey, RefundRequest, RequestState};
use crate::decisions::recover::is_recovering;
use crate::rows::{JobKind, Payment};
use crate::store::{Decision, Env, StoreError, Tx};
use crate::work::{META_PAYMENT, META_REFUND};
use holdfast_domain::refund::{RefundAmount, RefundRefusal, Refundable, check};
use holdfast_domain::{Facts, Money, PaymentId, TenantSlug};
use holdfast_stripe::objects::RefundReason;
use holdfast_stripe::request::{CreateRefund, RefundTarget};
use holdfast_stripe::{FreezeError, FrozenRequest};
use std::collections::BTreeMap;

/// Somebody wants money of a payment to go back.
#[derive(Debug, Clone)]
pub struct AskRefund {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// Minted with the form, or [`RefundKey::automatic`].
    pub key: RefundKey,
    /// How much.
    pub amount: RefundAmount,
    /// Why, in words; may be empty.
    pub reason: String,
    /// Why, in Stripe's words.
    pub stripe_reason: RefundReason,
    /// Who asks, as the audit log shows it.
    pub who: String,
    /// How many refunds of this payment the form showed ([`refunds_known`]). If there are more by
    /// now, the person did not know of them and is told first. None for the gateway itself.
    pub known: Option<usize>,
    /// True if what the payment settled is not owed again once all of it went back.
    pub cancels_charges: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskRefundOutcome {
    /// It is stored and will reach Stripe.
    Asked {
        /// As it stands.
        request: Box<RefundRequest>,
        /// False if this very form was sent before.
        new: bool,
    },
    /// Another refund was begun since the form was opened. Nothing was done.
    Overtaken {
        /// The newest request, unless the refund was made in Stripe's Dashboard.
        by: Option<Box<RefundRequest>>,
    },
    /// An earlier request of this payment is not decided yet. Nothing was done.
    UnderWay {
        /// That one.
        request: Box<RefundRequest>,
    },
    /// The ledger was put back and may not know yet of refunds that were made since. Nothing was done;
    /// ask again in a few minutes.
    Recovering,
    /// Not so much, or not at all.
    Refused(RefundRefusal),
    /// Stripe would not take the amount in this currency.
    NotSendable(FreezeError),
    /// There have been as many refunds of this payment as the gateway follows.
    TooMany,
    /// There is no such payment.
    Unknown,
}

impl Decision for AskRefund {
    type Outcome = AskRefundOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<AskRefundOutcome, StoreError> {
        use AskRefundOutcome as O;
        let Some(payment) = tx.payment(&self.tenant, self.payment).await? else {
            return Ok(O::Unknown);
        };
        if let Some(request) = tx.refund_request(&self.tenant, &self.key).await? {
            // A key that another payment used is no form of ours.
            return Ok(if request.payment == self.payment {
                O::Asked { request: Box::new(request), new: false }
            } else {
                O::Unknown
            });
        }
        if may_know_too_little(tx, &payment, env.now_ms).await? {
            return Ok(O::Recovering);
        }
        let requests = tx.refund_requests(&self.tenant, self.payment).await?;
        let facts = Facts::from_evidence(&tx.evidence(&self.tenant, self.payment).await?);
        let known = refunds_known(&requests, &facts);
        if self.known.is_some_and(|shown| shown != known) {
            return Ok(O::Overtaken { by: requests.last().cloned().map(Box::new) });
        }
        let undecided = requests.iter().find(|it| it.state == RequestState::Frozen);
        if let Some(request) = undecided {
            return Ok(O::UnderWay { request: Box::new(request.clone()) });
        }
        if known >= REFUNDS_MAX {
            return Ok(O::TooMany);
        }
        let allowed = match check(&facts, &unheard(&requests, &facts), self.amount) {
            Ok(allowed) => allowed,
            Err(refusal) => return Ok(O::Refused(refusal)),
        };
        match self.freeze(&payment, &allowed) {
            Ok(frozen) => self.store(tx, payment, allowed.amount, frozen, env.now_ms).await,
            Err(error) => Ok(O::NotSendable(error)),
        }
    }
}

/// True while a restored ledger has not heard all of what happened to a payment: Stripe is still
/// being asked, or has named the payment and it has not been looked at yet.
async fn may_know_too_little<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let (tenant, id) = (&payment.tenant, payment.payment);
    if is_recovering(tx, tenant, payment.mode).await? {
        return Ok(true);
    }
    let was_restored = !tx.recoveries(tenant).await?.is_empty();
    let look = tx.job(tenant, JobKind::CheckSession, id).await?;
    let is_open = look.is_some_and(|job| job.due_at_ms <= now_ms || job.leased_until_ms > now_ms);
    Ok(was_restored && is_open)
}

impl AskRefund {
    fn freeze(
        &self,
        payment: &Payment,
        allowed: &Refundable,
    ) -> Result<FrozenRequest, FreezeError> {
        let notes = BTreeMap::from([
            (META_PAYMENT.to_owned(), payment.payment.to_string()),
            (META_REFUND.to_owned(), self.key.to_string()),
        ]);
        let create = CreateRefund {
            target: RefundTarget::Charge(allowed.charge.clone()),
            amount: allowed.amount,
            reason: Some(self.stripe_reason.clone()),
            metadata: notes,
        };
        create.freeze(&format!("holdfast-refund-{}-{}", self.tenant, self.key))
    }

    async fn store<T: Tx>(
        &self,
        tx: &mut T,
        payment: Payment,
        amount: Money,
        frozen: FrozenRequest,
        now_ms: i64,
    ) -> Result<AskRefundOutcome, StoreError> {
        let request = RefundRequest {
            tenant: self.tenant.clone(),
            key: self.key.clone(),
            payment: self.payment,
            amount,
            reason: self.reason.chars().take(REASON_CHARS_MAX).collect(),
            who: self.who.clone(),
            cancels_charges: self.cancels_charges,
            state: RequestState::Frozen,
            frozen,
            asked_at_ms: now_ms,
            refund: None,
            problem: String::new(),
        };
        tx.put_refund_request(&request).await?;
        tx.want_job(&self.tenant, JobKind::SendRefund, self.payment, now_ms).await?;
        show_again(tx, payment, now_ms).await?;
        let detail = match request.reason.as_str() {
            "" => format!("{amount} of payment {}", self.payment),
            reason => format!("{amount} of payment {}: {reason}", self.payment),
        };
        let (tenant, who) = (self.tenant.clone(), self.who.clone());
        tx.record_act(AuditAct { tenant, at_ms: now_ms, who, what: "refund_asked", detail })
            .await?;
        Ok(AskRefundOutcome::Asked { request: Box::new(request), new: true })
    }
}

/// How many refunds of a payment there have been, refused ones too: ours, and those that were made in
/// Stripe's Dashboard.
pub fn refunds_known(requests: &[RefundRequest], facts: &Facts) -> usize {
    let ours = |id: &str| requests.iter().any(|it| it.refund.as_deref() == Some(id));
    let foreign = facts.refunds().iter().filter(|(id, ..)| !ours(id)).count();
    requests.len().saturating_add(foreign)
}

/// What was asked for and of which no refund is known yet.
fn unheard(requests: &[RefundRequest], facts: &Facts) -> Vec<Money> {
    let heard = |it: &RefundRequest| {
        it.refund.as_deref().is_some_and(|id| facts.refund_status(id).is_some())
    };
    let counts = |it: &&RefundRequest| it.state != RequestState::Refused && !heard(it);
    requests.iter().filter(counts).map(|it| it.amount).collect()
}

/// Gives the payment a new revision, so that every screen that shows it looks again.
pub(super) async fn show_again<T: Tx>(
    tx: &mut T,
    mut payment: Payment,
    now_ms: i64,
) -> Result<(), StoreError> {
    payment.revision = tx.next_revision(&payment.tenant).await?;
    payment.changed_at_ms = now_ms;
    tx.put_payment(&payment).await
}

/// The requests of a payment, oldest first. It changes nothing.
#[derive(Debug, Clone)]
pub struct RefundsOf {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
}

impl Decision for RefundsOf {
    type Outcome = Vec<RefundRequest>;

    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<Self::Outcome, StoreError> {
        tx.refund_requests(&self.tenant, self.payment).await
    }
}
