//! Programs that write charges: each has a credential of its own, shown once and kept as a hash.

use crate::admin::checked_name;
use crate::audit::{self, Act};
use crate::core::Core;
use crate::store::{StoreError, rows};
use crate::tokens::{self, Kind};
use crate::world::NoEntropy;
use holdfast_domain::TenantSlug;
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// What every credential begins with, so that people and scanners know it for one.
const PREFIX: &str = "hfc_";
/// Credentials of one tenant at the most; they are shown as one list.
const CREDENTIALS_MAX: i64 = 20;
/// How often its use is noted, in milliseconds (an hour): the office wants to know whether a program
/// still comes, not each of its calls.
const NOTED_EVERY_MS: i64 = 60 * 60 * 1000;

/// A program's credential.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) ends_with: String,
    pub(crate) created_at_ms: i64,
    /// 0: never.
    pub(crate) used_at_ms: i64,
}

/// Why none was made; the words stand beside the field.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("A name has 1 to 60 characters on one line.")]
    Name,
    #[error("There are {CREDENTIALS_MAX} credentials already; revoke one first.")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// Those that are good.
pub(crate) async fn all(core: &Core, tenant: &TenantSlug) -> Result<Vec<Credential>, StoreError> {
    let sql = query(
        "SELECT * FROM charge_credentials WHERE tenant = ? AND revoked_at_ms = 0 ORDER BY number",
    );
    let found = sql.bind(tenant.as_str()).fetch_all(&core.store.reads).await?;
    found.iter().map(credential).collect()
}

fn credential(row: &SqliteRow) -> Result<Credential, StoreError> {
    Ok(Credential {
        number: rows::number(row, "number")?,
        name: rows::text(row, "name")?,
        ends_with: rows::text(row, "ends_with")?,
        created_at_ms: rows::number(row, "created_at_ms")?,
        used_at_ms: rows::number(row, "used_at_ms")?,
    })
}

/// Makes one. What is returned is shown once and nowhere kept.
pub(crate) async fn make(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    name: &str,
) -> Result<String, CredentialError> {
    let name = checked_name(name).map_err(|_| CredentialError::Name)?;
    let token = format!("{PREFIX}{}", tokens::new_token(core.world.as_ref())?);
    let hash = tokens::hash(Kind::ChargeCredential, &token);
    let ends_with: String =
        token.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let made = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO charge_credentials SELECT ?, COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?, \
                 0, 0 FROM charge_credentials WHERE tenant = ? \
                 HAVING COALESCE(SUM(revoked_at_ms = 0), 0) < ?",
            );
            let sql = sql.bind(tenant.as_str()).bind(&name).bind(hash).bind(&ends_with).bind(at_ms);
            let sql = sql.bind(tenant.as_str()).bind(CREDENTIALS_MAX);
            let done = sql.execute(&mut tx.connection).await.map_err(StoreError::Sql)?;
            if done.rows_affected() == 0 {
                return Err(CredentialError::Full);
            }
            let detail = format!("{name}, ending in {ends_with}");
            let act = Act { at_ms, who: &who, what: "charge_credential_made", detail: &detail };
            Ok(audit::record(tx, tenant.as_str(), act).await?)
        })
    });
    made.await.map(|()| token)
}

/// Takes one back; it is good no more. False if there is none of that number.
pub(crate) async fn revoke(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    number: i64,
) -> Result<bool, StoreError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let revoked = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE charge_credentials SET revoked_at_ms = ? WHERE tenant = ? AND number = ? \
                 AND revoked_at_ms = 0 RETURNING *",
            );
            let sql = sql.bind(at_ms).bind(tenant.as_str()).bind(number);
            let Some(row) = sql.fetch_optional(&mut tx.connection).await? else {
                return Ok(false);
            };
            let gone = credential(&row)?;
            let detail = format!("{}, ending in {}", gone.name, gone.ends_with);
            let act = Act { at_ms, who: &who, what: "charge_credential_revoked", detail: &detail };
            audit::record(tx, tenant.as_str(), act).await?;
            Ok::<_, StoreError>(true)
        })
    });
    revoked.await
}

/// Whose credential this is, within a tenant; none if it is not good there.
pub(crate) async fn holder(
    core: &Core,
    tenant: &TenantSlug,
    token: &str,
) -> Result<Option<Credential>, StoreError> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let sql = query(
        "SELECT * FROM charge_credentials WHERE tenant = ? AND token_hash = ? AND revoked_at_ms = 0",
    );
    let sql = sql.bind(tenant.as_str()).bind(tokens::hash(Kind::ChargeCredential, token));
    let row = sql.fetch_optional(&core.store.reads).await?;
    let Some(found) = row.as_ref().map(credential).transpose()? else { return Ok(None) };
    let now_ms = core.now_ms();
    if now_ms.saturating_sub(found.used_at_ms) > NOTED_EVERY_MS {
        let (tenant, number) = (tenant.clone(), found.number);
        let noted = core.store.writer.run(move |tx| {
            Box::pin(async move {
                let sql = query(
                    "UPDATE charge_credentials SET used_at_ms = ? WHERE tenant = ? AND number = ?",
                );
                let sql = sql.bind(now_ms).bind(tenant.as_str()).bind(number);
                sql.execute(&mut tx.connection).await?;
                Ok::<_, StoreError>(())
            })
        });
        noted.await?;
    }
    Ok(Some(found))
}
