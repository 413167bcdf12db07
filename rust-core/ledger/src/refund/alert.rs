//! What the finance role is told, and until when.

use super::AuditAct;
use crate::rows::{JobKind, Payment, Source};
use crate::schedule::follow_again_ms;
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{
    AttentionReason, DisputeOutcome, Evidence, Facts, Money, PaymentId, RefundStatus, TenantSlug,
};

/// What is told about a refund or a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertStatus {
    /// A refund is on its way.
    RefundPending,
    /// The payer has to do something before the money goes back.
    RefundRequiresAction,
    /// The money went back.
    RefundSucceeded,
    /// The money did not go back, perhaps after Stripe had said that it did.
    RefundFailed,
    /// The refund was called off.
    RefundCanceled,
    /// Stripe refused to make the refund.
    RefundRefused,
    /// The payer's bank asks for the money.
    DisputeOpened,
    /// The bank gave the money back.
    DisputeWon,
    /// The bank keeps the money.
    DisputeLost,
    /// Money arrived twice, and only a person can say which of it goes back.
    PaidTwice,
    /// Money arrived that does not fit what was held for.
    MoneyDiffers,
}

impl AlertStatus {
    const ALL: [Self; 11] = [
        Self::RefundPending,
        Self::RefundRequiresAction,
        Self::RefundSucceeded,
        Self::RefundFailed,
        Self::RefundCanceled,
        Self::RefundRefused,
        Self::DisputeOpened,
        Self::DisputeWon,
        Self::DisputeLost,
        Self::PaidTwice,
        Self::MoneyDiffers,
    ];

    /// The name in the database and in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefundPending => "refund_pending",
            Self::RefundRequiresAction => "refund_requires_action",
            Self::RefundSucceeded => "refund_succeeded",
            Self::RefundFailed => "refund_failed",
            Self::RefundCanceled => "refund_canceled",
            Self::RefundRefused => "refund_refused",
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
            Self::PaidTwice => "paid_twice",
            Self::MoneyDiffers => "money_differs",
        }
    }

    /// Reads what [`AlertStatus::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl From<RefundStatus> for AlertStatus {
    fn from(status: RefundStatus) -> Self {
        match status {
            RefundStatus::Pending => Self::RefundPending,
            RefundStatus::RequiresAction => Self::RefundRequiresAction,
            RefundStatus::Succeeded => Self::RefundSucceeded,
            RefundStatus::Canceled => Self::RefundCanceled,
            RefundStatus::Failed => Self::RefundFailed,
        }
    }
}

impl From<DisputeOutcome> for AlertStatus {
    fn from(outcome: DisputeOutcome) -> Self {
        match outcome {
            DisputeOutcome::Open => Self::DisputeOpened,
            DisputeOutcome::Won => Self::DisputeWon,
            DisputeOutcome::Lost => Self::DisputeLost,
        }
    }
}

/// One line of the finance role's list: a refund or a dispute as it stands. A change makes it new
/// again, so that acknowledging "succeeded" never hides a later "failed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinanceAlert {
    /// Whose.
    pub tenant: TenantSlug,
    /// Stripe's refund or dispute, the key of a request that Stripe refused, or the payment itself.
    pub object: String,
    /// Of which payment.
    pub payment: PaymentId,
    /// How it stands.
    pub status: AlertStatus,
    /// How it stood before: "succeeded" makes a failure worse.
    pub was: Option<AlertStatus>,
    /// How much; of a dispute the whole payment.
    pub amount: Money,
    /// Since when it stands so.
    pub changed_at_ms: i64,
    /// Who acknowledged it as it stands, and when.
    pub acknowledged: Option<(String, i64)>,
    /// Of a dispute that was lost: somebody said that the charges stay settled all the same.
    pub written_off: bool,
}

/// Somebody has read a line of the list, as it stood then.
#[derive(Debug, Clone)]
pub struct Acknowledge {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which line.
    pub object: String,
    /// What it said.
    pub status: AlertStatus,
    /// Who.
    pub who: String,
}

impl Decision for Acknowledge {
    /// False if the line is gone, was acknowledged already, or says something else by now.
    type Outcome = bool;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<bool, StoreError> {
        let found = tx.alert(&self.tenant, &self.object).await?;
        let as_read = |it: &FinanceAlert| it.status == self.status && it.acknowledged.is_none();
        let Some(mut alert) = found.filter(as_read) else { return Ok(false) };
        alert.acknowledged = Some((self.who.clone(), env.now_ms));
        tx.put_alert(&alert).await?;
        let act = AuditAct {
            tenant: self.tenant.clone(),
            at_ms: env.now_ms,
            who: self.who.clone(),
            what: "refund_news_read",
            detail: format!("{} {}", self.object, self.status.as_str()),
        };
        tx.record_act(act).await?;
        Ok(true)
    }
}

/// Adds a piece of evidence. If it tells something new about a refund or a dispute, the finance role
/// is told, the audit log says so, and the refund is followed for the weeks in which it may fail.
pub(crate) async fn add_evidence<T: Tx>(
    tx: &mut T,
    (tenant, payment): (&TenantSlug, PaymentId),
    piece: &Evidence,
    source: Source,
    env: &Env,
) -> Result<(), StoreError> {
    if !matches!(piece, Evidence::Refund { .. } | Evidence::Dispute { .. }) {
        tx.add_evidence(tenant, payment, piece, source, env.now_ms).await?;
        return Ok(());
    }
    let before = Facts::from_evidence(&tx.evidence(tenant, payment).await?);
    if !tx.add_evidence(tenant, payment, piece, source, env.now_ms).await? {
        return Ok(());
    }
    let (object, news) = match piece {
        Evidence::Refund { refund, status, amount, .. } => {
            let is_news = before.refund_status(refund).is_none_or(|known| known < *status);
            if is_news {
                let due_at_ms = env.now_ms.saturating_add(follow_again_ms(1));
                tx.want_job(tenant, JobKind::FollowRefunds, payment, due_at_ms).await?;
            }
            (refund, is_news.then_some((AlertStatus::from(*status), *amount)))
        }
        Evidence::Dispute { dispute, outcome } => {
            let is_news = before.dispute_outcome(dispute).is_none_or(|known| known < *outcome);
            let total = tx.payment(tenant, payment).await?.map(|it| it.total);
            let told = total.map(|total| (AlertStatus::from(*outcome), total));
            (dispute, told.filter(|_| is_news))
        }
        _ => return Ok(()),
    };
    let Some((status, amount)) = news else { return Ok(()) };
    tell(tx, (tenant, payment), object, (status, amount), env.now_ms).await?;
    let act = AuditAct {
        tenant: tenant.clone(),
        at_ms: env.now_ms,
        who: "Stripe".to_owned(),
        what: status.as_str(),
        detail: format!("{object}: {amount} of payment {payment}"),
    };
    tx.record_act(act).await
}

/// Tells once of money that arrived and that a person has to look at.
pub(crate) async fn tell_of_odd_money<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    reason: AttentionReason,
    env: &Env,
) -> Result<(), StoreError> {
    let status = match reason {
        AttentionReason::PaidTwice => AlertStatus::PaidTwice,
        _ => AlertStatus::MoneyDiffers,
    };
    let (tenant, object) = (&payment.tenant, payment.payment.to_string());
    if tx.alert(tenant, &object).await?.is_some_and(|known| known.status == status) {
        return Ok(());
    }
    let told = (status, payment.total);
    tell(tx, (tenant, payment.payment), &object, told, env.now_ms).await?;
    let act = AuditAct {
        tenant: tenant.clone(),
        at_ms: env.now_ms,
        who: "The gateway".to_owned(),
        what: status.as_str(),
        detail: format!("{} of payment {object}", payment.total),
    };
    tx.record_act(act).await
}

/// Puts a line on the list, or makes a known one new again.
pub(super) async fn tell<T: Tx>(
    tx: &mut T,
    (tenant, payment): (&TenantSlug, PaymentId),
    object: &str,
    (status, amount): (AlertStatus, Money),
    now_ms: i64,
) -> Result<(), StoreError> {
    let was = tx.alert(tenant, object).await?.map(|it| it.status);
    let alert = FinanceAlert {
        tenant: tenant.clone(),
        object: object.to_owned(),
        payment,
        status,
        was,
        amount,
        changed_at_ms: now_ms,
        acknowledged: None,
        written_off: false,
    };
    tx.put_alert(&alert).await
}
