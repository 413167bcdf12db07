//! How an administrator gets in: a link that works once, then a cookie.

use crate::core::Core;
use crate::store::{StoreError, rows};
use crate::tokens::{self, Kind};
use holdfast_domain::TenantSlug;
use sqlx::query;

/// How long a sign-in link waits to be used, in milliseconds: a day, since whoever installs the
/// gateway is not always who runs it.
pub(crate) const LINK_TTL_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a browser stays signed in, in milliseconds: a long shift.
pub(crate) const SESSION_TTL_MS: i64 = 12 * 60 * 60 * 1000;

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub(crate) struct OfficeSession {
    pub(crate) tenant: TenantSlug,
    /// Goes into every form.
    pub(crate) csrf: String,
    /// What the cookie holds.
    pub(crate) token: String,
}

/// Makes a link's token for a tenant's administrator.
pub(crate) async fn make_link(core: &Core, tenant: &TenantSlug) -> Result<String, StoreError> {
    let token = tokens::new_token(core.world.as_ref())?;
    let hash = tokens::hash(Kind::SignInLink, &token);
    let (tenant, expires_at_ms) = (tenant.clone(), core.now_ms().saturating_add(LINK_TTL_MS));
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO sign_in_links (token_hash, tenant, expires_at_ms, used_at_ms) \
                 VALUES (?, ?, ?, 0)",
            );
            let sql = sql.bind(hash).bind(tenant.as_str()).bind(expires_at_ms);
            sql.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    insert.await?;
    Ok(token)
}

/// True while a link can be used. Looking does not use it.
pub(crate) async fn link_is_good(core: &Core, token: &str) -> Result<bool, StoreError> {
    let sql = query(
        "SELECT 1 FROM sign_in_links WHERE token_hash = ? AND used_at_ms = 0 AND expires_at_ms > ?",
    );
    let sql = sql.bind(tokens::hash(Kind::SignInLink, token)).bind(core.now_ms());
    Ok(sql.fetch_optional(&core.store.reads).await?.is_some())
}

/// Uses a link: the session that it opens, or none if it is used, too old or none of ours.
pub(crate) async fn redeem(core: &Core, link: &str) -> Result<Option<OfficeSession>, StoreError> {
    let now_ms = core.now_ms();
    let token = tokens::new_token(core.world.as_ref())?;
    let session_hash = tokens::hash(Kind::OfficeSession, &token);
    let link_hash = tokens::hash(Kind::SignInLink, link);
    let redeem = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let used = query(
                "UPDATE sign_in_links SET used_at_ms = ? WHERE token_hash = ? AND used_at_ms = 0 \
                 AND expires_at_ms > ? RETURNING tenant",
            );
            let used = used.bind(now_ms).bind(link_hash).bind(now_ms);
            let Some(row) = used.fetch_optional(&mut tx.connection).await? else {
                return Ok(None);
            };
            let tenant: TenantSlug = rows::parsed(&row, "tenant")?;
            let old = query("DELETE FROM office_sessions WHERE expires_at_ms <= ?").bind(now_ms);
            old.execute(&mut tx.connection).await?;
            let insert = query(
                "INSERT INTO office_sessions (token_hash, tenant, expires_at_ms) VALUES (?, ?, ?)",
            );
            let expires_at_ms = now_ms.saturating_add(SESSION_TTL_MS);
            let insert = insert.bind(session_hash).bind(tenant.as_str()).bind(expires_at_ms);
            insert.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(Some(tenant))
        })
    });
    let tenant = redeem.await?;
    Ok(tenant.map(|tenant| OfficeSession { tenant, csrf: tokens::csrf_token(&token), token }))
}

/// The session of a cookie.
pub(crate) async fn session(core: &Core, token: &str) -> Result<Option<OfficeSession>, StoreError> {
    let sql =
        query("SELECT tenant FROM office_sessions WHERE token_hash = ? AND expires_at_ms > ?");
    let sql = sql.bind(tokens::hash(Kind::OfficeSession, token)).bind(core.now_ms());
    let Some(row) = sql.fetch_optional(&core.store.reads).await? else { return Ok(None) };
    Ok(Some(OfficeSession {
        tenant: rows::parsed(&row, "tenant")?,
        csrf: tokens::csrf_token(token),
        token: token.to_owned(),
    }))
}

/// Signs a browser out.
pub(crate) async fn end(core: &Core, token: &str) -> Result<(), StoreError> {
    let hash = tokens::hash(Kind::OfficeSession, token);
    let delete = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query("DELETE FROM office_sessions WHERE token_hash = ?").bind(hash);
            sql.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    delete.await
}
