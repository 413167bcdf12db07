//! The people of the office: names, roles, passwords.

use crate::admin::checked_name;
use crate::audit::{self, Act};
use crate::core::Core;
use crate::password;
use crate::sign_in;
use crate::store::{StoreError, WriteTx, rows};
use holdfast_domain::{Secret, TenantSlug};
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use std::fmt;

/// Wrong passwords in a row after which none is looked at for a while.
const FAILURES_MAX: i64 = 5;
/// For how long, in milliseconds: guessing is over, and whoever mistyped can wait or get a link.
const LOCK_MS: i64 = 15 * 60 * 1000;
/// People of one office at the most; they are shown as one list.
const USERS_MAX: i64 = 200;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Administrator,
    /// Payments, deliveries and the audit log; no keys, no people, no handhelds.
    Finance,
    /// Only looks at payments.
    Officer,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Administrator, Self::Finance, Self::Officer];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Finance => "finance",
            Self::Officer => "officer",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What the role may do, for the page that gives it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator: everything",
            Self::Finance => "Finance: payments, deliveries, audit log",
            Self::Officer => "Officer: looks at payments",
        }
    }

    /// True if this role may do what `needed` may do.
    pub(crate) fn covers(self, needed: Self) -> bool {
        let rank = |role| match role {
            Self::Officer => 0,
            Self::Finance => 1,
            Self::Administrator => 2,
        };
        rank(self) >= rank(needed)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Somebody of the office.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) has_password: bool,
    pub(crate) locked_until_ms: i64,
}

pub(crate) fn user_of(row: &SqliteRow) -> Result<User, StoreError> {
    Ok(User {
        number: rows::number(row, "user_number")?,
        name: rows::text(row, "name")?,
        role: Role::parse(&rows::text(row, "role")?).ok_or(StoreError::Damaged("role"))?,
        has_password: !rows::text(row, "password")?.is_empty(),
        locked_until_ms: rows::number(row, "locked_until_ms")?,
    })
}

pub(crate) async fn all(core: &Core, tenant: &TenantSlug) -> Result<Vec<User>, StoreError> {
    let sql = query(
        "SELECT * FROM users WHERE tenant = ? AND status = 'active' ORDER BY user_number LIMIT ?",
    );
    let found = sql.bind(tenant.as_str()).bind(USERS_MAX).fetch_all(&core.store.reads).await?;
    found.iter().map(user_of).collect()
}

pub(crate) async fn user(
    core: &Core,
    tenant: &TenantSlug,
    number: i64,
) -> Result<Option<User>, StoreError> {
    Ok(all(core, tenant).await?.into_iter().find(|it| it.number == number))
}

/// The tenant's first administrator, within the change that makes the tenant.
pub(crate) async fn insert_first(
    tx: &mut WriteTx,
    tenant: &TenantSlug,
    now_ms: i64,
) -> Result<(), StoreError> {
    let sql = query(
        "INSERT INTO users VALUES (?, 1, 'Administrator', 'administrator', 'administrator', '', 0, \
         0, 'active', ?)",
    );
    sql.bind(tenant.as_str()).bind(now_ms).execute(&mut tx.connection).await?;
    Ok(())
}

/// Why nothing was changed about a person; the words stand beside the field.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserError {
    #[error("A name has 1 to 60 characters on one line.")]
    Name,
    #[error("Somebody here has this name already; add a second name or a number.")]
    NameTaken,
    #[error("There are {USERS_MAX} people already; remove somebody first.")]
    Full,
    #[error("This is the only administrator; make somebody else one first.")]
    LastAdministrator,
    #[error("This person is not on the list any more; reload the page.")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds somebody; they choose their password behind a one-time link.
pub(crate) async fn add(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    name: &str,
    role: Role,
) -> Result<User, UserError> {
    let name = checked_name(name).map_err(|_| UserError::Name)?;
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let added = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let count =
                query("SELECT COUNT(*) AS n FROM users WHERE tenant = ? AND status = 'active'");
            let count = count.bind(tenant.as_str()).fetch_one(&mut tx.connection).await;
            if rows::number(&count.map_err(StoreError::Sql)?, "n")? >= USERS_MAX {
                return Err(UserError::Full);
            }
            let sql = query(
                "INSERT INTO users SELECT ?, COALESCE(MAX(user_number), 0) + 1, ?, ?, ?, '', 0, 0, \
                 'active', ? FROM users WHERE tenant = ? ON CONFLICT DO NOTHING RETURNING *",
            );
            let sql = sql.bind(tenant.as_str()).bind(&name).bind(name.to_lowercase());
            let sql = sql.bind(role.as_str()).bind(at_ms).bind(tenant.as_str());
            let row = sql.fetch_optional(&mut tx.connection).await.map_err(StoreError::Sql)?;
            let user = user_of(&row.ok_or(UserError::NameTaken)?)?;
            let detail = format!("{} as {role}", user.name);
            let act = Act { at_ms, who: &who, what: "user_added", detail: &detail };
            audit::record(tx, tenant.as_str(), act).await?;
            Ok(user)
        })
    });
    added.await
}

/// Gives somebody another role, or removes them with `None`. Their sessions end.
pub(crate) async fn change(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    number: i64,
    role: Option<Role>,
) -> Result<(), UserError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query("SELECT * FROM users WHERE tenant = ? AND status = 'active'");
            let found = sql.bind(tenant.as_str()).fetch_all(&mut tx.connection).await;
            let people: Vec<User> =
                found.map_err(StoreError::Sql)?.iter().map(user_of).collect::<Result<_, _>>()?;
            let user = people.iter().find(|it| it.number == number).ok_or(UserError::Gone)?;
            let stays = |it: &&User| it.number != number && it.role == Role::Administrator;
            let loses = user.role == Role::Administrator && role != Some(Role::Administrator);
            if loses && people.iter().find(stays).is_none() {
                return Err(UserError::LastAdministrator);
            }
            let sql =
                query("UPDATE users SET role = ?, status = ? WHERE tenant = ? AND user_number = ?");
            let status = if role.is_some() { "active" } else { "removed" };
            let sql = sql.bind(role.unwrap_or(user.role).as_str()).bind(status);
            let sql = sql.bind(tenant.as_str()).bind(number);
            sql.execute(&mut tx.connection).await.map_err(StoreError::Sql)?;
            sign_in::end_all(tx, &tenant, number, None).await?;
            let (what, detail) = match role {
                Some(role) => ("user_changed", format!("{} is {role} now", user.name)),
                None => ("user_removed", user.name.clone()),
            };
            audit::record(tx, tenant.as_str(), Act { at_ms, who: &who, what, detail: &detail })
                .await?;
            Ok(())
        })
    });
    change.await
}

/// Keeps a new password, already checked. Every other session of the person ends.
pub(crate) async fn set_password(
    core: &Core,
    tenant: &TenantSlug,
    user: &User,
    new: Secret<String>,
    session: &str,
) -> Result<(), StoreError> {
    let kept = password::hash(new, core.world.as_ref()).await?;
    let (tenant, user, at_ms) = (tenant.clone(), user.clone(), core.now_ms());
    let session = session.to_owned();
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE users SET password = ?, failures = 0, locked_until_ms = 0 \
                 WHERE tenant = ? AND user_number = ?",
            );
            let sql = sql.bind(kept).bind(tenant.as_str()).bind(user.number);
            sql.execute(&mut tx.connection).await?;
            sign_in::end_all(tx, &tenant, user.number, Some(&session)).await?;
            let act = Act { at_ms, who: &user.name, what: "password_set", detail: "" };
            audit::record(tx, tenant.as_str(), act).await
        })
    });
    change.await
}

/// Takes somebody's password away, who lost it or should have a new one: all their sessions end, and
/// behind a new link they choose another.
pub(crate) async fn forget_password(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    number: i64,
) -> Result<User, UserError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE users SET password = '', failures = 0, locked_until_ms = 0 WHERE \
                 tenant = ? AND user_number = ? AND status = 'active' RETURNING *",
            );
            let sql = sql.bind(tenant.as_str()).bind(number);
            let row = sql.fetch_optional(&mut tx.connection).await.map_err(StoreError::Sql)?;
            let user = user_of(&row.ok_or(UserError::Gone)?)?;
            sign_in::end_all(tx, &tenant, number, None).await?;
            let act = Act { at_ms, who: &who, what: "password_reset", detail: &user.name };
            audit::record(tx, tenant.as_str(), act).await?;
            Ok(user)
        })
    });
    change.await
}

/// What became of a name and a password.
pub(crate) enum Tried {
    Right(User),
    Wrong,
    /// Too many wrong ones; nothing was looked at.
    Locked,
}

/// Tries a password. Nobody learns whether the name exists, neither by words nor by time.
pub(crate) async fn try_password(
    core: &Core,
    tenant: &TenantSlug,
    name: &str,
    given: Secret<String>,
) -> Result<Tried, StoreError> {
    let sql =
        query("SELECT * FROM users WHERE tenant = ? AND name_folded = ? AND status = 'active'");
    let sql = sql.bind(tenant.as_str()).bind(name.trim().to_lowercase());
    let row = sql.fetch_optional(&core.store.reads).await?;
    let user = row.as_ref().map(user_of).transpose()?;
    let kept = row.as_ref().map(|row| rows::text(row, "password")).transpose()?;
    let right = password::verify(given, kept.as_deref()).await?;
    let Some(user) = user else { return Ok(Tried::Wrong) };
    // After the hash, so that a locked account takes the same time as an open one.
    if user.locked_until_ms > core.now_ms() {
        return Ok(Tried::Locked);
    }
    note_try(core, tenant, &user, right).await?;
    Ok(if right { Tried::Right(user) } else { Tried::Wrong })
}

async fn note_try(
    core: &Core,
    tenant: &TenantSlug,
    user: &User,
    right: bool,
) -> Result<(), StoreError> {
    let (tenant, user, at_ms) = (tenant.clone(), user.clone(), core.now_ms());
    let note = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE users SET failures = CASE WHEN ? THEN 0 ELSE failures + 1 END \
                 WHERE tenant = ? AND user_number = ? RETURNING failures",
            );
            let sql = sql.bind(right).bind(tenant.as_str()).bind(user.number);
            let row = sql.fetch_one(&mut tx.connection).await?;
            if rows::number(&row, "failures")? < FAILURES_MAX {
                return Ok(());
            }
            let sql = query(
                "UPDATE users SET failures = 0, locked_until_ms = ? WHERE tenant = ? \
                 AND user_number = ?",
            );
            let sql = sql.bind(at_ms.saturating_add(LOCK_MS)).bind(tenant.as_str());
            sql.bind(user.number).execute(&mut tx.connection).await?;
            let detail = format!("{FAILURES_MAX} wrong passwords in a row");
            let act = Act { at_ms, who: &user.name, what: "sign_in_locked", detail: &detail };
            audit::record(tx, tenant.as_str(), act).await
        })
    });
    note.await
}
