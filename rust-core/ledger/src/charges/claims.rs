//! Moving claims when a payment moves.
//!
//! [`follow`] is called with where a payment stands now. It puts that payment's claims where
//! `holdfast_domain::charge::next_claim` says, tells the other payments on the same charges what this
//! one did, as evidence of theirs, and names those that have to be looked at next. It ends, because
//! each payment that is named got a new piece of evidence or a charge that became free.
//!
//! # Money that went back
//!
//! Once all of a payment's money went back, what it had settled is owed again, unless whoever refunded
//! said that the charge is canceled: then it is withdrawn, and the payment keeps its claim, so that
//! nobody pays what is not owed. A refund that fails after all settles the charge again. Money that a bank
//! took back by a dispute leaves the charge settled until a person decides ([`crate::DecideLoss`]). A refund of
//! money that only came over again changes nothing here: it never had settled anything.

use super::{Charge, Claim};
use crate::refund::{AskRefund, AskRefundOutcome, AuditAct, RefundKey, RequestState};
use crate::rows::{JobKind, Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::charge::{Received, Stage, goes_back_by_itself, next_claim};
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{ChargeReference, ClaimState, Elsewhere, Facts, Mode, PaymentId, TenantSlug};
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
            let whom = (&payment.tenant, payment.payment);
            followed.learned |= tell(tx, whom, settler.payment, Elsewhere::Settled, env).await?;
        }
    }
    if followed.learned {
        return Ok(followed);
    }
    let all_free = contests.iter().all(Contest::is_free);
    let canceled = match stage {
        // Whoever said that a loss is owed again has decided after any refund was asked for.
        Stage::Returned if is_owed_after_a_loss(tx, payment).await? => None,
        Stage::Returned => canceled_with_refund(tx, payment).await?,
        Stage::Live | Stage::Unapproved | Stage::Received | Stage::Over => None,
    };
    for contest in &contests {
        if let Some(why) = canceled.as_ref().filter(|_| contest.mine.state == ClaimState::Settled) {
            cancel(tx, &contest.mine, why, env).await?;
            continue;
        }
        let another_settled = contest.another(ClaimState::Settled).is_some();
        let state = next_claim(stage, another_settled, all_free);
        if state == ClaimState::Waiting && !contest.is_free() && followed.held_up.is_none() {
            followed.held_up = Some(contest.mine.reference.clone());
        }
        if state != contest.mine.state {
            move_claim(tx, contest, state, &mut followed, env).await?;
            note_return(tx, payment, &contest.mine, (state, stage), env).await?;
        }
    }
    Ok(followed)
}

async fn is_owed_after_a_loss<T: Tx>(tx: &mut T, payment: &Payment) -> Result<bool, StoreError> {
    let evidence = tx.evidence(&payment.tenant, payment.payment).await?;
    Ok(Facts::from_evidence(&evidence).loss_is_owed_again())
}

/// Why and by whom the charges of a payment were canceled when it was refunded, if they were.
async fn canceled_with_refund<T: Tx>(
    tx: &mut T,
    payment: &Payment,
) -> Result<Option<(String, String)>, StoreError> {
    let requests = tx.refund_requests(&payment.tenant, payment.payment).await?;
    let counts = |state| state != RequestState::Refused;
    let wish = requests.into_iter().rev().find(|it| it.cancels_charges && counts(it.state));
    Ok(wish.map(|it| {
        let why = match it.reason.as_str() {
            "" => "Canceled, and its payment refunded".to_owned(),
            reason => format!("Canceled, and its payment refunded: {reason}"),
        };
        (it.who, why)
    }))
}

/// Withdraws the charge that a payment had settled, unless another payment needs it: what only a trial
/// gave back may be owed in live mode.
async fn cancel<T: Tx>(
    tx: &mut T,
    mine: &Claim,
    (who, why): &(String, String),
    env: &Env,
) -> Result<(), StoreError> {
    let (tenant, reference) = (&mine.tenant, &mine.reference);
    for mode in [Mode::Live, Mode::Test] {
        let claims = tx.claims_on(tenant, mode, reference).await?;
        if claims.iter().any(|it| it.payment != mine.payment && it.state.is_settling()) {
            return Ok(());
        }
    }
    let still_owed = |it: &Charge| it.withdrawn.is_empty();
    let found = tx.charge(tenant, reference).await?;
    let Some(charge) = found.filter(still_owed) else { return Ok(()) };
    let (withdrawn, changed_at_ms) = (why.clone(), charge.changed_next_ms(env.now_ms));
    tx.put_charge(&Charge { withdrawn, changed_at_ms, ..charge }).await?;
    record(tx, mine, (who, "charge_withdrawn", why), env).await
}

/// The audit log hears when money that went back, or came again, moved a charge.
async fn note_return<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    mine: &Claim,
    (state, stage): (ClaimState, Stage),
    env: &Env,
) -> Result<(), StoreError> {
    if mine.state == ClaimState::Settled && stage == Stage::Returned {
        let why = match is_owed_after_a_loss(tx, payment).await? {
            true => format!("the bank took back payment {}", mine.payment),
            false => format!("payment {} was refunded", mine.payment),
        };
        return record(tx, mine, ("The gateway", "charge_owed_again", &why), env).await;
    }
    if state == ClaimState::Settled && mine.returned_at_ms.is_some() {
        let why = format!("the refund of payment {} failed", mine.payment);
        return record(tx, mine, ("The gateway", "charge_settled_again", &why), env).await;
    }
    Ok(())
}

async fn record<T: Tx>(
    tx: &mut T,
    mine: &Claim,
    (who, what, why): (&str, &'static str, &str),
    env: &Env,
) -> Result<(), StoreError> {
    let (tenant, who) = (mine.tenant.clone(), who.to_owned());
    let detail = format!("{}: {why}", mine.reference);
    tx.record_act(AuditAct { tenant, at_ms: env.now_ms, who, what, detail }).await
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
            let whom = (tenant, other.payment);
            if tell(tx, whom, mine.payment, Elsewhere::Settled, env).await? {
                // Its card page is closed, if one is open.
                tx.want_job(tenant, JobKind::CheckSession, other.payment, env.now_ms).await?;
                followed.next.push(other.payment);
            }
        }
    }
    let was_settled = mine.state == ClaimState::Settled;
    let returned_at_ms = match state {
        ClaimState::Settled => None,
        _ if was_settled => Some(env.now_ms),
        _ => mine.returned_at_ms,
    };
    tx.put_claim(&Claim { state, returned_at_ms, ..mine.clone() }).await?;
    if was_settled {
        for other in &contest.others {
            tell(tx, (tenant, other.payment), mine.payment, Elsewhere::Undone, env).await?;
        }
    }
    if mine.state.is_settling() && !state.is_settling() {
        followed.next.extend(contest.others.iter().map(|other| other.payment));
    }
    Ok(())
}

/// Tells a payment what another did with a charge of both; true if it is news to it.
async fn tell<T: Tx>(
    tx: &mut T,
    (tenant, payment): (&TenantSlug, PaymentId),
    by: PaymentId,
    standing: Elsewhere,
    env: &Env,
) -> Result<bool, StoreError> {
    let facts = Facts::from_evidence(&tx.evidence(tenant, payment).await?);
    let Some(news) = facts.news_of(by, standing) else { return Ok(false) };
    tx.add_evidence(tenant, payment, &news, Source::Act, env.now_ms).await
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

/// What becomes of money that arrived twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    /// It goes back by itself.
    GoesBack,
    /// That cannot be said before Stripe was asked.
    Unclear,
    /// A person decides.
    NeedsPerson,
}

/// Asks for the refund of money that only came over again. Asked once: the key follows from the
/// payment. What is anything else stays for a person.
pub(crate) async fn give_back<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    env: &Env,
) -> Result<Twice, StoreError> {
    if !is_the_same_over_again(tx, payment).await? {
        return Ok(Twice::NeedsPerson);
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
        cancels_charges: false,
    };
    Ok(match ask.decide(tx, env).await? {
        AskRefundOutcome::Asked { new: true, .. } => {
            tracing::info!(payment = %payment.payment, "paid twice; the second goes back");
            Twice::GoesBack
        }
        AskRefundOutcome::Asked { new: false, .. } | AskRefundOutcome::UnderWay { .. } => {
            Twice::GoesBack
        }
        AskRefundOutcome::Recovering => Twice::Unclear,
        refused => {
            tracing::warn!(payment = %payment.payment, ?refused, "paid twice; a person must look");
            Twice::NeedsPerson
        }
    })
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
