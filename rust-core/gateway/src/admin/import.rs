//! Bringing in the orders of a handheld that lost its key: its sealed copies, from a file.

use crate::core::{Core, FolderError, UnknownTenant};
use crate::store::StoreError;
use crate::world::SystemWorld;
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{PaymentId, TenantSlug};
use holdfast_ledger::{Accept, AcceptOutcome, Carrier, Store};
use holdfast_protocol::wire::{CopiesFile, WIRE_VERSION};
use holdfast_protocol::{SignedOrder, sealed_copy};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file that is read, in bytes: ten thousand copies of the longest order.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What became of a file's copies. Importing it again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Orders that are new in the ledger.
    pub new: usize,
    /// Orders that were there before.
    pub known: usize,
    /// Copies that were not taken, each with its place in the file (from 1) and the reason.
    pub refused: Vec<(usize, String)>,
}

/// Why a file was not read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{path}: the file cannot be read; check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not such a file.
    #[error("{path}: this is not a file of sealed copies; export it again on the handheld")]
    NotCopies {
        /// The file.
        path: PathBuf,
    },
    /// Made for another tenant or gateway.
    #[error("{path}: these copies were made for {whose}; import them there")]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// For whom.
        whose: String,
    },
    /// No such tenant.
    #[error(transparent)]
    Tenant(#[from] UnknownTenant),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] holdfast_ledger::StoreError),
    /// Database or keys.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

/// Imports a file of sealed copies. Works beside a running server.
pub async fn order_import(
    data: &Path,
    tenant: &TenantSlug,
    file: &Path,
) -> Result<Imported, ImportError> {
    let copies = read(file)?;
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let imported = import(&core, tenant, file, &copies).await;
    core.close().await;
    imported
}

fn read(path: &Path) -> Result<CopiesFile, ImportError> {
    let failed = |source| ImportError::Read { path: path.to_owned(), source };
    let not_copies = || ImportError::NotCopies { path: path.to_owned() };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(not_copies());
    }
    let text = std::fs::read(path).map_err(failed)?;
    let copies: CopiesFile = serde_json::from_slice(&text).map_err(|_| not_copies())?;
    (copies.version == WIRE_VERSION).then_some(copies).ok_or_else(not_copies)
}

async fn import(
    core: &Core,
    tenant: &TenantSlug,
    file: &Path,
    copies: &CopiesFile,
) -> Result<Imported, ImportError> {
    core.tenant(tenant).await?.ok_or_else(|| UnknownTenant(tenant.clone()))?;
    let elsewhere = |whose| ImportError::Elsewhere { path: file.to_owned(), whose };
    if copies.tenant != *tenant {
        return Err(elsewhere(format!("tenant {}", copies.tenant)));
    }
    if copies.gateway != core.installation().await?.gateway {
        return Err(elsewhere(format!("gateway {}", copies.gateway)));
    }
    let secret = super::copy_secret(core).await?;
    let mut imported = Imported::default();
    for (index, copy) in copies.copies.iter().enumerate() {
        let opened = BASE64URL_NOPAD
            .decode(copy.as_bytes())
            .ok()
            .and_then(|sealed| sealed_copy::open(&secret, tenant, copies.device, &sealed).ok());
        let order = opened.and_then(|bytes| SignedOrder::parse(&bytes).ok());
        let place = index.saturating_add(1);
        let Some(order) = order else {
            imported.refused.push((place, "The copy is damaged.".to_owned()));
            continue;
        };
        take(core, tenant, order, place, &mut imported).await?;
    }
    Ok(imported)
}

async fn take(
    core: &Core,
    tenant: &TenantSlug,
    order: SignedOrder,
    place: usize,
    imported: &mut Imported,
) -> Result<(), ImportError> {
    let payment: PaymentId = order.payload().payment;
    let accept = Accept { order, tenant: tenant.clone(), carrier: Carrier::Handheld };
    match core.store.run(accept).await? {
        AcceptOutcome::Accepted { new: true, .. } => imported.new += 1,
        AcceptOutcome::Accepted { new: false, .. } => imported.known += 1,
        AcceptOutcome::Refused { message, .. } => {
            imported.refused.push((place, format!("Payment {payment}: {message}")));
        }
    }
    Ok(())
}
