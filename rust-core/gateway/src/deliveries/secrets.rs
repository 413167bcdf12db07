//! Signing secrets of webhooks: a list for each account, mode and endpoint, shared by payment types.
//!
//! While a secret is rolled at Stripe, Stripe signs with the old and the new one for up to a day, and
//! here both are good for as long as both are stored: no event is lost, whichever is entered first. The
//! old one is safe to drop once a newer one of its endpoint is in use and, for a day, nothing came
//! that only the old one fits.

use super::RECENT_MS;
use crate::audit::{self, Act};
use crate::core::Core;
use crate::credentials::KnownSecret;
use crate::store::{StoreError, WriteTx, rows};
use holdfast_domain::{Mode, TenantSlug};
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// A signing secret older than this, in milliseconds, should be rolled: 90 days.
const AGE_MS_MAX: i64 = 90 * RECENT_MS;
/// For how long Stripe signs with both secrets while one is rolled, in milliseconds: a day at most.
const ROLLING_MS: i64 = RECENT_MS;
/// How often the use of a secret is written down, in milliseconds.
const USE_NOTED_MS: i64 = 60_000;

/// What is to be done about a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// The Stripe CLI's; it ends by itself.
    Temporary,
    /// Nothing needs it any more.
    Drop,
    /// A newer one is in use; this one may still be needed until then, in milliseconds.
    Keep(i64),
    /// Older than 90 days.
    Roll,
    /// Nothing has come with it yet.
    Unused,
    /// Nothing.
    InUse,
}

/// A signing secret, masked, with what to do about it.
#[derive(Debug, Clone)]
pub(crate) struct SecretView {
    pub(crate) mode: Mode,
    pub(crate) number: i64,
    pub(crate) account: String,
    pub(crate) endpoint: String,
    pub(crate) masked: String,
    pub(crate) added_ms: i64,
    pub(crate) first_used_ms: i64,
    pub(crate) last_used_ms: i64,
    /// When a delivery last came that fits this secret and no other of ours.
    pub(crate) alone_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) advice: Advice,
}

impl SecretView {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            mode: rows::mode(row)?,
            number: rows::number(row, "number")?,
            account: rows::text(row, "account")?,
            endpoint: rows::text(row, "endpoint")?,
            masked: rows::text(row, "secret_masked")?,
            added_ms: rows::number(row, "created_at_ms")?,
            first_used_ms: rows::number(row, "first_used_at_ms")?,
            last_used_ms: rows::number(row, "last_used_at_ms")?,
            alone_ms: rows::number(row, "alone_at_ms")?,
            expires_ms: rows::number(row, "expires_at_ms")?,
            advice: Advice::InUse,
        })
    }

    /// True if both may be secrets of one endpoint. What was not told may be anything.
    fn may_share_endpoint(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        self.mode == other.mode
            && same(&self.account, &other.account)
            && same(&self.endpoint, &other.endpoint)
    }

    fn advice(&self, all: &[Self], now_ms: i64) -> Advice {
        if self.expires_ms > 0 {
            return Advice::Temporary;
        }
        let newer = all
            .iter()
            .filter(|it| it.number > self.number && it.expires_ms == 0 && it.first_used_ms > 0);
        let replaced_ms =
            newer.filter(|it| self.may_share_endpoint(it)).map(|it| it.first_used_ms).min();
        if let Some(replaced_ms) = replaced_ms {
            let until_ms = replaced_ms.max(self.alone_ms).saturating_add(ROLLING_MS);
            return if until_ms <= now_ms { Advice::Drop } else { Advice::Keep(until_ms) };
        }
        match self.last_used_ms {
            _ if now_ms.saturating_sub(self.added_ms) > AGE_MS_MAX => Advice::Roll,
            0 => Advice::Unused,
            _ => Advice::InUse,
        }
    }
}

/// The signing secrets of a tenant, test before live, newest first.
pub(crate) async fn list(core: &Core, tenant: &TenantSlug) -> Result<Vec<SecretView>, StoreError> {
    let now_ms = core.now_ms();
    let sql = query(
        "SELECT * FROM webhook_secrets WHERE tenant = ? AND (expires_at_ms = 0 OR expires_at_ms > ?) \
         ORDER BY mode DESC, number DESC",
    );
    let found = sql.bind(tenant.as_str()).bind(now_ms).fetch_all(&core.store.reads).await?;
    let all: Vec<SecretView> = found.iter().map(SecretView::read).collect::<Result<_, _>>()?;
    let advised = |it: &SecretView| SecretView { advice: it.advice(&all, now_ms), ..it.clone() };
    Ok(all.iter().map(advised).collect())
}

/// What a delivery teaches about the secrets that it was signed with; written with the delivery.
pub(crate) struct Use {
    mode: Mode,
    number: i64,
    alone: bool,
}

/// The uses that are worth a note: not more than one a minute for each secret.
pub(crate) fn uses<'k>(
    matched: impl Iterator<Item = &'k KnownSecret> + Clone,
    now_ms: i64,
) -> Vec<Use> {
    let alone = matched.clone().count() == 1;
    let long_ago = |at_ms: i64| now_ms.saturating_sub(at_ms) > USE_NOTED_MS;
    let worth_it =
        |it: &&KnownSecret| long_ago(it.last_used_at_ms) || (alone && long_ago(it.alone_at_ms));
    matched.filter(worth_it).map(|it| Use { mode: it.mode, number: it.number, alone }).collect()
}

/// Notes that a delivery was signed with a secret.
pub(crate) async fn note_use(
    tx: &mut WriteTx,
    tenant: &TenantSlug,
    used: &Use,
    now_ms: i64,
) -> Result<(), StoreError> {
    let sql = query(
        "UPDATE webhook_secrets SET last_used_at_ms = ?, first_used_at_ms = CASE WHEN \
         first_used_at_ms = 0 THEN ? ELSE first_used_at_ms END, alone_at_ms = CASE WHEN ? = 1 THEN ? \
         ELSE alone_at_ms END WHERE tenant = ? AND mode = ? AND number = ?",
    );
    let sql = sql.bind(now_ms).bind(now_ms).bind(i64::from(used.alone)).bind(now_ms);
    let sql = sql.bind(tenant.as_str()).bind(used.mode.as_str()).bind(used.number);
    sql.execute(&mut tx.connection).await?;
    Ok(())
}

/// Drops a signing secret. True if it was there.
pub(crate) async fn remove(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    mode: Mode,
    number: i64,
) -> Result<bool, StoreError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "DELETE FROM webhook_secrets WHERE tenant = ? AND mode = ? AND number = ? RETURNING \
                 secret_masked, endpoint",
            );
            let sql = sql.bind(tenant.as_str()).bind(mode.as_str()).bind(number);
            let Some(row) = sql.fetch_optional(&mut tx.connection).await? else { return Ok(false) };
            let (masked, endpoint) =
                (rows::text(&row, "secret_masked")?, rows::text(&row, "endpoint")?);
            let detail = format!("{mode} {masked} {endpoint}");
            let act = Act { at_ms, who: &who, what: "webhook_secret_dropped", detail: &detail };
            audit::record(tx, tenant.as_str(), act).await?;
            Ok::<_, StoreError>(true)
        })
    });
    write.await
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = RECENT_MS;

    fn secret(number: i64, endpoint: &str, used: (i64, i64)) -> SecretView {
        SecretView {
            mode: Mode::Test,
            number,
            account: String::new(),
            endpoint: endpoint.into(),
            masked: String::new(),
            added_ms: 0,
            first_used_ms: used.0,
            last_used_ms: used.0.max(used.1),
            alone_ms: used.1,
            expires_ms: 0,
            advice: Advice::InUse,
        }
    }

    #[test]
    fn the_old_one_may_go_a_day_after_it_was_last_needed_alone() {
        let old = secret(1, "we_1", (1, 10));
        for (new, now_ms, advice) in [
            (secret(2, "we_1", (0, 0)), 2 * DAY, Advice::InUse),
            (secret(2, "we_1", (5, 0)), DAY, Advice::Keep(10 + DAY)),
            (secret(2, "we_1", (20, 0)), 10 + DAY, Advice::Keep(20 + DAY)),
            (secret(2, "we_1", (20, 0)), 20 + DAY, Advice::Drop),
            (secret(2, "we_2", (20, 0)), 20 + DAY, Advice::InUse),
            (secret(2, "", (20, 0)), 20 + DAY, Advice::Drop),
            (
                SecretView { expires_ms: 9 * DAY, ..secret(2, "we_1", (20, 0)) },
                20 + DAY,
                Advice::InUse,
            ),
            (
                SecretView { mode: Mode::Live, ..secret(2, "we_1", (20, 0)) },
                20 + DAY,
                Advice::InUse,
            ),
        ] {
            let all = [new, old.clone()];
            assert_eq!(old.advice(&all, now_ms), advice, "{all:?}");
        }
    }

    #[test]
    fn a_secret_is_to_be_rolled_after_ninety_days() {
        let it = secret(1, "we_1", (1, 1));
        assert_eq!(it.advice(&[], 90 * DAY), Advice::InUse);
        assert_eq!(it.advice(&[], 90 * DAY + 1), Advice::Roll);
        assert_eq!(secret(1, "we_1", (0, 0)).advice(&[], DAY), Advice::Unused);
    }
}
