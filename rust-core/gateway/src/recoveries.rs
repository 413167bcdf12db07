//! How far a restored gateway has come with asking Stripe, for office and doctor.

use crate::core::Core;
use crate::pages::Moment;
use crate::store::{StoreError, recovery, rows};
use holdfast_domain::TenantSlug;
use holdfast_ledger::recovery::{Recovery, RecoveryStage};
use sqlx::query;

/// How asking stands, over all sets of keys.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    /// When the ledger was put back.
    pub(crate) started_at_ms: i64,
    pub(crate) is_done: bool,
    /// When the last set was done; 0 until then.
    pub(crate) finished_at_ms: i64,
    pub(crate) sessions_seen: u64,
    pub(crate) sessions_found: u64,
    pub(crate) events_found: u64,
    /// What went wrong last, if something did.
    pub(crate) trouble: String,
    /// Card pages that may have been paid, of orders that nobody has brought again yet.
    pub(crate) waiting: i64,
    /// Those among them that were paid.
    pub(crate) paid: i64,
}

/// How asking stands; none where nothing was ever put back.
pub(crate) async fn stand(core: &Core, tenant: &TenantSlug) -> Result<Option<Stand>, StoreError> {
    let sql = query("SELECT * FROM recoveries WHERE tenant = ?").bind(tenant.as_str());
    let found = sql.fetch_all(&core.store.reads).await?;
    let all = found.iter().map(recovery).collect::<Result<Vec<Recovery>, _>>()?;
    let Some(first) = all.first() else { return Ok(None) };
    let sql = query(
        "SELECT COUNT(*) AS n, COALESCE(SUM(is_paid), 0) AS paid FROM found_sessions WHERE tenant = ? AND status <> 'expired'",
    );
    let row = sql.bind(tenant.as_str()).fetch_one(&core.store.reads).await?;
    let sum = |of: fn(&Recovery) -> u64| all.iter().map(of).fold(0, u64::saturating_add);
    let is_done = all.iter().all(|it| it.stage == RecoveryStage::Done);
    let finished_at_ms = all.iter().map(|it| it.finished_at_ms).max().unwrap_or(0);
    Ok(Some(Stand {
        started_at_ms: first.started_at_ms,
        is_done,
        finished_at_ms: if is_done { finished_at_ms } else { 0 },
        sessions_seen: sum(|it| it.sessions_seen),
        sessions_found: sum(|it| it.sessions_found),
        events_found: sum(|it| it.events_found),
        trouble: all
            .iter()
            .map(|it| it.trouble.clone())
            .find(|it| !it.is_empty())
            .unwrap_or_default(),
        waiting: rows::number(&row, "n")?,
        paid: rows::number(&row, "paid")?,
    }))
}

impl Stand {
    /// How it stands, and what that means.
    pub(crate) fn words(&self) -> String {
        let at = Moment::from_ms(self.started_at_ms);
        let Self { sessions_seen: seen, sessions_found: found, events_found: events, .. } = self;
        if self.is_done {
            let finished = Moment::from_ms(self.finished_at_ms);
            return format!(
                "restored from a backup on {at}; by {finished} Stripe had told everything since: {} and {} \
                 that the backup does not have",
                count(*found, "card page"),
                count(*events, "event"),
            );
        }
        let trouble = match self.trouble.as_str() {
            "" => String::new(),
            trouble => format!("; Stripe could not be asked: {trouble}"),
        };
        format!(
            "restored from a backup on {at} and is asking Stripe what happened since: {} looked at, {found} \
             of them new here{trouble}. Until that is done, payers get no new card page and no refund is \
             sent",
            count(*seen, "card page"),
        )
    }

    /// What everybody in the office has to know now.
    pub(crate) fn news(&self) -> Option<String> {
        if self.is_done {
            return self.waiting_words().map(|words| format!("{}; {words}.", self.words()));
        }
        Some(format!("{}.", self.words()))
    }

    /// What waits for a handheld, if anything does.
    pub(crate) fn waiting_words(&self) -> Option<String> {
        let waiting = u64::try_from(self.waiting).unwrap_or(0);
        (self.is_done && waiting > 0).then(|| {
            format!(
                "{} at Stripe, {} of them paid, for orders from after the backup that nobody has brought \
                 again yet; open ones are looked at until they are over. They join by themselves when \
                 their handheld is back online; the administrator asks for handhelds that stay away",
                count(waiting, "card page"),
                self.paid
            )
        })
    }
}

/// So many of something, in words.
fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
