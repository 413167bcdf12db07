//! Officers, and the handhelds they use.

use super::tenant::{NotAName, checked_name};
use crate::audit::{self, OPERATOR};
use crate::core::{Core, FolderError, UnknownTenant};
use crate::handhelds::{self, Handheld, NewCode};
use crate::store::{StoreError, rows};
use crate::world::SystemWorld;
use holdfast_domain::{DeviceId, OfficerId, TenantSlug};
use sqlx::query;
use std::path::Path;
use std::sync::Arc;

/// Why no officer was added.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// The name cannot be shown.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// There is one of that name.
    #[error("there is an officer named {0} already; add a second name or a number")]
    NameTaken(String),
    /// There is no such tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownTenant),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for OfficerError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

/// Adds an officer; the number counts from 1 within the tenant.
pub async fn officer_add(
    data: &Path,
    tenant: &TenantSlug,
    name: &str,
) -> Result<OfficerId, OfficerError> {
    let name = checked_name(name)?;
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let added = async {
        let added = insert_officer(&core, tenant.clone(), name.clone()).await?;
        audit::note(&core, tenant, OPERATOR, "officer_added", &name).await?;
        Ok(added)
    };
    let added = added.await;
    core.close().await;
    added
}

pub(crate) async fn insert_officer(
    core: &Core,
    tenant: TenantSlug,
    name: String,
) -> Result<OfficerId, OfficerError> {
    core.tenant(&tenant).await?.ok_or_else(|| UnknownTenant(tenant.clone()))?;
    let now_ms = core.now_ms();
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO officers (tenant, officer, name, created_at_ms) SELECT ?, \
                 COALESCE(MAX(officer), 0) + 1, ?, ? FROM officers WHERE tenant = ? \
                 ON CONFLICT (tenant, name) DO NOTHING RETURNING officer",
            );
            let sql = sql.bind(tenant.as_str()).bind(&name).bind(now_ms).bind(tenant.as_str());
            let row = sql.fetch_optional(&mut tx.connection).await.map_err(StoreError::Sql)?;
            let row = row.ok_or_else(|| OfficerError::NameTaken(name.clone()))?;
            Ok(OfficerId(rows::small(&row, "officer")?))
        })
    });
    insert.await
}

/// A code that enrols one handheld.
#[derive(Debug, Clone)]
pub struct EnrolCode {
    /// What the handheld scans or its user types.
    pub link: String,
    /// The code alone, `XXXX-XXXX`.
    pub code: String,
    /// The officer whom enrolment names.
    pub officer: String,
    /// For how long it is good, in seconds.
    pub expires_in_s: u64,
}

/// A handheld that was approved.
#[derive(Debug, Clone)]
pub struct Approved {
    /// What it calls itself.
    pub name: String,
    /// The six digits that stand on its screen.
    pub six_digits: String,
}

/// Why there is no code, or no approval.
#[derive(Debug, thiserror::Error)]
pub enum HandheldError {
    /// There is nobody to name.
    #[error("there are no officers yet; add one with `holdfast officer add NAME`")]
    NoOfficers,
    /// There are several and none was named.
    #[error("there are several officers; name one with --officer ({0})")]
    WhichOfficer(String),
    /// Nobody has that name.
    #[error("there is no officer {0}; add one with `holdfast officer add NAME`")]
    UnknownOfficer(String),
    /// There is no such handheld.
    #[error("there is no handheld {0}; the Handhelds page lists them")]
    UnknownHandheld(DeviceId),
    /// It was revoked.
    #[error("the handheld {0} was revoked; enrol it again with a new code")]
    Revoked(DeviceId),
    /// There is no such tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownTenant),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for HandheldError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

/// Makes a one-time code. With `approved` the handheld needs no approval afterwards.
pub async fn handheld_code(
    data: &Path,
    tenant: &TenantSlug,
    officer: Option<&str>,
    approved: bool,
) -> Result<EnrolCode, HandheldError> {
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let made = make_code(&core, tenant, officer, approved).await;
    core.close().await;
    made
}

async fn make_code(
    core: &Core,
    tenant: &TenantSlug,
    officer: Option<&str>,
    approved: bool,
) -> Result<EnrolCode, HandheldError> {
    core.tenant(tenant).await?.ok_or_else(|| UnknownTenant(tenant.clone()))?;
    let officers = handhelds::officers(core, tenant).await?;
    let names = || officers.iter().map(|o| o.name.clone()).collect::<Vec<_>>().join(", ");
    let chosen = match (officer, officers.as_slice()) {
        (_, []) => return Err(HandheldError::NoOfficers),
        (None, [only]) => only,
        (None, _) => return Err(HandheldError::WhichOfficer(names())),
        (Some(name), all) => all
            .iter()
            .find(|officer| officer.name == name.trim())
            .ok_or_else(|| HandheldError::UnknownOfficer(name.to_owned()))?,
    };
    let base_url = core.base_url().await?;
    let NewCode { link, expires_in_s } =
        handhelds::new_code(core, tenant, chosen.id, approved, &base_url).await?;
    let detail = format!("for {}", chosen.name);
    audit::note(core, tenant, OPERATOR, "handheld_code_made", &detail).await?;
    let code = link.code.to_string();
    Ok(EnrolCode { link: link.to_string(), code, officer: chosen.name.clone(), expires_in_s })
}

/// Approves a pending handheld. Whoever does it has compared the six digits.
pub async fn handheld_approve(
    data: &Path,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<Approved, HandheldError> {
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let approved = approve(&core, tenant, device).await;
    core.close().await;
    approved
}

async fn approve(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<Approved, HandheldError> {
    core.tenant(tenant).await?.ok_or_else(|| UnknownTenant(tenant.clone()))?;
    let found = handhelds::handheld(core, tenant, device).await?;
    let Handheld { name, six_digits, status, .. } =
        found.ok_or(HandheldError::UnknownHandheld(device))?;
    if status == holdfast_ledger::DeviceStatus::Revoked {
        return Err(HandheldError::Revoked(device));
    }
    handhelds::approve(core, tenant, device, &six_digits).await?;
    audit::note(core, tenant, OPERATOR, "handheld_approved", &device.to_string()).await?;
    Ok(Approved { name, six_digits })
}

/// Revokes a handheld for good: its new orders are refused, what was accepted stays.
pub async fn handheld_revoke(
    data: &Path,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<(), HandheldError> {
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let revoked = async {
        let revoked = handhelds::revoke(&core, tenant, device).await?;
        if revoked {
            audit::note(&core, tenant, OPERATOR, "handheld_revoked", &device.to_string()).await?;
        }
        Ok::<_, StoreError>(revoked)
    };
    let revoked = revoked.await;
    core.close().await;
    if revoked? { Ok(()) } else { Err(HandheldError::UnknownHandheld(device)) }
}
