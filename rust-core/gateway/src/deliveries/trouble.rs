//! What is wrong with the webhook lately, in plain words and with what to do.

use super::refused::Refusals;
use super::repairs::Repaired;
use super::secrets::{self, Advice};
use super::{Outcome, RECENT_MS};
use crate::connection::Step;
use crate::core::Core;
use crate::store::{StoreError, rows};
use holdfast_domain::TenantSlug;
use holdfast_stripe::API_VERSION;
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// Event types and versions that are named at the most.
const NAMED_MAX: i64 = 20;

/// How much a matter weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Somebody should act.
    Trouble,
    /// It is over: deliveries were taken since.
    Over,
    /// It works; it could be tidier.
    Advice,
}

/// One matter.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) weight: Weight,
    /// A few words, such as *Wrong secret*.
    pub(crate) cause: &'static str,
    /// What is seen.
    pub(crate) what: String,
    /// What to do.
    pub(crate) todo: String,
}

impl Trouble {
    fn new(cause: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Trouble, cause, what: what.into(), todo: todo.into() }
    }

    fn advice(cause: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Advice, ..Self::new(cause, what, todo) }
    }
}

/// What Stripe said about our webhooks when last asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) asked_at_ms: i64,
    pub(crate) steps: Vec<Step>,
}

/// The findings of every payment type, the oldest time of asking.
pub(crate) async fn books(core: &Core, tenant: &TenantSlug) -> Result<Books, StoreError> {
    let sql = query(
        "SELECT asked_at_ms, findings FROM webhook_looks WHERE tenant = ? AND findings <> '' ORDER \
         BY asked_at_ms",
    );
    let mut books = Books::default();
    for row in sql.bind(tenant.as_str()).fetch_all(&core.store.reads).await? {
        let steps: Vec<Step> = rows::from_json(&rows::text(&row, "findings")?, "findings")?;
        for step in steps {
            // Payment types mostly share one account, and so one endpoint.
            if !books.steps.contains(&step) {
                books.steps.push(step);
            }
        }
        if books.asked_at_ms == 0 {
            books.asked_at_ms = rows::number(&row, "asked_at_ms")?;
        }
    }
    Ok(books)
}

/// Everything that is worth saying, the worst first.
pub(crate) async fn trouble(
    core: &Core,
    refusals: &Refusals,
    tenant: &TenantSlug,
    missed: &[Repaired],
    books: &Books,
) -> Result<Vec<Trouble>, StoreError> {
    let mut all = refused(core, refusals, tenant).await?;
    all.extend(silence(missed));
    all.extend(books.steps.iter().filter(|step| !step.good).map(|step| {
        let (what, todo) = step.words.split_once(". ").unwrap_or((&step.words, ""));
        Trouble::new("At Stripe", what.trim_end_matches('.').to_owned() + ".", todo)
    }));
    all.extend(clock_behind(core, tenant).await?);
    all.extend(old_secrets(core, tenant).await?);
    all.extend(needless(core, tenant).await?);
    all.extend(versions(core, tenant).await?);
    all.sort_by_key(|it| match it.weight {
        Weight::Trouble => 0,
        Weight::Over => 1,
        Weight::Advice => 2,
    });
    Ok(all)
}

/// One for each cause of refusals.
async fn refused(
    core: &Core,
    refusals: &Refusals,
    tenant: &TenantSlug,
) -> Result<Vec<Trouble>, StoreError> {
    let now_ms = core.now_ms();
    let sql = query(
        "SELECT d.outcome, d.reason, d.received_at_ms, COALESCE((SELECT SUM(c.times) FROM \
         refused_counts c WHERE c.tenant = d.tenant AND c.outcome = d.outcome AND c.day >= ?), 0) AS \
         times, COALESCE((SELECT MAX(g.received_at_ms) FROM deliveries g WHERE g.tenant = d.tenant \
         AND g.answer = 200), 0) AS good_at_ms FROM deliveries d WHERE d.number IN (SELECT MAX(number) \
         FROM deliveries WHERE tenant = ? AND answer >= 400 AND received_at_ms > ? GROUP BY outcome) \
         ORDER BY d.number DESC",
    );
    let yesterday = now_ms.div_euclid(RECENT_MS).saturating_sub(1);
    let sql = sql.bind(yesterday).bind(tenant.as_str()).bind(now_ms.saturating_sub(RECENT_MS));
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(|row| refused_one(row, refusals, tenant)).collect()
}

fn refused_one(
    row: &SqliteRow,
    refusals: &Refusals,
    tenant: &TenantSlug,
) -> Result<Trouble, StoreError> {
    let outcome = Outcome::parse(&rows::text(row, "outcome")?);
    let outcome = outcome.ok_or(StoreError::Damaged("outcome"))?;
    let waiting = i64::from(refusals.waiting(tenant, outcome));
    let times = rows::number(row, "times")?.saturating_add(waiting).max(1);
    let times = if times == 1 { "Once".to_owned() } else { format!("{times} times") };
    let reason = rows::text(row, "reason")?;
    // What to do follows in more words, but for an address, which the reason itself gives.
    let reason = match outcome {
        Outcome::WrongAddress => reason.as_str(),
        _ => reason.split(';').next().unwrap_or_default(),
    };
    let is_over = rows::number(row, "good_at_ms")? > rows::number(row, "received_at_ms")?;
    let over = if is_over { " Deliveries were taken since." } else { "" };
    Ok(Trouble {
        weight: if is_over { Weight::Over } else { Weight::Trouble },
        cause: outcome.words(),
        what: format!("{times} since yesterday: {reason}.{over}"),
        todo: todo(outcome).to_owned(),
    })
}

fn todo(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::WrongSecret => {
            "Copy the signing secret of this endpoint and mode from Stripe (Webhooks, Reveal) into \
             Webhook Secret on the Payment Types page. If the sender is not Stripe, there is nothing \
             to do: it was told nothing."
        }
        Outcome::NoSecret => {
            "Register the webhook on the Payment Types page, or enter its signing secret there."
        }
        Outcome::Clock => {
            "Let this machine's clock be set by NTP. Stripe sends the events again by itself."
        }
        Outcome::WrongMode => {
            "Drop the secret below and enter it under the keys of the other mode, on the Payment Types \
             page."
        }
        Outcome::OtherAccount => {
            "At Stripe, let the endpoint listen to events on your own account, not on connected \
             accounts; or add a payment type with a key of that account."
        }
        Outcome::WrongAddress => "",
        Outcome::Sender => "Change the list of allowed senders below.",
        Outcome::Unsigned => {
            "If Stripe is the sender, a proxy in between drops the Stripe-Signature header; let it \
             pass. Else there is nothing to do."
        }
        Outcome::TooLarge | Outcome::TooSlow | Outcome::NotAnEvent => {
            "If Stripe is the sender, look at the proxy in between. Stripe sends the event again by \
             itself."
        }
        _ => "Press Ask Stripe now to see Stripe's side.",
    }
}

/// Payments moved, and nothing at all came.
fn silence(missed: &[Repaired]) -> Option<Trouble> {
    let silent = missed.iter().filter(|it| it.refused.is_none()).count();
    let payments = if silent == 1 { "1 payment".to_owned() } else { format!("{silent} payments") };
    (silent > 0).then(|| {
        Trouble::new(
            "Silence",
            format!(
                "Stripe has sent nothing about {payments} that went on without it. Nothing is lost: \
                 the gateway asked by itself."
            ),
            "Press Ask Stripe now: the address may be wrong, the endpoint disabled, or event types \
             missing. If all is well there, a firewall may keep Stripe out.",
        )
    })
}

async fn clock_behind(core: &Core, tenant: &TenantSlug) -> Result<Option<Trouble>, StoreError> {
    let sql = query(
        "SELECT reason FROM deliveries WHERE tenant = ? AND received_at_ms > ? AND answer = 200 AND \
         reason <> '' ORDER BY number DESC LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(core.now_ms().saturating_sub(RECENT_MS));
    let row = sql.fetch_optional(&core.store.reads).await?;
    let reason = row.map(|row| rows::text(&row, "reason")).transpose()?;
    Ok(reason.map(|reason| {
        Trouble::new(
            "Clock off",
            format!("A delivery was taken, but {reason}."),
            todo(Outcome::Clock),
        )
    }))
}

async fn old_secrets(core: &Core, tenant: &TenantSlug) -> Result<Vec<Trouble>, StoreError> {
    let all = secrets::list(core, tenant).await?;
    let matter = |it: &secrets::SecretView| match it.advice {
        Advice::Roll => Some(Trouble::advice(
            "Old secret",
            format!("{} ({}) is older than 90 days.", it.masked, it.mode),
            "Roll it at Stripe (Webhooks, the endpoint, Roll secret), and enter the new one as Webhook \
             Secret; both are good meanwhile.",
        )),
        Advice::Drop => Some(Trouble::advice(
            "Rolled secret",
            format!("{} ({}) is no longer needed.", it.masked, it.mode),
            "Drop it below.",
        )),
        _ => None,
    };
    Ok(all.iter().filter_map(matter).collect())
}

async fn needless(core: &Core, tenant: &TenantSlug) -> Result<Option<Trouble>, StoreError> {
    let kinds = distinct(
        core,
        tenant,
        "SELECT DISTINCT kind AS name FROM deliveries WHERE tenant = ? AND received_at_ms > ? AND \
         outcome = 'needless' ORDER BY kind LIMIT ?",
    )
    .await?;
    Ok((!kinds.is_empty()).then(|| {
        Trouble::advice(
            "Needless event types",
            format!("Stripe also sends {}. They are stored and ignored.", kinds.join(", ")),
            "Remove them from the endpoint at Stripe, if nobody else needs them.",
        )
    }))
}

async fn versions(core: &Core, tenant: &TenantSlug) -> Result<Option<Trouble>, StoreError> {
    let mut versions = distinct(
        core,
        tenant,
        "SELECT DISTINCT api_version AS name FROM deliveries WHERE tenant = ? AND received_at_ms > ? \
         AND answer = 200 AND api_version <> '' ORDER BY api_version LIMIT ?",
    )
    .await?;
    versions.retain(|version| version != API_VERSION);
    Ok((!versions.is_empty()).then(|| {
        Trouble::advice(
            "Other API version",
            format!(
                "Events came in the API version {}; this gateway speaks {API_VERSION}. They are taken \
                 all the same, because it asks Stripe for the object itself.",
                versions.join(", ")
            ),
            "To have them alike, delete the endpoint at Stripe and press Register the webhook.",
        )
    }))
}

async fn distinct(
    core: &Core,
    tenant: &TenantSlug,
    sql: &'static str,
) -> Result<Vec<String>, StoreError> {
    let since_ms = core.now_ms().saturating_sub(RECENT_MS);
    let sql = query(sql).bind(tenant.as_str()).bind(since_ms).bind(NAMED_MAX);
    sql.fetch_all(&core.store.reads).await?.iter().map(|row| rows::text(row, "name")).collect()
}
