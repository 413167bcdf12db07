//! Writing down what is owed.

use super::{Charge, Claim};
use crate::refund::AuditAct;
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{ChargeReference, ClaimState, Mode, TenantSlug};

/// Writes charges: all of them, or none. What is written already is left as it is.
#[derive(Debug, Clone)]
pub struct PutCharges {
    /// Checked, of one tenant, each reference once. Their times are set here.
    pub charges: Vec<Charge>,
    /// True if a charge that is there may get new contents.
    pub may_change: bool,
    /// When the charge that somebody changes was last changed, as they saw it. If it was changed since,
    /// they did not know and are told first. None for whoever replaces what is there.
    pub seen_ms: Option<i64>,
    /// Who writes, as the audit log shows it.
    pub who: String,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// All are in the ledger.
    Written {
        /// So many are new.
        new: usize,
        /// So many got new contents; the others were there as they are.
        changed: usize,
    },
    /// Nothing was written. Each that stands in the way, by its place in the list.
    Refused(Vec<(usize, ChargeRefused)>),
}

/// Why a charge is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChargeRefused {
    /// The reference is taken.
    #[error("there is another charge of this reference; change that one, or use another reference")]
    Exists,
    /// Somebody changed it meanwhile.
    #[error("somebody changed this charge since you opened it")]
    Changed,
    /// It was withdrawn.
    #[error("a charge of this reference was withdrawn; use another reference")]
    Withdrawn,
    /// A payment holds it.
    #[error("it is being paid just now; cancel that payment first, or wait for it")]
    BeingPaid,
    /// A payment settled it.
    #[error("it has been paid; refund the payment instead")]
    Settled,
}

impl Decision for PutCharges {
    type Outcome = PutOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<PutOutcome, StoreError> {
        let mut refused = Vec::new();
        let mut wanted = Vec::new();
        for (place, charge) in self.charges.iter().enumerate() {
            let known = tx.charge(&charge.tenant, &charge.reference).await?;
            match self.check(tx, charge, known.as_ref()).await? {
                Ok(()) => wanted.push((charge, known)),
                Err(why) => refused.push((place, why)),
            }
        }
        if !refused.is_empty() {
            return Ok(PutOutcome::Refused(refused));
        }
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (charge, known) in wanted {
            match &known {
                None => new.push(charge.reference.as_str()),
                Some(known) if known.says_the_same(charge) => continue,
                Some(_) => changed.push(charge.reference.as_str()),
            }
            let now_ms = env.now_ms;
            let (created_at_ms, changed_at_ms) = known.map_or((now_ms, now_ms), |known| {
                (known.created_at_ms, known.changed_next_ms(now_ms))
            });
            let row = Charge { created_at_ms, changed_at_ms, ..charge.clone() };
            tx.put_charge(&row).await?;
        }
        if let Some(first) =
            self.charges.first().filter(|_| !(new.is_empty() && changed.is_empty()))
        {
            let detail = format!(
                "{} new: {}; {} changed: {}",
                new.len(),
                new.join(" "),
                changed.len(),
                changed.join(" ")
            );
            note(tx, &first.tenant, (&self.who, "charges_written", detail), env).await?;
        }
        Ok(PutOutcome::Written { new: new.len(), changed: changed.len() })
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

impl PutCharges {
    async fn check<T: Tx>(
        &self,
        tx: &mut T,
        charge: &Charge,
        known: Option<&Charge>,
    ) -> Result<Result<(), ChargeRefused>, StoreError> {
        let Some(known) = known else { return Ok(Ok(())) };
        if !known.withdrawn.is_empty() {
            return Ok(Err(ChargeRefused::Withdrawn));
        }
        if known.says_the_same(charge) {
            return Ok(Ok(()));
        }
        if self.seen_ms.is_some_and(|seen_ms| seen_ms != known.changed_at_ms) {
            return Ok(Err(ChargeRefused::Changed));
        }
        if !self.may_change {
            return Ok(Err(ChargeRefused::Exists));
        }
        if known.owes_the_same(charge) {
            return Ok(Ok(()));
        }
        Ok(in_the_way(tx, &known.tenant, &known.reference).await?.map_or(Ok(()), Err))
    }
}

/// Which claim forbids that a charge changes.
async fn in_the_way<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    reference: &ChargeReference,
) -> Result<Option<ChargeRefused>, StoreError> {
    for mode in [Mode::Live, Mode::Test] {
        let claims = tx.claims_on(tenant, mode, reference).await?;
        let is = |state| claims.iter().any(|claim: &Claim| claim.state == state);
        if is(ClaimState::Holding) {
            return Ok(Some(ChargeRefused::BeingPaid));
        }
        // What a trial paid is still owed.
        if mode == Mode::Live && is(ClaimState::Settled) {
            return Ok(Some(ChargeRefused::Settled));
        }
    }
    Ok(None)
}

/// A charge is not owed any more.
#[derive(Debug, Clone)]
pub struct WithdrawCharge {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub reference: ChargeReference,
    /// Why, in words; not empty.
    pub reason: String,
    /// Who withdraws it, as the audit log shows it.
    pub who: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithdrawOutcome {
    /// It is withdrawn, now or since earlier.
    Withdrawn,
    /// It stays.
    Refused(ChargeRefused),
    /// There is no such charge.
    Unknown,
}

impl Decision for WithdrawCharge {
    type Outcome = WithdrawOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<WithdrawOutcome, StoreError> {
        let Some(known) = tx.charge(&self.tenant, &self.reference).await? else {
            return Ok(WithdrawOutcome::Unknown);
        };
        if !known.withdrawn.is_empty() {
            return Ok(WithdrawOutcome::Withdrawn);
        }
        if let Some(why) = in_the_way(tx, &self.tenant, &self.reference).await? {
            return Ok(WithdrawOutcome::Refused(why));
        }
        let withdrawn = self.reason.clone();
        let changed_at_ms = known.changed_next_ms(env.now_ms);
        tx.put_charge(&Charge { withdrawn, changed_at_ms, ..known }).await?;
        let detail = format!("{}: {}", self.reference, self.reason);
        note(tx, &self.tenant, (&self.who, "charge_withdrawn", detail), env).await?;
        Ok(WithdrawOutcome::Withdrawn)
    }
}
