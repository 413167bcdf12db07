//! The data key of this installation: made once, wrapped by the vault, replaced before it has sealed
//! too much, and put aside (never thrown away) when the vault has lost it.

use super::seal::{DATA_KEY_BYTES, INSTALLATION_BYTES, Sealer};
use crate::error::OpenError;
use crate::port::{KeyVault, VaultError};
use holdfast_domain::Secret;
use redb::{Database, ReadableDatabase, TableDefinition, WriteTransaction};
use zeroize::Zeroizing;

/// What is needed before any record can be opened.
const INSTALLATION: TableDefinition<&str, &[u8]> = TableDefinition::new("installation");
const INSTALLATION_ID: &str = "id";
const WRAPPED_KEY: &str = "wrapped_key";
/// Wrapped keys that the vault has lost: should it find its own key again, nothing is gone.
const LOST_KEYS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("lost_keys");

/// ID and wrapped data key, as they are on disk.
pub(super) struct Header {
    pub(super) id: [u8; INSTALLATION_BYTES],
    wrapped: Vec<u8>,
}

/// A header with the key that it wraps.
pub(super) struct Installation {
    header: Header,
    pub(super) sealer: Sealer,
}

impl Header {
    /// Of this file, if it is not a new one.
    pub(super) fn read(database: &Database) -> Result<Option<Self>, redb::Error> {
        let transaction = database.begin_read()?;
        let table = match transaction.open_table(INSTALLATION) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let id = table.get(INSTALLATION_ID)?.and_then(|id| id.value().try_into().ok());
        let wrapped = table.get(WRAPPED_KEY)?.map(|wrapped| wrapped.value().to_vec());
        match id.zip(wrapped) {
            Some((id, wrapped)) => Ok(Some(Self { id, wrapped })),
            // Never written without both: somebody else did this, and a new key would bury it.
            None => Err(redb::Error::Corrupted("the installation's header is damaged".to_owned())),
        }
    }

    /// Has the vault unwrap the key.
    pub(super) fn unwrap(&self, vault: &dyn KeyVault) -> Result<Sealer, OpenError> {
        let key = Zeroizing::new(vault.unwrap(&self.wrapped).map_err(vault_error)?);
        let key = <[u8; DATA_KEY_BYTES]>::try_from(key.as_slice());
        let key = key.map(Secret::new).map_err(|_| OpenError::VaultKeyLost)?;
        Ok(Sealer::new(&key, self.id))
    }

    /// Puts the wrapped key aside, before another takes its place.
    pub(super) fn put_aside(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut lost = transaction.open_table(LOST_KEYS)?;
        lost.insert(self.id.as_slice(), self.wrapped.as_slice())?;
        Ok(())
    }
}

impl Installation {
    /// A new one.
    pub(super) fn new(vault: &dyn KeyVault) -> Result<Self, OpenError> {
        let mut id = [0; INSTALLATION_BYTES];
        getrandom::fill(&mut id).map_err(|_| OpenError::Resources)?;
        Self::with_new_key(id, vault)
    }

    /// The same installation under a new key.
    pub(super) fn with_new_key(
        id: [u8; INSTALLATION_BYTES],
        vault: &dyn KeyVault,
    ) -> Result<Self, OpenError> {
        let mut key = Zeroizing::new([0; DATA_KEY_BYTES]);
        getrandom::fill(key.as_mut()).map_err(|_| OpenError::Resources)?;
        let wrapped = vault.wrap(key.as_ref()).map_err(vault_error)?;
        let sealer = Sealer::new(&Secret::new(*key), id);
        Ok(Self { header: Header { id, wrapped }, sealer })
    }

    /// Writes ID and wrapped key.
    pub(super) fn store(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut table = transaction.open_table(INSTALLATION)?;
        table.insert(INSTALLATION_ID, self.header.id.as_slice())?;
        table.insert(WRAPPED_KEY, self.header.wrapped.as_slice())?;
        Ok(())
    }
}

fn vault_error(error: VaultError) -> OpenError {
    log::error!("the key vault did not help: {error}");
    match error {
        VaultError::Lost => OpenError::VaultKeyLost,
        VaultError::Unavailable { .. } => OpenError::VaultUnavailable,
    }
}
