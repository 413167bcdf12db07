//! What Stripe says that a restored ledger has lost.

use crate::decisions::learn::settle;
use crate::recovery::{FoundSession, Recovery, RecoveryKey, RecoveryStage};
use crate::rows::{Attempt, AttemptState, Hint, JobKind, Payment, Source};
use crate::schedule::{PAGE_AGAIN_MS, check_again_ms};
use crate::store::{Decision, Env, StoreError, Tx};
use crate::{RecordEvent, RecordEventOutcome};
use holdfast_domain::{AttentionReason, Evidence, Mode, PaymentId, SessionStatus, TenantSlug};
use std::collections::BTreeMap;

/// The ledger was put back: Stripe has to be asked what it lost.
#[derive(Debug, Clone)]
pub struct BeginRecovery {
    /// One for each set of credentials.
    pub recoveries: Vec<Recovery>,
}

impl Decision for BeginRecovery {
    type Outcome = ();

    async fn decide<T: Tx>(&self, tx: &mut T, _env: &Env) -> Result<(), StoreError> {
        for recovery in &self.recoveries {
            tx.put_recovery(recovery).await?;
        }
        Ok(())
    }
}

/// A page of the list of sessions.
#[derive(Clone)]
pub struct TakeSessions {
    /// Of which recovery.
    pub key: RecoveryKey,
    /// The page that was asked for: one that was taken already changes nothing.
    pub cursor: String,
    /// Sessions on it.
    pub seen: u64,
    /// Those among them that carry our notes.
    pub sessions: Vec<FoundSession>,
    /// The next page's cursor; none if this was the last.
    pub next: Option<String>,
}

impl Decision for TakeSessions {
    /// The recovery as it stands now; none if the page was taken before.
    type Outcome = Option<Recovery>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Option<Recovery>, StoreError> {
        let here = (RecoveryStage::Sessions, self.cursor.as_str());
        let Some(mut recovery) = at(tx, &self.key, here).await? else { return Ok(None) };
        let mut of_payments: BTreeMap<PaymentId, Vec<FoundSession>> = BTreeMap::new();
        for session in &self.sessions {
            of_payments.entry(session.payment).or_default().push(session.clone());
        }
        let mut found = 0_u64;
        for (id, mut sessions) in of_payments {
            sessions.sort_by_key(|session| session.number);
            let new = match tx.payment(&self.key.tenant, id).await? {
                Some(payment) => {
                    let new = adopt(tx, &payment, &sessions, env).await?;
                    settle(tx, &self.key.tenant, id, env).await?;
                    new
                }
                None => keep(tx, &sessions).await?,
            };
            found = found.saturating_add(new);
        }
        recovery.sessions_seen = recovery.sessions_seen.saturating_add(self.seen);
        recovery.sessions_found = recovery.sessions_found.saturating_add(found);
        advance(tx, recovery, self.next.as_deref(), env).await.map(Some)
    }
}

/// A page of the list of events.
#[derive(Clone)]
pub struct TakeEvents {
    /// Of which recovery.
    pub key: RecoveryKey,
    /// As in [`TakeSessions::cursor`].
    pub cursor: String,
    /// Those on it that this gateway follows.
    pub events: Vec<RecordEvent>,
    /// As in [`TakeSessions::next`].
    pub next: Option<String>,
}

impl Decision for TakeEvents {
    /// As in [`TakeSessions`].
    type Outcome = Option<Recovery>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Option<Recovery>, StoreError> {
        let here = (RecoveryStage::Events, self.cursor.as_str());
        let Some(mut recovery) = at(tx, &self.key, here).await? else { return Ok(None) };
        for event in &self.events {
            if event.decide(tx, env).await? != RecordEventOutcome::Duplicate {
                recovery.events_found = recovery.events_found.saturating_add(1);
            }
        }
        advance(tx, recovery, self.next.as_deref(), env).await.map(Some)
    }
}

/// A page of the list of refunds, or of disputes, in place of events that the key may not read.
#[derive(Clone)]
pub struct TakeNamed {
    /// Of which recovery.
    pub key: RecoveryKey,
    /// Which list.
    pub stage: RecoveryStage,
    /// As in [`TakeSessions::cursor`].
    pub cursor: String,
    /// What each of them is of.
    pub hints: Vec<Hint>,
    /// As in [`TakeSessions::next`].
    pub next: Option<String>,
}

impl Decision for TakeNamed {
    /// As in [`TakeSessions`].
    type Outcome = Option<Recovery>;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<Option<Recovery>, StoreError> {
        let tenant = &self.key.tenant;
        let Some(mut recovery) = at(tx, &self.key, (self.stage, &self.cursor)).await? else {
            return Ok(None);
        };
        for hint in &self.hints {
            let id = match hint {
                Hint::Payment(id) => Some(*id),
                Hint::Object(object) => tx.payment_of_object(tenant, object).await?,
                Hint::Nothing => None,
            };
            let Some(id) = id else { continue };
            // Of a payment that is not known yet the session waits for its order, and tells then.
            if tx.payment(tenant, id).await?.is_some() {
                tx.want_job(tenant, JobKind::CheckSession, id, env.now_ms).await?;
                recovery.events_found = recovery.events_found.saturating_add(1);
            }
        }
        advance(tx, recovery, self.next.as_deref(), env).await.map(Some)
    }
}

/// The key may not read this list: what it may read is asked for in its place.
#[derive(Debug, Clone)]
pub struct PassList {
    /// Of which recovery.
    pub key: RecoveryKey,
    /// Which list.
    pub stage: RecoveryStage,
}

impl Decision for PassList {
    type Outcome = ();

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<(), StoreError> {
        let recoveries = tx.recoveries(&self.key.tenant).await?;
        let stands_there = |it: &Recovery| it.key == self.key && it.stage == self.stage;
        let Some(mut recovery) = recoveries.into_iter().find(stands_there) else { return Ok(()) };
        match self.stage {
            RecoveryStage::Events => {
                recovery.stage = RecoveryStage::Refunds;
                recovery.cursor.clear();
                recovery.due_at_ms = env.now_ms.saturating_add(PAGE_AGAIN_MS);
                tx.put_recovery(&recovery).await
            }
            RecoveryStage::Disputes => advance(tx, recovery, None, env).await.map(|_| ()),
            // Without these nothing is proven.
            RecoveryStage::Sessions | RecoveryStage::Refunds | RecoveryStage::Done => Ok(()),
        }
    }
}

/// Stripe could not be asked. It is asked again, later and later.
#[derive(Debug, Clone)]
pub struct PutOffRecovery {
    /// Which.
    pub key: RecoveryKey,
    /// Why, for the administrator.
    pub trouble: String,
}

impl Decision for PutOffRecovery {
    type Outcome = ();

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<(), StoreError> {
        let recoveries = tx.recoveries(&self.key.tenant).await?;
        let Some(mut recovery) = recoveries.into_iter().find(|it| it.key == self.key) else {
            return Ok(());
        };
        recovery.failures = recovery.failures.saturating_add(1);
        recovery.due_at_ms = env.now_ms.saturating_add(check_again_ms(recovery.failures));
        recovery.trouble.clone_from(&self.trouble);
        tx.put_recovery(&recovery).await
    }
}

/// True while the ledger may have lost card pages of this mode.
pub(crate) async fn is_recovering<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    mode: Mode,
) -> Result<bool, StoreError> {
    let is_open = |it: &Recovery| it.key.mode == mode && it.stage != RecoveryStage::Done;
    Ok(tx.recoveries(tenant).await?.iter().any(is_open))
}

/// Makes attempts of sessions that the ledger had lost, lowest number first, and has them looked at.
/// How many it did not know.
///
/// The lost ledger made attempt n+1 only with proof that n takes no money any more, so all but the
/// newest are disposed of. All of them are looked at, whatever follows from that.
pub(crate) async fn adopt<T: Tx>(
    tx: &mut T,
    payment: &Payment,
    sessions: &[FoundSession],
    env: &Env,
) -> Result<u64, StoreError> {
    let (tenant, id) = (&payment.tenant, payment.payment);
    let mut new = 0_u64;
    for found in sessions {
        let attempts = tx.attempts(tenant, id).await?;
        if attempts.iter().any(|it| it.session.as_ref() == Some(&found.session)) {
            continue;
        }
        let taken = attempts.iter().any(|it| it.number == found.number && it.session.is_some());
        let evidence = if taken {
            // Two sessions of one number: only a person can tell what that means. Until then it is
            // looked at like any other, because a payer may be on it.
            put_beside(tx, &attempts, found).await?;
            Evidence::Misfit { reason: AttentionReason::ForeignSession }
        } else {
            put_found(tx, &attempts, found).await?;
            Evidence::Session { session: found.session.clone(), status: found.status }
        };
        tx.link_object(tenant, &found.session, id).await?;
        tx.add_evidence(tenant, id, &evidence, Source::Poll, env.now_ms).await?;
        new = new.saturating_add(1);
    }
    if new > 0 {
        tx.want_job(tenant, JobKind::CheckSession, id, env.now_ms).await?;
    }
    Ok(new)
}

/// A session whose number another one has: over as far as new pages are concerned, and followed.
async fn put_beside<T: Tx>(
    tx: &mut T,
    attempts: &[Attempt],
    found: &FoundSession,
) -> Result<(), StoreError> {
    let last = attempts.iter().map(|it| it.number).max().unwrap_or_default();
    let number = last.saturating_add(1);
    tx.put_attempt(&Attempt { number, ..disposed(found) }).await
}

async fn put_found<T: Tx>(
    tx: &mut T,
    attempts: &[Attempt],
    found: &FoundSession,
) -> Result<(), StoreError> {
    let is_newest = attempts.iter().all(|it| it.number <= found.number);
    let older = |it: &&Attempt| it.number < found.number && it.state != AttemptState::Disposed;
    for attempt in attempts.iter().filter(older).filter(|_| is_newest) {
        let state = AttemptState::Disposed;
        tx.put_attempt(&Attempt { state, url: None, ..attempt.clone() }).await?;
    }
    let is_open = is_newest && found.status == SessionStatus::Open;
    let known = attempts.iter().find(|it| it.number == found.number).cloned();
    let attempt = known.unwrap_or_else(|| disposed(found));
    let state = if is_open { AttemptState::Opened } else { AttemptState::Disposed };
    let url = found.url.clone().filter(|_| is_open);
    let session = Some(found.session.clone());
    tx.put_attempt(&Attempt { state, session, url, ..attempt }).await
}

/// The attempt that a found session was. Its request is lost; it was answered, so it is never sent again.
fn disposed(found: &FoundSession) -> Attempt {
    Attempt {
        tenant: found.tenant.clone(),
        payment: found.payment,
        number: found.number,
        state: AttemptState::Disposed,
        idempotency_key: format!("holdfast-{}-{}", found.payment, found.number),
        frozen_body: String::new(),
        frozen_at_ms: found.created_unix_s.saturating_mul(1000),
        expires_at_unix_s: found.expires_at_unix_s,
        session: Some(found.session.clone()),
        url: None,
    }
}

/// Keeps sessions of a payment that is not known until its order is brought again.
async fn keep<T: Tx>(tx: &mut T, sessions: &[FoundSession]) -> Result<u64, StoreError> {
    let mut new = 0_u64;
    for found in sessions {
        let known = tx.found_sessions(&found.tenant, found.payment).await?;
        if known.iter().all(|it| it.session != found.session) {
            new = new.saturating_add(1);
        }
        tx.put_found_session(found).await?;
    }
    Ok(new)
}

/// The recovery, if it stands where the page belongs.
async fn at<T: Tx>(
    tx: &mut T,
    key: &RecoveryKey,
    (stage, cursor): (RecoveryStage, &str),
) -> Result<Option<Recovery>, StoreError> {
    let stands_there =
        |it: &Recovery| it.key == *key && it.stage == stage && it.cursor.as_str() == cursor;
    Ok(tx.recoveries(&key.tenant).await?.into_iter().find(stands_there))
}

/// On to the next page, or to the next stage.
async fn advance<T: Tx>(
    tx: &mut T,
    mut recovery: Recovery,
    next: Option<&str>,
    env: &Env,
) -> Result<Recovery, StoreError> {
    match (next, recovery.stage) {
        (Some(cursor), _) => recovery.cursor = cursor.to_owned(),
        (None, RecoveryStage::Sessions) => {
            recovery.stage = RecoveryStage::Events;
            recovery.cursor.clear();
        }
        (None, RecoveryStage::Refunds) => {
            recovery.stage = RecoveryStage::Disputes;
            recovery.cursor.clear();
        }
        (None, RecoveryStage::Events | RecoveryStage::Disputes | RecoveryStage::Done) => {
            recovery.stage = RecoveryStage::Done;
            recovery.cursor.clear();
            recovery.finished_at_ms = env.now_ms;
        }
    }
    recovery.failures = 0;
    recovery.trouble.clear();
    recovery.due_at_ms = env.now_ms.saturating_add(PAGE_AGAIN_MS);
    tx.put_recovery(&recovery).await?;
    Ok(recovery)
}
