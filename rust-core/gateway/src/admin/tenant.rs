//! Tenants, their host names, and the links that sign their administrators in.

use crate::audit::{self, Act, OPERATOR};
use crate::core::{Core, FolderError, UnknownTenant};
use crate::http::hosts::{NotAHost, parse_host};
use crate::sign_in;
use crate::store::StoreError;
use crate::users;
use crate::vault::{SealError, wrap_new};
use crate::world::SystemWorld;
use holdfast_domain::TenantSlug;
use sqlx::{Row, query};
use std::path::Path;
use std::sync::Arc;

/// Longest name of an organisation or a person, in characters: one line on a handheld.
pub(crate) const NAME_CHARS_MAX: usize = 60;

/// A tenant to add.
#[derive(Debug, Clone)]
pub struct TenantAdd {
    /// Its slug.
    pub tenant: TenantSlug,
    /// Its name; the slug if none is given.
    pub name: Option<String>,
    /// Its host names.
    pub hosts: Vec<String>,
}

/// A link that signs an administrator in, once.
#[derive(Debug, Clone)]
pub struct SignInLink(pub String);

/// Why there is no new tenant, or no link.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The slug is taken.
    #[error("there is a tenant {0} already; choose another slug")]
    SlugTaken(TenantSlug),
    /// A host name belongs to another tenant.
    #[error("the host name {0} belongs to a tenant already; choose another")]
    HostTaken(String),
    /// A host name is none.
    #[error("--host: {0}")]
    Host(#[from] NotAHost),
    /// The name cannot be shown.
    #[error("--name: {0}")]
    Name(#[from] NotAName),
    /// There is no such tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownTenant),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for TenantError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

impl From<SealError> for TenantError {
    fn from(error: SealError) -> Self {
        Self::Folder(error.into())
    }
}

/// The text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {NAME_CHARS_MAX} characters and no line breaks")]
pub struct NotAName;

/// A name without outer spaces, fit to be shown on one line.
pub(crate) fn checked_name(text: &str) -> Result<String, NotAName> {
    let name = text.trim();
    let length = name.chars().count();
    let plain = (1..=NAME_CHARS_MAX).contains(&length) && !name.chars().any(char::is_control);
    plain.then(|| name.to_owned()).ok_or(NotAName)
}

/// Adds a tenant to a data folder.
pub async fn tenant_add(data: &Path, what: TenantAdd) -> Result<SignInLink, TenantError> {
    let tenant = NewTenant::check(what.tenant, what.name, &what.hosts)?;
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let added = async {
        insert_tenant(&core, &tenant).await?;
        Ok(SignInLink(link(&core, &tenant.slug).await?))
    };
    let added = added.await;
    core.close().await;
    added
}

/// Makes a new sign-in link for a tenant's administrator.
pub async fn sign_in_link(data: &Path, tenant: &TenantSlug) -> Result<SignInLink, TenantError> {
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let made = async {
        core.tenant(tenant).await?.ok_or_else(|| UnknownTenant(tenant.clone()))?;
        Ok(SignInLink(link(&core, tenant).await?))
    };
    let made = made.await;
    core.close().await;
    made
}

pub(super) async fn link(core: &Core, tenant: &TenantSlug) -> Result<String, StoreError> {
    let token = sign_in::make_link(core, tenant, OPERATOR, None).await?;
    Ok(format!("{}/sign-in/{token}", core.base_url().await?))
}

/// A tenant whose parts were checked.
pub(super) struct NewTenant {
    pub(super) slug: TenantSlug,
    name: String,
    hosts: Vec<String>,
}

impl NewTenant {
    pub(super) fn check(
        slug: TenantSlug,
        name: Option<String>,
        hosts: &[String],
    ) -> Result<Self, TenantError> {
        let name = checked_name(name.as_deref().unwrap_or(slug.as_str()))?;
        let hosts = hosts.iter().map(|host| parse_host(host)).collect::<Result<_, _>>()?;
        Ok(Self { slug, name, hosts })
    }
}

pub(super) async fn insert_tenant(core: &Core, tenant: &NewTenant) -> Result<(), TenantError> {
    let world = core.world.as_ref();
    let (key, wrapped) = wrap_new(core.vault().master(), tenant.slug.as_str(), 1, world)?;
    let (slug, name, hosts) = (tenant.slug.clone(), tenant.name.clone(), tenant.hosts.clone());
    let (number, now_ms) = (i64::from(key.number()), core.now_ms());
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let connection = &mut tx.connection;
            let sql = query(
                "INSERT INTO tenants (tenant, name, revision, created_at_ms) VALUES (?, ?, 0, ?) \
                 ON CONFLICT DO NOTHING",
            );
            let sql = sql.bind(slug.as_str()).bind(name).bind(now_ms);
            let done = sql.execute(&mut *connection).await.map_err(StoreError::Sql)?;
            if done.rows_affected() == 0 {
                return Err(TenantError::SlugTaken(slug));
            }
            let sql = query(
                "INSERT INTO data_keys (scope, number, wrapped, created_at_ms) VALUES (?, ?, ?, ?)",
            );
            let sql = sql.bind(slug.as_str()).bind(number).bind(wrapped).bind(now_ms);
            sql.execute(&mut *connection).await.map_err(StoreError::Sql)?;
            users::insert_first(tx, &slug, now_ms).await?;
            let act =
                Act { at_ms: now_ms, who: OPERATOR, what: "tenant_added", detail: slug.as_str() };
            audit::record(tx, slug.as_str(), act).await?;
            let connection = &mut tx.connection;
            for host in hosts {
                let sql =
                    query("INSERT INTO hosts (host, tenant) VALUES (?, ?) ON CONFLICT DO NOTHING");
                let sql = sql.bind(&host).bind(slug.as_str());
                let done = sql.execute(&mut *connection).await.map_err(StoreError::Sql)?;
                if done.rows_affected() == 0 {
                    return Err(TenantError::HostTaken(host));
                }
            }
            Ok(())
        })
    });
    insert.await
}

/// The tenant that a host name belongs to alone.
pub(crate) async fn tenant_of_host(
    core: &Core,
    host: &str,
) -> Result<Option<TenantSlug>, StoreError> {
    let sql = query("SELECT tenant FROM hosts WHERE host = ?").bind(host);
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.as_ref().map(|row| crate::store::rows::parsed(row, "tenant")).transpose()
}

/// The host names that belong to the tenant alone.
pub(super) async fn hosts_of(core: &Core, tenant: &TenantSlug) -> Result<Vec<String>, StoreError> {
    let sql = query("SELECT host FROM hosts WHERE tenant = ? ORDER BY host").bind(tenant.as_str());
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(|row| crate::store::rows::text(row, "host")).collect()
}

/// The tenant, if there is no other in this gateway.
pub(crate) async fn only_tenant(core: &Core) -> Result<Option<TenantSlug>, StoreError> {
    let sql = query("SELECT tenant FROM tenants LIMIT 2");
    let found = sql.fetch_all(&core.store.reads).await?;
    match found.as_slice() {
        [one] => Ok(Some(
            one.try_get::<String, _>("tenant")?
                .parse()
                .map_err(|_| StoreError::Damaged("tenant"))?,
        )),
        _ => Ok(None),
    }
}
