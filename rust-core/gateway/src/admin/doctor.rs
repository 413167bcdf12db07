//! `holdfast doctor`: looks at everything that can be wrong with an installation, changes nothing, and
//! says of each thing what to do.

mod reach;
mod recovery;
mod stripe;

use crate::audit::{self, Chain};
use crate::core::{Core, FolderError};
use crate::credentials;
use crate::handhelds;
use crate::store::StoreError;
use crate::urls::PublicUrl;
use crate::world::SystemWorld;
use holdfast_domain::TenantSlug;
use sqlx::{Row, query};
use std::path::Path;
use std::sync::Arc;

/// Free space below which the doctor warns, in bytes: a busy day writes some hundred megabytes at
/// the most, and a full disk refuses payments.
const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// It works, and somebody should look at it.
    Advice,
    /// It has to be mended.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How it is.
    pub health: Health,
    /// What was looked at.
    pub what: String,
    /// How it is, in words, and what to do.
    pub words: String,
}

impl Finding {
    fn new(health: Health, what: impl Into<String>, words: impl Into<String>) -> Self {
        Self { health, what: what.into(), words: words.into() }
    }

    fn good(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(Health::Good, what, words)
    }

    fn bad(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(Health::Bad, what, words)
    }

    fn advice(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(Health::Advice, what, words)
    }
}

/// Looks at a data folder.
pub async fn doctor(data: &Path) -> Result<Vec<Finding>, FolderError> {
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let findings = examine(&core, data).await;
    core.close().await;
    findings
}

async fn examine(core: &Core, data: &Path) -> Result<Vec<Finding>, FolderError> {
    let mut findings = vec![Finding::good("master key", "it opens this database")];
    findings.push(disk(data));
    findings.push(database(core).await?);
    findings.push(public_url(core).await?);
    for chain in audit::chains(core).await? {
        findings.push(audit_chain(core, &chain).await?);
    }
    for tenant in tenants(core).await? {
        findings.push(secrets(core, &tenant).await?);
        findings.extend(recovery::examine(core, &tenant).await?);
        findings.extend(stripe::examine(core, &tenant).await?);
        findings.extend(reach::examine(core, &tenant).await?);
    }
    Ok(findings)
}

async fn tenants(core: &Core) -> Result<Vec<TenantSlug>, StoreError> {
    let found = query("SELECT tenant FROM tenants ORDER BY tenant").fetch_all(&core.store.reads);
    found.await?.iter().map(|row| crate::store::rows::parsed(row, "tenant")).collect()
}

fn disk(data: &Path) -> Finding {
    let Ok(space) = rustix::fs::statvfs(data) else {
        return Finding::bad("disk", "its free space cannot be read; check the data folder");
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let words = format!("{} MB are free", free / (1024 * 1024));
    if free < FREE_BYTES_MIN {
        return Finding::bad("disk", format!("only {words}; make room, or payments are refused"));
    }
    Finding::good("disk", words)
}

async fn database(core: &Core) -> Result<Finding, StoreError> {
    let row = query("PRAGMA quick_check").fetch_one(&core.store.reads).await?;
    let said: String = row.try_get(0)?;
    Ok(if said == "ok" {
        Finding::good("database", "its structure is whole")
    } else {
        Finding::bad("database", format!("{said}; stop the gateway and restore a backup"))
    })
}

async fn public_url(core: &Core) -> Result<Finding, StoreError> {
    let what = "public URL";
    let url = core.installation().await?.public_url;
    Ok(match url.as_deref().map(PublicUrl::parse) {
        Some(Ok(url)) if url.is_https() => Finding::good(what, url.as_str()),
        Some(Ok(url)) => Finding::advice(
            what,
            format!(
                "{} is for this machine only; give serve --public-url https://HOST",
                url.as_str()
            ),
        ),
        Some(Err(error)) => Finding::bad(what, error.to_string()),
        None => Finding::advice(
            what,
            "none is stored, so links lead to where serve listens; give serve --public-url",
        ),
    })
}

async fn audit_chain(core: &Core, chain: &str) -> Result<Finding, StoreError> {
    let what = if chain.is_empty() {
        "audit log of the gateway".to_owned()
    } else {
        format!("audit log of {chain}")
    };
    Ok(match audit::verify(core, chain).await? {
        Chain::Whole { entries, head } => Finding::good(
            what,
            format!("{entries} entries, whole; its head is {head}, as in the gateway's log"),
        ),
        Chain::Broken { number } => Finding::bad(
            what,
            format!(
                "entry {number} does not fit the one before it: the database was changed by hand. \
                 Keep a copy, and restore the last good backup"
            ),
        ),
    })
}

/// Opens every sealed secret of a tenant.
async fn secrets(core: &Core, tenant: &TenantSlug) -> Result<Finding, StoreError> {
    let what = format!("secrets of {tenant}");
    let opened = async {
        let processors = credentials::open_all(core, tenant).await?;
        let webhooks = credentials::webhook_secrets(core, tenant).await?.len();
        let mut devices = 0_usize;
        for handheld in handhelds::all(core, tenant).await? {
            handhelds::confirm_secret(core, tenant, handheld.device).await?;
            devices = devices.saturating_add(1);
        }
        Ok::<_, FolderError>((processors, webhooks, devices))
    };
    Ok(match opened.await {
        Ok((processors, webhooks, devices)) => Finding::good(
            what,
            format!("all open: {processors} keys, {webhooks} webhook secrets, {devices} handhelds"),
        ),
        Err(error) => Finding::bad(what, error.to_string()),
    })
}
