//! Deliveries of webhooks: each is written down with what became of it and our answer, and read back
//! for the office.
//!
//! - [`about`]: what *Verify webhook* made by itself.
//! - [`bodies`]: how long the bodies of events are kept.
//! - [`refused`]: what is not believed, kept small however much of it comes.
//! - [`secrets`]: signing secrets, and when one may go.
//! - [`senders`]: from which addresses deliveries are taken.
//! - [`repairs`]: payments that moved without a webhook, and why.
//! - [`trouble`]: all of it in plain words, with what to do.
//! - [`replay`]: looking again because of an event.

pub(crate) mod about;
pub(crate) mod bodies;
pub(crate) mod look;
pub(crate) mod refused;
pub(crate) mod repairs;
pub(crate) mod replay;
pub(crate) mod secrets;
pub(crate) mod senders;
pub(crate) mod trouble;

use crate::core::Core;
use crate::store::{StoreError, WriteTx, rows};
use holdfast_domain::TenantSlug;
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// Deliveries on the page.
pub(crate) const SHOWN_MAX: i64 = 100;
/// How far back the page looks for trouble, in milliseconds: a day.
pub(crate) const RECENT_MS: i64 = 24 * 60 * 60 * 1000;
/// How long deliveries are kept, in milliseconds: as long as Stripe keeps its events, 30 days.
const KEPT_MS: i64 = 30 * RECENT_MS;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    /// About a payment of ours, which is looked at.
    Followed,
    /// About something that is not known here, or not yet.
    Waiting,
    /// Of a type that nothing here depends on.
    Needless,
    /// The event was here before.
    Duplicate,
    /// Made by *Verify webhook* itself.
    Check,
    /// Never delivered; found by asking Stripe.
    Found,
    /// A person had it looked at again.
    Replayed,
    /// Without a signature of Stripe's form.
    Unsigned,
    /// No secret is stored.
    NoSecret,
    /// Signed with no secret of ours.
    WrongSecret,
    /// Signed too long ago.
    Clock,
    /// A test event under a live secret, or the other way round.
    WrongMode,
    /// Of a connected account that is none of ours.
    OtherAccount,
    /// Signed well, and not an event.
    NotAnEvent,
    /// Larger than any event.
    TooLarge,
    /// It trickled in.
    TooSlow,
    /// From an address that is not on the list.
    Sender,
    /// To an address that is none.
    WrongAddress,
    /// Refused before causes were told apart.
    Refused,
}

impl Outcome {
    const ALL: [Self; 19] = [
        Self::Followed,
        Self::Waiting,
        Self::Needless,
        Self::Duplicate,
        Self::Check,
        Self::Found,
        Self::Replayed,
        Self::Unsigned,
        Self::NoSecret,
        Self::WrongSecret,
        Self::Clock,
        Self::WrongMode,
        Self::OtherAccount,
        Self::NotAnEvent,
        Self::TooLarge,
        Self::TooSlow,
        Self::Sender,
        Self::WrongAddress,
        Self::Refused,
    ];

    /// The name in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Followed => "followed",
            Self::Waiting => "waiting",
            Self::Needless => "needless",
            Self::Duplicate => "duplicate",
            Self::Check => "check",
            Self::Found => "found",
            Self::Replayed => "replayed",
            Self::Unsigned => "unsigned",
            Self::NoSecret => "no_secret",
            Self::WrongSecret => "wrong_secret",
            Self::Clock => "clock",
            Self::WrongMode => "wrong_mode",
            Self::OtherAccount => "other_account",
            Self::NotAnEvent => "not_an_event",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Sender => "sender",
            Self::WrongAddress => "wrong_address",
            Self::Refused => "refused",
        }
    }

    /// Reads what [`Outcome::as_str`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// In words, for the list.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Followed => "Stored; the payment was looked at",
            Self::Waiting => "Stored; it is about nothing known here yet",
            Self::Needless => "Stored and ignored; this event type is needless here",
            Self::Duplicate => "Was here before; stored once",
            Self::Check => "Stored; it came of Verify webhook",
            Self::Found => "Found by asking Stripe; no delivery came",
            Self::Replayed => "Replayed; the payment was looked at again",
            Self::Unsigned => "Not signed",
            Self::NoSecret => "No secret stored",
            Self::WrongSecret => "Wrong secret",
            Self::Clock => "Clock off",
            Self::WrongMode => "Wrong mode",
            Self::OtherAccount => "Other account",
            Self::NotAnEvent => "Not an event",
            Self::TooLarge => "Too large",
            Self::TooSlow => "Too slow",
            Self::Sender => "Sender not allowed",
            Self::WrongAddress => "Wrong address",
            Self::Refused => "Refused",
        }
    }

    /// True if it was not believed, or not taken.
    pub(crate) fn is_refused(self) -> bool {
        !matches!(
            self,
            Self::Followed
                | Self::Waiting
                | Self::Needless
                | Self::Duplicate
                | Self::Check
                | Self::Found
                | Self::Replayed
        )
    }
}

/// One delivery, as it is written and read.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// In the order in which they came; given when it is written.
    pub(crate) number: i64,
    pub(crate) at_ms: i64,
    /// The path that it came to; empty for what was found by asking.
    pub(crate) address: String,
    /// test or live; empty while nobody believes it.
    pub(crate) mode: String,
    /// The destination of the secret that fits.
    pub(crate) endpoint: String,
    pub(crate) kind: String,
    pub(crate) event: String,
    pub(crate) api_version: String,
    pub(crate) payment: String,
    pub(crate) outcome: Outcome,
    /// What we answered; none if nobody delivered it.
    pub(crate) answer: Option<u16>,
    pub(crate) reason: String,
    pub(crate) sender: String,
}

impl Delivery {
    /// One of which nothing is known but that it came.
    pub(crate) fn unknown(at_ms: i64, outcome: Outcome) -> Self {
        Self {
            number: 0,
            at_ms,
            address: String::new(),
            mode: String::new(),
            endpoint: String::new(),
            kind: String::new(),
            event: String::new(),
            api_version: String::new(),
            payment: String::new(),
            outcome,
            answer: None,
            reason: String::new(),
            sender: String::new(),
        }
    }
}

/// Writes a delivery, within the transaction that stores its event.
pub(crate) async fn record(
    tx: &mut WriteTx,
    tenant: &TenantSlug,
    new: Delivery,
) -> Result<(), StoreError> {
    let sql = query(
        "INSERT INTO deliveries (number, tenant, received_at_ms, address, mode, endpoint, kind, \
         event, api_version, payment, outcome, answer, reason, sender) SELECT \
         COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM deliveries",
    );
    let sql = sql.bind(tenant.as_str()).bind(new.at_ms).bind(new.address).bind(new.mode);
    let sql = sql.bind(new.endpoint).bind(new.kind).bind(new.event).bind(new.api_version);
    let sql = sql.bind(new.payment).bind(new.outcome.as_str());
    let sql = sql.bind(i64::from(new.answer.unwrap_or(0))).bind(new.reason).bind(new.sender);
    sql.execute(&mut tx.connection).await?;
    Ok(())
}

/// The newest deliveries, newest first.
pub(crate) async fn newest(core: &Core, tenant: &TenantSlug) -> Result<Vec<Delivery>, StoreError> {
    let sql = query("SELECT * FROM deliveries WHERE tenant = ? ORDER BY number DESC LIMIT ?");
    let found = sql.bind(tenant.as_str()).bind(SHOWN_MAX).fetch_all(&core.store.reads).await?;
    found.iter().map(delivery).collect()
}

/// Deliveries after a number, oldest first.
pub(crate) async fn after(
    core: &Core,
    tenant: &TenantSlug,
    number: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let sql =
        query("SELECT * FROM deliveries WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?");
    let sql = sql.bind(tenant.as_str()).bind(number).bind(SHOWN_MAX);
    sql.fetch_all(&core.store.reads).await?.iter().map(delivery).collect()
}

fn delivery(row: &SqliteRow) -> Result<Delivery, StoreError> {
    let outcome = Outcome::parse(&rows::text(row, "outcome")?);
    let answer = rows::number(row, "answer")?;
    Ok(Delivery {
        number: rows::number(row, "number")?,
        at_ms: rows::number(row, "received_at_ms")?,
        address: rows::text(row, "address")?,
        mode: rows::text(row, "mode")?,
        endpoint: rows::text(row, "endpoint")?,
        kind: rows::text(row, "kind")?,
        event: rows::text(row, "event")?,
        api_version: rows::text(row, "api_version")?,
        payment: rows::text(row, "payment")?,
        outcome: outcome.ok_or(StoreError::Damaged("outcome"))?,
        answer: u16::try_from(answer).ok().filter(|answer| *answer > 0),
        reason: rows::text(row, "reason")?,
        sender: rows::text(row, "sender")?,
    })
}

/// Forgets what is older than Stripe's own memory, bodies of events among it, and the CLI's secrets that ended.
pub(crate) async fn forget_old(core: &Core) -> Result<(), StoreError> {
    let now_ms = core.now_ms();
    let forget = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let oldest_ms = now_ms.saturating_sub(KEPT_MS);
            // The newest row stays whatever its age: numbers are counted from it.
            let sql = query(
                "DELETE FROM deliveries WHERE received_at_ms < ? AND number < (SELECT MAX(number) \
                 FROM deliveries)",
            );
            sql.bind(oldest_ms).execute(&mut tx.connection).await?;
            let sql = query("DELETE FROM repairs WHERE at_ms < ?");
            sql.bind(oldest_ms).execute(&mut tx.connection).await?;
            let sql = query("DELETE FROM refused_counts WHERE day < ?");
            sql.bind(oldest_ms.div_euclid(RECENT_MS)).execute(&mut tx.connection).await?;
            let sql =
                query("DELETE FROM webhook_secrets WHERE expires_at_ms > 0 AND expires_at_ms < ?");
            sql.bind(now_ms.saturating_sub(RECENT_MS)).execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    forget.await?;
    bodies::prune(core).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_read_back_as_written() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
