//! Cash that an officer took and whose order was refused.
//!
//! A card order that is refused costs nobody anything: no card page opens. Cash was taken before the
//! gateway could be asked, so the money is in the officer's pocket although no payment stands for it.
//! The refusal is kept with the reason, on the office's Cash page, until somebody says what was done.

use crate::decisions::accept::Refusal;
use crate::refund::AuditAct;
use crate::rows::Payment;
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{DeviceId, Mode, Money, OfficerId, PaymentId, PaymentTypeCode, TenantSlug};
use holdfast_protocol::SignedOrder;
use holdfast_protocol::wire::{ErrorCode, Provider};

/// An order over cash that the gateway did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCash {
    /// Whose.
    pub tenant: TenantSlug,
    /// The payment that it would have been.
    pub payment: PaymentId,
    /// Held on this handheld.
    pub device: DeviceId,
    /// Its number on that handheld: the provisional receipt in the payer's hands follows from it.
    pub sequence: u64,
    /// Who took the cash.
    pub officer: OfficerId,
    /// By which payment type.
    pub payment_type: PaymentTypeCode,
    /// Training or real money.
    pub mode: Mode,
    /// How much was taken.
    pub amount: Money,
    /// By the handheld's clock, in Unix seconds.
    pub held_at_unix_s: u64,
    /// Why it was refused, as the officer was told.
    pub why: String,
    /// When it was refused first.
    pub refused_at_ms: i64,
    /// What was done about it, by whom and when; none while it waits.
    pub handled: Option<Handled>,
}

/// What was done about cash that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// Who says so.
    pub who: String,
    /// When.
    pub at_ms: i64,
    /// In words.
    pub what: String,
}

/// How many refused orders over cash of one handheld wait for somebody at most. It is more than an officer
/// takes in days; a handheld that is broken, or in the wrong hands, cannot fill the office's Cash page and
/// the database with them.
pub(crate) const WAITING_OF_A_HANDHELD_MAX: u64 = 200;

/// Keeps a refused order, if it was over cash. The same order again changes nothing. Once too many wait,
/// nothing is refused for good: the handheld keeps the order, says so, and brings it again.
pub(super) async fn keep<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    order: &SignedOrder,
    refusal: &Refusal,
    env: &Env,
) -> Result<Result<(), Refusal>, StoreError> {
    let payload = order.payload();
    let kind = tx.payment_type(tenant, &payload.payment_type).await?;
    let is_cash = kind.is_some_and(|kind| kind.provider == Provider::Cash);
    if !is_cash || tx.refused_cash(tenant, payload.payment).await?.is_some() {
        return Ok(Ok(()));
    }
    if tx.refused_cash_waiting(tenant, payload.device).await? >= WAITING_OF_A_HANDHELD_MAX {
        let message = format!(
            "{WAITING_OF_A_HANDHELD_MAX} cash orders of this handheld were refused and wait for the office \
             on the Cash page. This one stays on the handheld, and is sent again by itself. Call the \
             administrator."
        );
        return Ok(Err(Refusal(ErrorCode::RateLimited, message)));
    }
    let refused = RefusedCash {
        tenant: tenant.clone(),
        payment: payload.payment,
        device: payload.device,
        sequence: payload.sequence,
        officer: payload.officer,
        payment_type: payload.payment_type.clone(),
        mode: payload.mode,
        amount: payload.total,
        held_at_unix_s: payload.held_at_unix_s,
        why: refusal.1.clone(),
        refused_at_ms: env.now_ms,
        handled: None,
    };
    tx.put_refused_cash(&refused).await?;
    let detail = format!("{} of payment {}: {}", refused.amount, refused.payment, refused.why);
    note(tx, tenant, ("The gateway", "cash_refused", detail), env).await?;
    Ok(Ok(()))
}

/// The order was taken after all: the handheld was approved meanwhile, say.
pub(super) async fn taken_after_all<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    env: &Env,
) -> Result<(), StoreError> {
    let found = tx.refused_cash(&payment.tenant, payment.payment).await?;
    let Some(refused) = found.filter(|it| it.handled.is_none()) else { return Ok(()) };
    let what = "It was sent again, and taken.".to_owned();
    let handled = Some(Handled { who: "The gateway".to_owned(), at_ms: env.now_ms, what });
    tx.put_refused_cash(&RefusedCash { handled, ..refused }).await
}

/// Somebody says what was done about cash that was refused.
#[derive(Debug, Clone)]
pub struct HandleRefusedCash {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub payment: PaymentId,
    /// Who.
    pub who: String,
    /// What was done, in words; not empty.
    pub what: String,
}

impl Decision for HandleRefusedCash {
    /// False if nothing of that ID waits.
    type Outcome = bool;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<bool, StoreError> {
        let found = tx.refused_cash(&self.tenant, self.payment).await?;
        let Some(refused) = found.filter(|it| it.handled.is_none()) else { return Ok(false) };
        let detail = format!("{} of payment {}: {}", refused.amount, self.payment, self.what);
        let (who, what) = (self.who.clone(), self.what.clone());
        let handled = Some(Handled { who, at_ms: env.now_ms, what });
        tx.put_refused_cash(&RefusedCash { handled, ..refused }).await?;
        note(tx, &self.tenant, (&self.who, "refused_cash_handled", detail), env).await?;
        Ok(true)
    }
}

async fn note<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    (who, what, detail): (&str, &'static str, String),
    env: &Env,
) -> Result<(), StoreError> {
    let (tenant, who) = (tenant.clone(), who.to_owned());
    tx.record_act(AuditAct { tenant, at_ms: env.now_ms, who, what, detail }).await
}
