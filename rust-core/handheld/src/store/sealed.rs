//! Sealed records in redb.

mod load;
mod rotate;

use super::RecordStore;
use super::codec::{self, Name};
use super::copies;
use super::folder::{Folder, FolderError};
use super::index::{Entry, Index, Part, part_of};
use super::installation::{Header, Installation};
use super::seal::{Budget, Sealer};
use super::watched::{Doubt, Watched};
use crate::engine::{Durable, StoreFault, Write};
use crate::error::OpenError;
use crate::port::KeyVault;
use holdfast_domain::PaymentId;
use holdfast_protocol::wire::CopiesFile;
use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    WriteTransaction,
};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file of records.
const FILE: &str = "holdfast.redb";
/// Stands beside it while some of it may not be on the disk (see [`super::watched`]).
const MARK: &str = "holdfast.doubt";
/// Memory for cached pages, in bytes. redb would take up to 1 GiB; everything is read once at the
/// start, and a commit touches a dozen pages.
const CACHE_BYTES: usize = 1024 * 1024;

/// Sealed records by their name.
const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
/// Copies of waiting orders by their payment ID.
const COPIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("copies");

type OpenDatabase = Box<dyn FnMut() -> Result<Database, redb::Error> + Send>;

/// The real store.
///
/// After an I/O error redb wants its file opened anew, so the store keeps the way to open it. After a
/// sync that failed nothing is stored until what it may have lost was written again ([`super::watched`]). A
/// commit that failed may all the same be in the file then. Since nobody was promised anything,
/// the next commit takes it back first: what was refused does not turn up later. (A restart before
/// that goes on from whatever the file has; the engine then shows that it was found, and was never
/// told.)
pub struct SealedStore {
    open: OpenDatabase,
    database: Option<Database>,
    state: State,
    index: Index,
    /// The last number that a record was sealed with. Each attempt to commit takes another.
    version: u64,
    /// All parts of the index are to be written by the next commit.
    index_is_new: bool,
    budget: Budget,
    /// What a failed commit may have changed, as it was before.
    unsure: Vec<Before>,
    _folder: Option<Folder>,
}

/// Whether the records can be read.
enum State {
    Open(Sealer),
    /// The vault has lost its key. The records stay as they are until the first commit (which is an
    /// enrolment), and are put aside then. The new installation is ready.
    KeyLost {
        lost: Header,
        next: Option<Installation>,
    },
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
        let doubt = Doubt::marked_by(folder.path().join(MARK));
        let open = move || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            database_on(FileBackend::new(options.open(&file)?)?, &doubt)
        };
        let mut store = Self::with_database(Box::new(open), vault, Budget::default())?;
        folder.sync().map_err(|error| open_error(io_fault(&error)))?;
        store._folder = Some(folder);
        Ok(store)
    }

    /// The same over storage of the caller's, for tests that let it fail; `storage` is asked again
    /// whenever the file is to be opened anew. Without a mark, nothing outlives the process of what is in
    /// doubt.
    pub fn on_storage<S: StorageBackend>(
        mut storage: impl FnMut() -> S + Send + 'static,
        mark: Option<PathBuf>,
        vault: &dyn KeyVault,
    ) -> Result<Self, OpenError> {
        let doubt = mark.map(Doubt::marked_by).unwrap_or_default();
        let open = move || database_on(storage(), &doubt);
        Self::with_database(Box::new(open), vault, Budget::default())
    }

    fn with_database(
        mut open: OpenDatabase,
        vault: &dyn KeyVault,
        budget: Budget,
    ) -> Result<Self, OpenError> {
        let failed = |error: redb::Error| open_error(fault(&error));
        let database = guarded(&mut open).map_err(failed)?;
        let state = match Header::read(&database).map_err(failed)? {
            Some(header) => match header.unwrap(vault) {
                Ok(sealer) => State::Open(sealer),
                Err(OpenError::VaultKeyLost) => {
                    State::KeyLost { lost: header, next: Some(Installation::new(vault)?) }
                }
                Err(error) => return Err(error),
            },
            None => State::Open(made(&database, vault)?),
        };
        let mut store = Self {
            open,
            database: Some(database),
            state,
            index: Index::default(),
            version: 0,
            index_is_new: false,
            budget,
            unsure: Vec::new(),
            _folder: None,
        };
        store.read_index().map_err(failed)?;
        store.renew_key_if_due(vault)?;
        Ok(store)
    }

    fn try_commit(&mut self, writes: &[Write]) -> Result<(), Failure> {
        self.version = self.version.saturating_add(1);
        let changed = self.changed_parts(writes);
        let seals = self.index.seals.saturating_add(seals_of(writes, &changed));
        if seals > self.budget.seals_max {
            log::error!("the data key has sealed as much as it may; restart the handheld");
            return Err(Failure::Seal);
        }
        let database = opened(&mut self.open, &mut self.database)?;
        let transaction = begin(database)?;
        let mut before = Vec::with_capacity(writes.len().saturating_add(changed.len()));
        let sealer = sealer_of(&mut self.state, &transaction)?;
        write_all(
            &transaction,
            &Batch {
                sealer,
                version: self.version,
                writes,
                parts: &changed,
                head: self.index.head(&changed, seals),
                unsure: &self.unsure,
            },
            &mut before,
        )?;
        match transaction.commit().map_err(redb::Error::from) {
            Ok(()) => {
                self.unsure.clear();
                self.committed(changed, seals);
                Ok(())
            }
            Err(error) => {
                self.doubt(before);
                Err(error.into())
            }
        }
    }

    /// The parts of the index as they will be.
    fn changed_parts(&self, writes: &[Write]) -> BTreeMap<usize, Part> {
        let mut changed: BTreeMap<usize, Part> = BTreeMap::new();
        if self.index_is_new {
            changed = self.index.parts.iter().cloned().enumerate().collect();
        }
        for write in writes {
            let name = Name::of(write.key());
            let number = part_of(&name);
            let known = || self.index.parts.get(number).cloned().unwrap_or_default();
            let part = changed.entry(number).or_insert_with(known);
            match write {
                Write::Put(record) => {
                    let may_be_held = codec::may_be_held(record);
                    part.entries.insert(name, Entry { version: self.version, may_be_held });
                }
                Write::Delete(_) => {
                    part.entries.remove(&name);
                }
            }
        }
        changed.values_mut().for_each(|part| part.version = self.version);
        changed
    }

    fn committed(&mut self, changed: BTreeMap<usize, Part>, seals: u64) {
        for (number, part) in changed {
            if let Some(known) = self.index.parts.get_mut(number) {
                *known = part;
            }
        }
        self.index.seals = seals;
        self.index_is_new = false;
        if let State::KeyLost { next, .. } = &mut self.state
            && let Some(next) = next.take()
        {
            self.state = State::Open(next.sealer);
        }
    }

    /// What was before the first commit that failed is what still holds.
    fn doubt(&mut self, before: Vec<Before>) {
        for (place, bytes) in before {
            if !self.unsure.iter().any(|(known, _)| *known == place) {
                self.unsure.push((place, bytes));
            }
        }
    }
}

impl RecordStore for SealedStore {
    fn load(&mut self) -> Result<Durable, StoreFault> {
        self.load_all().map_err(|error| fault(&error))
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreFault> {
        let mut outcome = self.try_commit(writes);
        if outcome.is_err() {
            // Whether the file has it or not is unknown. Opened again, redb is at one of the two,
            // and storing the same once more ends at the same place from either.
            self.database = None;
            outcome = self.try_commit(writes);
        }
        outcome.map_err(|failure| {
            self.database = None;
            failure.fault()
        })
    }

    fn copies(&mut self) -> Result<Vec<CopiesFile>, StoreFault> {
        let database = opened(&mut self.open, &mut self.database).map_err(|error| fault(&error))?;
        let mut files = copies::Files::default();
        let each = |_: &[u8], copy: &[u8]| files.add(copy);
        guarded(|| for_each(database, COPIES, each)).map_err(|error| fault(&error))?;
        Ok(files.finish())
    }
}

/// Where bytes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Record(Name),
    Copy(PaymentId),
}

/// The database, once all of its file is known to be on the disk.
fn database_on(storage: impl StorageBackend, doubt: &Doubt) -> Result<Database, redb::Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    Ok(builder.create_with_backend(Watched::new(storage, doubt.clone())?)?)
}

/// Bytes as they were; none mean that there were none.
type Before = (Place, Option<Vec<u8>>);

/// One commit.
struct Batch<'a> {
    sealer: &'a Sealer,
    version: u64,
    writes: &'a [Write],
    parts: &'a BTreeMap<usize, Part>,
    head: Vec<u8>,
    unsure: &'a [Before],
}

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

fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    // Both are redb's defaults; they are promises of this file all the same.
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(false);
    Ok(transaction)
}

/// The sealer. If the key is lost, the old records are put aside and a new installation begins, all
/// in the same transaction.
fn sealer_of<'a>(
    state: &'a mut State,
    transaction: &WriteTransaction,
) -> Result<&'a Sealer, Failure> {
    match state {
        State::Open(sealer) => Ok(sealer),
        State::KeyLost { lost, next } => {
            let next = next.as_ref().ok_or(Failure::Seal)?;
            let aside = rotate::table_aside(&lost.id);
            let aside = TableDefinition::<&[u8], &[u8]>::new(&aside);
            match transaction.rename_table(RECORDS, aside) {
                // There, if an attempt before this one reached the file after all.
                Ok(())
                | Err(redb::TableError::TableDoesNotExist(_) | redb::TableError::TableExists(_)) => {
                }
                Err(error) => return Err(redb::Error::from(error).into()),
            }
            lost.put_aside(transaction)?;
            next.store(transaction)?;
            Ok(&next.sealer)
        }
    }
}

fn write_all(
    transaction: &WriteTransaction,
    batch: &Batch<'_>,
    before: &mut Vec<Before>,
) -> Result<(), Failure> {
    let mut records = transaction.open_table(RECORDS).map_err(redb::Error::from)?;
    let mut copies = transaction.open_table(COPIES).map_err(redb::Error::from)?;
    for (place, bytes) in batch.unsure {
        match place {
            Place::Record(name) => put(&mut records, name.as_bytes(), bytes.as_deref())?,
            Place::Copy(payment) => put(&mut copies, payment.as_bytes(), bytes.as_deref())?,
        }
    }
    let mut put_record = |name: Name, plain: Option<&[u8]>| {
        let seal = |plain| batch.sealer.seal(name.as_bytes(), batch.version, plain);
        let sealed = plain.map(seal).transpose().map_err(|_| Failure::Seal)?;
        before.push((Place::Record(name.clone()), get(&records, name.as_bytes())?));
        Ok::<_, Failure>(put(&mut records, name.as_bytes(), sealed.as_deref())?)
    };
    for write in batch.writes {
        put_record(Name::of(write.key()), plain(write)?.as_ref().map(|plain| plain.as_slice()))?;
    }
    for (number, part) in batch.parts {
        let number = u8::try_from(*number).map_err(|_| Failure::Seal)?;
        put_record(Name::index_part(number), Some(&part.to_bytes()))?;
    }
    put_record(Name::index_head(), Some(&batch.head))?;
    for write in batch.writes {
        let Some(payment) = Name::of(write.key()).payment() else {
            continue;
        };
        let known = get(&copies, payment.as_bytes())?;
        let copy = match write {
            Write::Put(record) => match codec::waits(record) {
                Some(true) if known.is_some() => continue,
                Some(true) => copies::of(record),
                Some(false) | None => None,
            },
            Write::Delete(_) => None,
        };
        if known.is_some() || copy.is_some() {
            put(&mut copies, payment.as_bytes(), copy.as_deref())?;
            before.push((Place::Copy(payment), known));
        }
    }
    Ok(())
}

fn plain(write: &Write) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    match write {
        Write::Put(record) => codec::encode(record).map(Some).ok_or(Failure::Seal),
        Write::Delete(_) => Ok(None),
    }
}

/// How many seals a commit takes.
fn seals_of(writes: &[Write], parts: &BTreeMap<usize, Part>) -> u64 {
    let seals = writes.len().saturating_add(parts.len()).saturating_add(1);
    u64::try_from(seals).unwrap_or(u64::MAX)
}

type Records<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

fn get(records: &Records<'_>, name: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
    Ok(records.get(name)?.map(|sealed| sealed.value().to_vec()))
}

fn put(records: &mut Records<'_>, name: &[u8], bytes: Option<&[u8]>) -> Result<(), redb::Error> {
    match bytes {
        Some(bytes) => records.insert(name, bytes)?,
        None => records.remove(name)?,
    };
    Ok(())
}

/// Every entry of a table; none if there is no such table.
fn for_each(
    database: &Database,
    table: TableDefinition<&[u8], &[u8]>,
    mut each: impl FnMut(&[u8], &[u8]),
) -> Result<(), redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(table) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in table.iter()? {
        let (name, bytes) = entry?;
        each(name.value(), bytes.value());
    }
    Ok(())
}

fn made(database: &Database, vault: &dyn KeyVault) -> Result<Sealer, OpenError> {
    let installation = Installation::new(vault)?;
    let store = || -> Result<(), redb::Error> {
        let transaction = begin(database)?;
        installation.store(&transaction)?;
        Ok(transaction.commit()?)
    };
    store().map_err(|error| open_error(fault(&error)))?;
    Ok(installation.sealer)
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
