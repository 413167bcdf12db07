//! Sealed records in redb.

use super::RecordStore;
use super::codec::{self, Name};
use super::folder::{Folder, FolderError};
use super::seal::{self, DATA_KEY_BYTES, INSTALLATION_BYTES, Sealer};
use crate::engine::{Durable, Quarantined, StoreFault, Write};
use crate::error::OpenError;
use crate::port::{KeyVault, VaultError};
use holdfast_domain::Secret;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use zeroize::Zeroizing;

/// The file of records.
const FILE: &str = "holdfast.redb";
/// Memory for cached pages, in bytes. redb would take up to 1 GiB.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// Sealed records by their name.
const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
/// What is needed before any record can be opened.
const INSTALLATION: TableDefinition<&str, &[u8]> = TableDefinition::new("installation");
const INSTALLATION_ID: &str = "id";
const WRAPPED_KEY: &str = "wrapped_key";

type OpenDatabase = Box<dyn FnMut() -> Result<Database, redb::Error> + Send>;

/// The real store.
///
/// After an I/O error redb wants its file opened anew, so the store keeps the way to open it. A
/// commit that failed may all the same be in the file then. Since nobody was promised anything,
/// the next commit takes it back first: what was refused does not turn up later. (A restart before
/// that goes on from whatever the file has, under the same payment ID, and shows it.)
pub struct SealedStore {
    open: OpenDatabase,
    database: Option<Database>,
    sealer: Sealer,
    /// Records that a failed commit may have changed, as they were before it.
    unsure: Vec<Before>,
    _folder: Option<Folder>,
}

impl SealedStore {
    /// Takes the folder, opens its file or makes it, and has the vault unwrap the data key (or wrap
    /// a new one).
    pub fn open(path: &Path, vault: &dyn KeyVault) -> Result<Self, OpenError> {
        let folder = Folder::take(path).map_err(|error| match error {
            FolderError::InUse => OpenError::AlreadyOpen,
            FolderError::Io(error) => open_error(io_fault(&error)),
        })?;
        let file = folder.path().join(FILE);
        let open = move || {
            Database::builder().set_cache_size(CACHE_BYTES).create(&file).map_err(redb::Error::from)
        };
        let mut store = Self::with_database(Box::new(open), vault)?;
        folder.sync().map_err(|error| open_error(io_fault(&error)))?;
        store._folder = Some(folder);
        Ok(store)
    }

    fn with_database(mut open: OpenDatabase, vault: &dyn KeyVault) -> Result<Self, OpenError> {
        let database = guarded(&mut open).map_err(|error| open_error(fault(&error)))?;
        let sealer = match installation(&database).map_err(|error| open_error(fault(&error)))? {
            Some((id, wrapped)) => Sealer::new(&unwrapped(vault, &wrapped)?, id),
            None => new_installation(&database, vault)?,
        };
        Ok(Self { open, database: Some(database), sealer, unsure: Vec::new(), _folder: None })
    }

    fn try_commit(&mut self, writes: &[Plain]) -> Result<(), Failure> {
        let database = opened(&mut self.open, &mut self.database)?;
        let mut transaction = database.begin_write().map_err(redb::Error::from)?;
        // Both are redb's defaults; they are promises of this file all the same.
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        transaction.set_quick_repair(false);
        let mut before = Vec::with_capacity(writes.len());
        {
            let mut records = transaction.open_table(RECORDS).map_err(redb::Error::from)?;
            for (name, sealed) in &self.unsure {
                put(&mut records, name, sealed.as_deref())?;
            }
            for (name, plain) in writes {
                let old = get(&records, name)?;
                let version = old.as_deref().map_or(0, seal::version).saturating_add(1);
                let seal =
                    |plain: &Zeroizing<Vec<u8>>| self.sealer.seal(name.as_bytes(), version, plain);
                let sealed = plain.as_ref().map(seal).transpose().map_err(|_| Failure::Seal)?;
                put(&mut records, name, sealed.as_deref())?;
                before.push((name.clone(), old));
            }
        }
        let outcome = transaction.commit().map_err(redb::Error::from);
        match outcome {
            Ok(()) => self.unsure.clear(),
            Err(_) => self.doubt(before),
        }
        Ok(outcome?)
    }

    /// What was before the first commit that failed is what still holds.
    fn doubt(&mut self, before: Vec<Before>) {
        for (name, sealed) in before {
            if !self.unsure.iter().any(|(known, _)| *known == name) {
                self.unsure.push((name, sealed));
            }
        }
    }
}

impl RecordStore for SealedStore {
    fn load(&mut self) -> Result<Durable, StoreFault> {
        let mut records = Vec::new();
        let mut quarantine = Vec::new();
        let database = opened(&mut self.open, &mut self.database).map_err(|error| fault(&error))?;
        let all = guarded(|| read_all(database)).map_err(|error| fault(&error))?;
        for (name, sealed) in all {
            let plain = self.sealer.open(name.as_bytes(), &sealed);
            match plain.and_then(|plain| codec::decode(&name, &plain)) {
                Some(record) => records.push(record),
                None => {
                    let (table, record_id) = name.in_words();
                    log::error!("the {table} record {record_id:?} cannot be read; it is left out");
                    quarantine.push(Quarantined { table, record_id });
                }
            }
        }
        Ok(Durable::load(records, quarantine))
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreFault> {
        let plain: Vec<_> =
            writes.iter().map(named).collect::<Option<_>>().ok_or(StoreFault::Failed)?;
        let mut outcome = self.try_commit(&plain);
        if outcome.is_err() {
            // Whether the file has it or not is unknown. Opened again, redb is at one of the two,
            // and storing the same once more ends at the same place from either.
            self.database = None;
            outcome = self.try_commit(&plain);
        }
        outcome.map_err(|failure| {
            self.database = None;
            failure.fault()
        })
    }
}

/// A record as it is to be; no bytes mean that it is to be gone.
type Plain = (Name, Option<Zeroizing<Vec<u8>>>);
/// A record as it was, sealed; no bytes mean that it was not there.
type Before = (Name, Option<Vec<u8>>);

/// Why one attempt to commit failed.
#[derive(Debug)]
enum Failure {
    Redb(redb::Error),
    Seal,
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        Self::Redb(error)
    }
}

impl Failure {
    fn fault(&self) -> StoreFault {
        match self {
            Self::Redb(error) => fault(error),
            Self::Seal => StoreFault::Failed,
        }
    }
}

fn named(write: &Write) -> Option<Plain> {
    match write {
        Write::Put(record) => Some((Name::of(record.key()), Some(codec::encode(record)?))),
        Write::Delete(key) => Some((Name::of(*key), None)),
    }
}

type Records<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

fn get(records: &Records<'_>, name: &Name) -> Result<Option<Vec<u8>>, redb::Error> {
    Ok(records.get(name.as_bytes())?.map(|sealed| sealed.value().to_vec()))
}

fn put(records: &mut Records<'_>, name: &Name, sealed: Option<&[u8]>) -> Result<(), redb::Error> {
    match sealed {
        Some(sealed) => records.insert(name.as_bytes(), sealed)?,
        None => records.remove(name.as_bytes())?,
    };
    Ok(())
}

fn read_all(database: &Database) -> Result<Vec<(Name, Vec<u8>)>, redb::Error> {
    let transaction = database.begin_read()?;
    let records = match transaction.open_table(RECORDS) {
        Ok(records) => records,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let entry = |entry: Result<_, redb::StorageError>| {
        let (name, sealed): (redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, &[u8]>) = entry?;
        Ok((Name::from_disk(name.value()), sealed.value().to_vec()))
    };
    records.iter()?.map(entry).collect()
}

type Installation = ([u8; INSTALLATION_BYTES], Vec<u8>);

/// ID and wrapped key, if this is not a new file.
fn installation(database: &Database) -> Result<Option<Installation>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(INSTALLATION) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let id = table.get(INSTALLATION_ID)?.and_then(|id| id.value().try_into().ok());
    let wrapped = table.get(WRAPPED_KEY)?.map(|wrapped| wrapped.value().to_vec());
    match id.zip(wrapped) {
        Some(installation) => Ok(Some(installation)),
        // Never written without both: somebody else did this, and a new key would bury it.
        None => Err(redb::Error::Corrupted("the installation's header is damaged".to_owned())),
    }
}

fn new_installation(database: &Database, vault: &dyn KeyVault) -> Result<Sealer, OpenError> {
    let mut id = [0; INSTALLATION_BYTES];
    let mut key = Zeroizing::new([0; DATA_KEY_BYTES]);
    getrandom::fill(&mut id).map_err(|_| OpenError::Resources)?;
    getrandom::fill(key.as_mut()).map_err(|_| OpenError::Resources)?;
    let wrapped = vault.wrap(key.as_ref()).map_err(vault_error)?;
    let store = || -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(INSTALLATION)?;
            table.insert(INSTALLATION_ID, id.as_slice())?;
            table.insert(WRAPPED_KEY, wrapped.as_slice())?;
        }
        Ok(transaction.commit()?)
    };
    store().map_err(|error| open_error(fault(&error)))?;
    Ok(Sealer::new(&Secret::new(*key), id))
}

fn unwrapped(
    vault: &dyn KeyVault,
    wrapped: &[u8],
) -> Result<Secret<[u8; DATA_KEY_BYTES]>, OpenError> {
    let key = Zeroizing::new(vault.unwrap(wrapped).map_err(vault_error)?);
    let key = <[u8; DATA_KEY_BYTES]>::try_from(key.as_slice());
    key.map(Secret::new).map_err(|_| OpenError::VaultKeyLost)
}

fn vault_error(error: VaultError) -> OpenError {
    log::error!("the key vault did not help: {error}");
    match error {
        VaultError::Lost => OpenError::VaultKeyLost,
        VaultError::Unavailable { .. } => OpenError::VaultUnavailable,
    }
}

/// The open database. After an error it is opened again, which also mends it.
fn opened<'a>(
    open: &mut OpenDatabase,
    database: &'a mut Option<Database>,
) -> Result<&'a Database, redb::Error> {
    let ready = match database.take() {
        Some(ready) => ready,
        None => guarded(open)?,
    };
    Ok(database.insert(ready))
}

/// A file that somebody altered may make redb panic instead of returning an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(redb::Error::Corrupted("the file cannot be read".to_owned())))
}

fn fault(error: &redb::Error) -> StoreFault {
    log::error!("storage: {error}");
    match error {
        redb::Error::Io(error) => io_fault(error),
        _ => StoreFault::Failed,
    }
}

fn io_fault(error: &io::Error) -> StoreFault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreFault::Full,
        _ => StoreFault::Failed,
    }
}

fn open_error(fault: StoreFault) -> OpenError {
    match fault {
        StoreFault::Full => OpenError::StorageFull,
        StoreFault::Failed => OpenError::Storage,
    }
}

#[cfg(test)]
mod tests;
