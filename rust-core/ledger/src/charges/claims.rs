//! Moving claims when a payment moves.
//!
//! [`follow`] is called with where a payment stands now. It puts that payment's claims where
//! `holdfast_domain::charge::next_claim` says, tells the other payments on the same charges what this
//! one did, as evidence of theirs, and names those that have to be looked at next. It ends, because
//! each payment that is named got a new piece of evidence or a charge that became free.

use super::Claim;
use crate::refund::{AskRefund, AskRefundOutcome, RefundKey};
use crate::rows::{JobKind, Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::charge::{Received, Stage, goes_back_by_itself, next_claim};
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{
    ChargeReference, ClaimState, Elsewhere, Evidence, Mode, PaymentId, TenantSlug,
};
use holdfast_protocol::wire::Provider;
use holdfast_stripe::objects::RefundReason;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// A charge of this payment that another payment holds.
    pub(crate) held_up: Option<ChargeReference>,
    /// True if this payment has new evidence, so that its state has to be read again.
    pub(crate) learned: bool,
    /// Other payments whose state has to be read again, the longest waiting first.
    pub(crate) next: Vec<PaymentId>,
}

/// A claim, and the claims of other payments on the same charge.
struct Contest {
    mine: Claim,
    others: Vec<Claim>,
}

impl Contest {
    fn another(&self, state: ClaimState) -> Option<&Claim> {
        self.others.iter().find(|other| other.state == state)
    }

    fn is_free(&self) -> bool {
        !self.others.iter().any(|other| other.state.is_settling())
    }
}

/// Puts the claims of a payment where its stage puts them.
pub(crate) async fn follow<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    stage: Stage,
    env: &Env,
) -> Result<Followed, StoreError> {
    let mut followed = Followed::default();
    let contests = contests(tx, payment).await?;
    if stage != Stage::Over {
        for settler in contests.iter().filter_map(|it| it.another(ClaimState::Settled)) {
            let news = settled_by(settler.payment, Elsewhere::Settled);
            followed.learned |= tell(tx, payment.payment, &payment.tenant, &news, env).await?;
        }
    }
    if followed.learned {
        return Ok(followed);
    }
    let all_free = contests.iter().all(Contest::is_free);
    for contest in &contests {
        let another_settled = contest.another(ClaimState::Settled).is_some();
        let state = next_claim(stage, another_settled, all_free);
        if state == ClaimState::Waiting && !contest.is_free() && followed.held_up.is_none() {
            followed.held_up = Some(contest.mine.reference.clone());
        }
        if state != contest.mine.state {
            move_claim(tx, contest, state, &mut followed, env).await?;
        }
    }
    Ok(followed)
}

async fn contests<T: Tx>(tx: &mut T, payment: &Payment) -> Result<Vec<Contest>, StoreError> {
    let mut contests = Vec::new();
    for mine in tx.claims_of(&payment.tenant, payment.payment).await? {
        let mut others = tx.claims_on(&mine.tenant, mine.mode, &mine.reference).await?;
        others.retain(|other| other.payment != mine.payment);
        contests.push(Contest { mine, others });
    }
    Ok(contests)
}

async fn move_claim<T: Tx>(
    tx: &mut T,
    contest: &Contest,
    state: ClaimState,
    followed: &mut Followed,
    env: &Env,
) -> Result<(), StoreError> {
    let (mine, tenant) = (&contest.mine, &contest.mine.tenant);
    if state == ClaimState::Settled {
        for other in contest.others.iter().filter(|it| it.state != ClaimState::Released) {
            // Money outranks whoever held the charge and has none yet.
            tx.put_claim(&Claim { state: ClaimState::Waiting, ..other.clone() }).await?;
            let news = settled_by(mine.payment, Elsewhere::Settled);
            if tell(tx, other.payment, tenant, &news, env).await? {
                // Its card page is closed, if one is open.
                tx.want_job(tenant, JobKind::CheckSession, other.payment, env.now_ms).await?;
                followed.next.push(other.payment);
            }
        }
    }
    tx.put_claim(&Claim { state, ..mine.clone() }).await?;
    if mine.state == ClaimState::Settled {
        for other in &contest.others {
            let knows = settled_by(mine.payment, Elsewhere::Settled);
            if tx.evidence(tenant, other.payment).await?.contains(&knows) {
                let news = settled_by(mine.payment, Elsewhere::Undone);
                tell(tx, other.payment, tenant, &news, env).await?;
            }
        }
    }
    if mine.state.is_settling() && !state.is_settling() {
        followed.next.extend(contest.others.iter().map(|other| other.payment));
    }
    Ok(())
}

fn settled_by(by: PaymentId, standing: Elsewhere) -> Evidence {
    Evidence::SettledElsewhere { by, standing }
}

/// Adds a piece of evidence to a payment; true if it is news.
async fn tell<T: Tx>(
    tx: &mut T,
    payment: PaymentId,
    tenant: &TenantSlug,
    news: &Evidence,
    env: &Env,
) -> Result<bool, StoreError> {
    tx.add_evidence(tenant, payment, news, Source::Act, env.now_ms).await
}

/// How a payment that is not written yet would find the charges: settled by another payment, or
/// held by one.
pub(crate) enum Outlook {
    Free,
    HeldUp(ChargeReference),
    Settled,
}

/// Looks at charges before a payment is written.
pub(crate) async fn outlook<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    mode: Mode,
    references: &[ChargeReference],
) -> Result<Outlook, StoreError> {
    let mut held_up = None;
    for reference in references {
        let claims = tx.claims_on(tenant, mode, reference).await?;
        if claims.iter().any(|claim| claim.state == ClaimState::Settled) {
            return Ok(Outlook::Settled);
        }
        if held_up.is_none() && claims.iter().any(|claim| claim.state.is_settling()) {
            held_up = Some(reference.clone());
        }
    }
    Ok(held_up.map_or(Outlook::Free, Outlook::HeldUp))
}

/// Asks for the refund of money that only came over again. Asked once: the key follows from the
/// payment. What is anything else stays for a person.
pub(crate) async fn give_back<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    env: &Env,
) -> Result<(), StoreError> {
    if !is_the_same_over_again(tx, payment).await? {
        return Ok(());
    }
    let ask = AskRefund {
        tenant: payment.tenant.clone(),
        payment: payment.payment,
        key: RefundKey::automatic(payment.payment),
        amount: RefundAmount::Full,
        reason: "Another payment had settled the same charge.".to_owned(),
        stripe_reason: RefundReason::Duplicate,
        who: "The gateway".to_owned(),
        known: None,
    };
    match ask.decide(tx, env).await? {
        AskRefundOutcome::Asked { new: true, .. } => {
            tracing::info!(payment = %payment.payment, "paid twice; the second goes back");
        }
        AskRefundOutcome::Asked { new: false, .. } => {}
        refused => {
            tracing::warn!(payment = %payment.payment, ?refused, "paid twice; a person must look");
        }
    }
    Ok(())
}

/// True if money of this payment arrived for what another payment had settled in the same way: the
/// same charges and nothing else, the same amount, the same provider. Such money goes back by itself.
pub(crate) async fn is_the_same_over_again<T: Tx>(
    tx: &mut T,
    payment: &Payment,
) -> Result<bool, StoreError> {
    let Some((charges, provider)) = what_for(tx, payment).await? else { return Ok(false) };
    for reference in &charges {
        let claims = tx.claims_on(&payment.tenant, payment.mode, reference).await?;
        let settler = claims.iter().find(|it| it.state == ClaimState::Settled);
        let Some(settler) = settler.filter(|it| it.payment != payment.payment) else {
            return Ok(false);
        };
        let Some(first) = tx.payment(&payment.tenant, settler.payment).await? else {
            return Ok(false);
        };
        let Some((others, by)) = what_for(tx, &first).await? else { return Ok(false) };
        let first = received(&first, &others, by);
        if !goes_back_by_itself(&first, &received(payment, &charges, provider)) {
            return Ok(false);
        }
    }
    Ok(!charges.is_empty())
}

fn received<'a>(
    payment: &Payment,
    charges: &'a [ChargeReference],
    provider: Provider,
) -> Received<'a, Provider> {
    let charges_only = charges.len() == payment.lines.len();
    Received { charges, charges_only, amount: payment.total, provider }
}

/// The charges of a payment, sorted, and who moved its money.
async fn what_for<T: Tx>(
    tx: &mut T,
    payment: &Payment,
) -> Result<Option<(Vec<ChargeReference>, Provider)>, StoreError> {
    let claims = tx.claims_of(&payment.tenant, payment.payment).await?;
    let mut charges: Vec<_> = claims.into_iter().map(|claim| claim.reference).collect();
    charges.sort();
    let kind = tx.payment_type(&payment.tenant, &payment.payment_type).await?;
    Ok(kind.map(|kind| (charges, kind.provider)))
}
