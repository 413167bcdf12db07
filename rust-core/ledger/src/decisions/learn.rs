//! Evidence comes in; state, order and receipt order ID follow in the same transaction.

use crate::charges::claims::{self, Twice};
use crate::decisions::recover::is_recovering;
use crate::refund::{AuditAct, alert};
use crate::rows::{Attempt, AttemptState, JobKind, Order, Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::charge::Stage;
use holdfast_domain::{
    AttentionReason, Evidence, Facts, Mode, PaymentId, PaymentState, ReceiptOrderId, SessionStatus,
    Standing, TenantSlug,
};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// When a payment is looked at again that nothing can be said about before Stripe was asked, in
/// milliseconds.
const STILL_RECOVERING_MS: i64 = 60_000;

/// When money that arrived twice is looked at again, if a ledger that was put back could not say yet
/// whether it went back already, in milliseconds: the look that is open takes about a second.
const UNCLEAR_AGAIN_MS: i64 = 5_000;

/// Something was learned about a payment.
#[derive(Debug, Clone)]
pub struct Learn {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub payment: PaymentId,
    /// How it was learned.
    pub source: Source,
    /// What.
    pub evidence: Vec<Evidence>,
    /// Stripe's objects that belong to this payment (intent, charge, refund), for later events.
    pub objects: Vec<String>,
}

/// What followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LearnOutcome {
    /// The payment as it stands now.
    Known {
        /// The payment.
        payment: Box<Payment>,
        /// True if the order was made just now.
        order_made: bool,
    },
    /// There is no such payment.
    Unknown,
}

impl Decision for Learn {
    type Outcome = LearnOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<LearnOutcome, StoreError> {
        let Some(before) = tx.payment(&self.tenant, self.payment).await? else {
            return Ok(LearnOutcome::Unknown);
        };
        link_all(tx, &self.tenant, self.payment, &self.objects, env).await?;
        for piece in &self.evidence {
            alert::add_evidence(tx, (&self.tenant, self.payment), piece, self.source, env).await?;
        }
        let after = settle(tx, &self.tenant, self.payment, env).await?;
        Ok(after.map_or(LearnOutcome::Unknown, |payment| LearnOutcome::Known {
            order_made: before.receipt_order_id.is_none() && payment.receipt_order_id.is_some(),
            payment: Box::new(payment),
        }))
    }
}

/// The lifetime of a payment is over.
#[derive(Debug, Clone)]
pub struct EndLifetime {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub payment: PaymentId,
}

impl Decision for EndLifetime {
    /// The payment as it stands now; none if there is no such payment.
    type Outcome = Option<Payment>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Option<Payment>, StoreError> {
        let payment = tx.payment(&self.tenant, self.payment).await?;
        if payment.is_none_or(|payment| payment.lifetime_ends_at_ms > env.now_ms) {
            return Ok(None);
        }
        let end = Evidence::LifetimeEnded;
        tx.add_evidence(&self.tenant, self.payment, &end, Source::Poll, env.now_ms).await?;
        settle(tx, &self.tenant, self.payment, env).await
    }
}

/// Remembers whose these objects are. An event that came before its object was known here is this
/// payment's from now on, and somebody looks again because of it.
pub(crate) async fn link_all<'o, T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    payment: PaymentId,
    objects: impl IntoIterator<Item = &'o String> + Send,
    env: &Env,
) -> Result<(), StoreError> {
    // Collected, because an iterator of a caller's own may not be held over a wait.
    let objects: Vec<&String> = objects.into_iter().collect();
    let mut hinted = false;
    for object in objects {
        if tx.link_object(tenant, object, payment).await? {
            hinted |= tx.claim_events(tenant, object, payment).await?;
        }
    }
    if hinted {
        tx.want_job(tenant, JobKind::CheckSession, payment, env.now_ms).await?;
    }
    Ok(())
}

/// Reads the state off all evidence, disposes of attempts, makes the order, moves claims, and writes
/// the payment if anything about it changed; then the same for each payment that this one touches
/// through a charge of both.
pub(crate) async fn settle<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    id: PaymentId,
    env: &Env,
) -> Result<Option<Payment>, StoreError> {
    let Some((payment, next)) = settle_one(tx, tenant, id, env).await? else { return Ok(None) };
    if next.is_empty() {
        return Ok(Some(payment));
    }
    let mut waiting = VecDeque::from(next);
    while let Some(id) = waiting.pop_front() {
        let Some((_, next)) = settle_one(tx, tenant, id, env).await? else { continue };
        waiting.extend(next);
    }
    // Those may have moved the first one again.
    tx.payment(tenant, id).await
}

/// A payment as it stands, and those that have to be looked at next.
async fn settle_one<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    id: PaymentId,
    env: &Env,
) -> Result<Option<(Payment, Vec<PaymentId>)>, StoreError> {
    let Some(before) = tx.payment(tenant, id).await? else {
        return Ok(None);
    };
    let (standing, followed) = loop {
        let (standing, all_disposed) = stand(tx, &before, env).await?;
        let stage = Stage::of(&standing, all_disposed);
        let followed = claims::follow(tx, &before, stage, env).await?;
        if !followed.learned {
            break (standing, followed);
        }
    };
    let mut after = before.clone();
    after.state = standing.state;
    after.decline = standing.decline;
    after.attention = standing.attention;
    after.held_up = followed.held_up;
    if standing.money_arrived && after.receipt_order_id.is_none() {
        let order = make_order(tx, &after, env).await?;
        end_trial(tx, &after, env).await?;
        after.receipt_order_id = Some(order.receipt_order_id);
        after.paid_at_ms = Some(order.paid_at_ms);
    }
    if after != before {
        after.revision = tx.next_revision(tenant).await?;
        after.changed_at_ms = env.now_ms;
        tx.put_payment(&after).await?;
    }
    if let Some(reason) = after.attention.filter(|_| standing.money_arrived) {
        see_to_odd_money(tx, &after, reason, env).await?;
    }
    Ok(Some((after, followed.next)))
}

/// Money arrived that does not fit: it goes back by itself, or a person is told.
async fn see_to_odd_money<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    reason: AttentionReason,
    env: &Env,
) -> Result<(), StoreError> {
    let twice = match reason {
        AttentionReason::PaidTwice => claims::give_back(tx, payment, env).await?,
        _ => Twice::NeedsPerson,
    };
    match twice {
        Twice::GoesBack => Ok(()),
        Twice::NeedsPerson => alert::tell_of_odd_money(tx, payment, reason, env).await,
        // Not the job that looks at sessions: while that one is open, a restored ledger sends nothing
        // back, and this may well be part of it.
        Twice::Unclear => {
            let due_at_ms = env.now_ms.saturating_add(UNCLEAR_AGAIN_MS);
            tx.want_job(&payment.tenant, JobKind::FollowRefunds, payment.payment, due_at_ms).await
        }
    }
}

/// What all evidence makes of a payment, and whether no attempt of it may take money any more.
async fn stand<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    env: &Env,
) -> Result<(Standing, bool), StoreError> {
    let (tenant, id) = (&payment.tenant, payment.payment);
    let mut evidence = tx.evidence(tenant, id).await?;
    let mut all_disposed = dispose_attempts(tx, tenant, id, &evidence).await?;
    let mut standing = Facts::from_evidence(&evidence).standing(payment.total);
    if all_disposed && is_recovering(tx, tenant, payment.mode).await? {
        // A page may be open that a restored ledger does not know: nothing is proven yet. It is looked
        // at again once Stripe was asked.
        all_disposed = false;
        let due_at_ms = env.now_ms.saturating_add(STILL_RECOVERING_MS);
        tx.want_job(tenant, JobKind::CheckSession, id, due_at_ms).await?;
    }
    if standing.state == PaymentState::CancelRequested && all_disposed {
        // The proof that a cancel waits for: no session takes money any more, and none came.
        tx.add_evidence(tenant, id, &Evidence::Canceled, Source::Act, env.now_ms).await?;
        evidence.push(Evidence::Canceled);
        standing = Facts::from_evidence(&evidence).standing(payment.total);
    }
    Ok((standing, all_disposed))
}

/// An attempt is disposed of once its session is known to be expired or complete. True if none is
/// left that may take money.
async fn dispose_attempts<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    payment: PaymentId,
    evidence: &[Evidence],
) -> Result<bool, StoreError> {
    let mut all_disposed = true;
    for attempt in tx.attempts(tenant, payment).await? {
        if attempt.state == AttemptState::Opened && is_over(&attempt, evidence) {
            let disposed = Attempt { state: AttemptState::Disposed, url: None, ..attempt };
            tx.put_attempt(&disposed).await?;
        } else if attempt.state != AttemptState::Disposed {
            all_disposed = false;
        }
    }
    Ok(all_disposed)
}

fn is_over(attempt: &Attempt, evidence: &[Evidence]) -> bool {
    evidence.iter().any(|piece| match piece {
        Evidence::Session { session, status } => {
            attempt.session.as_ref() == Some(session) && *status != SessionStatus::Open
        }
        _ => false,
    })
}

/// A live payment that was really paid while its type was on trial opens Live Mode to everyone.
async fn end_trial<T: Tx>(tx: &mut T, payment: &Payment, env: &Env) -> Result<(), StoreError> {
    if payment.mode != Mode::Live {
        return Ok(());
    }
    let kind = tx.payment_type(&payment.tenant, &payment.payment_type).await?;
    if kind.is_none_or(|kind| kind.mode != Mode::Live || kind.trial.is_none()) {
        return Ok(());
    }
    tx.end_trial(&payment.tenant, &payment.payment_type).await?;
    let act = AuditAct {
        tenant: payment.tenant.clone(),
        at_ms: env.now_ms,
        who: "Stripe".to_owned(),
        what: "live_mode_opened",
        detail: format!(
            "{}: {} of payment {} was paid",
            payment.payment_type, payment.total, payment.payment
        ),
    };
    tx.record_act(act).await
}

async fn make_order<T: Tx>(tx: &mut T, payment: &Payment, env: &Env) -> Result<Order, StoreError> {
    // First the ID that follows from the payment's own: a ledger that is restored gives the same one
    // again, and the receipt in the payer's hands stays right. Hashed, so that it tells nothing.
    let derived = Sha256::digest(payment.payment.to_string());
    for bits in derived.chunks_exact(5).take(1).chain(env.entropy.chunks_exact(5)) {
        let bits = <[u8; 5]>::try_from(bits).unwrap_or_default();
        let receipt_order_id = ReceiptOrderId::from_bits(bits);
        if tx.receipt_is_taken(&payment.tenant, receipt_order_id).await? {
            continue;
        }
        let order = Order {
            tenant: payment.tenant.clone(),
            payment: payment.payment,
            receipt_order_id,
            paid_at_ms: env.now_ms,
            amount: payment.total,
        };
        tx.add_order(&order).await?;
        return Ok(order);
    }
    // Seven IDs of 40 bits were all taken: run again with other entropy.
    Err(StoreError::new("no free receipt order ID among seven"))
}
