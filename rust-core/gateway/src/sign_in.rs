//! How people get in: a link that works once, or a name with a password; then a cookie.

use crate::audit::{self, Act};
use crate::core::Core;
use crate::store::{StoreError, WriteTx, rows};
use crate::tokens::{self, Kind};
use crate::users::{Role, User, user_of};
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
    pub(crate) user: User,
    /// Goes into every form.
    pub(crate) csrf: String,
    /// What the cookie holds.
    pub(crate) token: String,
}

impl OfficeSession {
    pub(crate) fn may(&self, needed: Role) -> bool {
        self.user.role.covers(needed)
    }
}

/// Makes a link's token for one person; for an operator, none: the first administrator there is.
pub(crate) async fn make_link(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    user: Option<i64>,
) -> Result<String, StoreError> {
    let token = tokens::new_token(core.world.as_ref())?;
    let hash = tokens::hash(Kind::SignInLink, &token);
    let (tenant, at_ms, who) = (tenant.clone(), core.now_ms(), who.to_owned());
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO sign_in_links (token_hash, tenant, expires_at_ms, used_at_ms, \
                 user_number) SELECT ?, tenant, ?, 0, user_number FROM users WHERE tenant = ? AND \
                 status = 'active' AND (user_number = ? OR (? = 0 AND role = 'administrator')) \
                 ORDER BY user_number LIMIT 1",
            );
            let sql = sql.bind(hash).bind(at_ms.saturating_add(LINK_TTL_MS)).bind(tenant.as_str());
            let number = user.unwrap_or(0);
            sql.bind(number).bind(number).execute(&mut tx.connection).await?;
            let detail = user.map_or_else(String::new, |number| format!("for person {number}"));
            let act = Act { at_ms, who: &who, what: "sign_in_link_made", detail: &detail };
            audit::record(tx, tenant.as_str(), act).await
        })
    });
    insert.await?;
    Ok(token)
}

/// Whose link this is, while it can be used. Looking does not use it.
pub(crate) async fn link_owner(core: &Core, token: &str) -> Result<Option<User>, StoreError> {
    let sql = query(
        "SELECT u.* FROM sign_in_links l JOIN users u ON u.tenant = l.tenant AND \
         u.user_number = l.user_number WHERE l.token_hash = ? AND l.used_at_ms = 0 AND \
         l.expires_at_ms > ? AND u.status = 'active'",
    );
    let sql = sql.bind(tokens::hash(Kind::SignInLink, token)).bind(core.now_ms());
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.as_ref().map(user_of).transpose()
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
                 AND expires_at_ms > ? RETURNING tenant, user_number",
            );
            let used = used.bind(now_ms).bind(link_hash).bind(now_ms);
            let Some(row) = used.fetch_optional(&mut tx.connection).await? else {
                return Ok(None);
            };
            let tenant: TenantSlug = rows::parsed(&row, "tenant")?;
            let number = rows::number(&row, "user_number")?;
            let sql = query("SELECT * FROM users WHERE tenant = ? AND user_number = ? AND status = 'active'");
            let sql = sql.bind(tenant.as_str()).bind(number);
            let Some(row) = sql.fetch_optional(&mut tx.connection).await? else { return Ok(None) };
            let user = user_of(&row)?;
            // Whoever got a link is not kept out by somebody else's guesses.
            let unlock = query("UPDATE users SET failures = 0, locked_until_ms = 0 WHERE tenant = ? AND user_number = ?");
            unlock.bind(tenant.as_str()).bind(number).execute(&mut tx.connection).await?;
            insert_session(tx, &tenant, &user, session_hash, now_ms, "with a link").await?;
            Ok::<_, StoreError>(Some((tenant, user)))
        })
    });
    let opened = redeem.await?;
    Ok(opened.map(|(tenant, user)| opened_session(tenant, user, token)))
}

/// Opens a session for somebody whose password was right.
pub(crate) async fn open(
    core: &Core,
    tenant: &TenantSlug,
    user: User,
) -> Result<OfficeSession, StoreError> {
    let now_ms = core.now_ms();
    let token = tokens::new_token(core.world.as_ref())?;
    let hash = tokens::hash(Kind::OfficeSession, &token);
    let (slug, person) = (tenant.clone(), user.clone());
    let open = core.store.writer.run(move |tx| {
        Box::pin(async move {
            insert_session(tx, &slug, &person, hash, now_ms, "with a password").await
        })
    });
    open.await?;
    Ok(opened_session(tenant.clone(), user, token))
}

fn opened_session(tenant: TenantSlug, user: User, token: String) -> OfficeSession {
    OfficeSession { tenant, user, csrf: tokens::csrf_token(&token), token }
}

async fn insert_session(
    tx: &mut WriteTx,
    tenant: &TenantSlug,
    user: &User,
    hash: Vec<u8>,
    now_ms: i64,
    how: &str,
) -> Result<(), StoreError> {
    let old = query("DELETE FROM office_sessions WHERE expires_at_ms <= ?").bind(now_ms);
    old.execute(&mut tx.connection).await?;
    let insert = query(
        "INSERT INTO office_sessions (token_hash, tenant, expires_at_ms, user_number) \
         VALUES (?, ?, ?, ?)",
    );
    let insert = insert.bind(hash).bind(tenant.as_str());
    let insert = insert.bind(now_ms.saturating_add(SESSION_TTL_MS)).bind(user.number);
    insert.execute(&mut tx.connection).await?;
    let act = Act { at_ms: now_ms, who: &user.name, what: "signed_in", detail: how };
    audit::record(tx, tenant.as_str(), act).await
}

/// The session of a cookie, while its person is still on the list.
pub(crate) async fn session(core: &Core, token: &str) -> Result<Option<OfficeSession>, StoreError> {
    let sql = query(
        "SELECT u.* FROM office_sessions s JOIN users u ON u.tenant = s.tenant AND \
         u.user_number = s.user_number WHERE s.token_hash = ? AND s.expires_at_ms > ? AND \
         u.status = 'active'",
    );
    let sql = sql.bind(tokens::hash(Kind::OfficeSession, token)).bind(core.now_ms());
    let Some(row) = sql.fetch_optional(&core.store.reads).await? else { return Ok(None) };
    let tenant = rows::parsed(&row, "tenant")?;
    Ok(Some(opened_session(tenant, user_of(&row)?, token.to_owned())))
}

/// Signs a browser out.
pub(crate) async fn end(core: &Core, session: &OfficeSession) -> Result<(), StoreError> {
    let hash = tokens::hash(Kind::OfficeSession, &session.token);
    let (tenant, name) = (session.tenant.clone(), session.user.name.clone());
    let at_ms = core.now_ms();
    let delete = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query("DELETE FROM office_sessions WHERE token_hash = ?").bind(hash);
            sql.execute(&mut tx.connection).await?;
            let act = Act { at_ms, who: &name, what: "signed_out", detail: "" };
            audit::record(tx, tenant.as_str(), act).await
        })
    });
    delete.await
}

/// Ends every session of a person but this one, and every link that was not used.
pub(crate) async fn end_all(
    tx: &mut WriteTx,
    tenant: &TenantSlug,
    user: i64,
    but: Option<&str>,
) -> Result<(), StoreError> {
    let kept = but.map(|token| tokens::hash(Kind::OfficeSession, token)).unwrap_or_default();
    let sql = query(
        "DELETE FROM office_sessions WHERE tenant = ? AND user_number = ? AND token_hash <> ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(user).bind(kept);
    sql.execute(&mut tx.connection).await?;
    let links =
        query("DELETE FROM sign_in_links WHERE tenant = ? AND user_number = ? AND used_at_ms = 0");
    links.bind(tenant.as_str()).bind(user).execute(&mut tx.connection).await?;
    Ok(())
}
