//! A new data key before the old one has sealed too much.

use super::{RECORDS, SealedStore, State, begin, fault, open_error, opened, put};
use crate::error::OpenError;
use crate::port::KeyVault;
use crate::store::codec::Name;
use crate::store::installation::Installation;
use crate::store::seal::{self, INSTALLATION_BYTES, Sealer};
use data_encoding::HEXLOWER;
use redb::{Database, ReadableDatabase, ReadableTable, TableHandle, WriteTransaction};

/// What the tables of lost installations are called.
const ASIDE: &str = "lost_records/";

/// The table that the records of an installation are put aside in.
pub(super) fn table_aside(id: &[u8; INSTALLATION_BYTES]) -> String {
    format!("{ASIDE}{}", HEXLOWER.encode(id))
}

/// Every such table.
pub(super) fn tables_aside(database: &Database) -> Result<Vec<String>, redb::Error> {
    let transaction = database.begin_read()?;
    let tables = transaction.list_tables()?.map(|table| table.name().to_owned());
    Ok(tables.filter(|name| name.starts_with(ASIDE)).collect())
}

impl SealedStore {
    /// Seals every record anew under a new key, if it is time. All in one transaction: a crash
    /// leaves the old key with the old records, or the new with the new.
    pub(super) fn renew_key_if_due(&mut self, vault: &dyn KeyVault) -> Result<(), OpenError> {
        let State::Open(old) = &self.state else {
            return Ok(());
        };
        if self.index.seals < self.budget.renew_at || self.index_is_new {
            return Ok(());
        }
        log::info!("the data key has made {} seals; here is a new one", self.index.seals);
        let new = Installation::with_new_key(old.installation(), vault)?;
        let failed = |error: redb::Error| open_error(fault(&error));
        let database = opened(&mut self.open, &mut self.database).map_err(failed)?;
        let renew = || -> Result<u64, redb::Error> {
            let transaction = begin(database)?;
            new.store(&transaction)?;
            let mut seals = seal_anew(&transaction, old, &new.sealer)?;
            seals = seals.saturating_add(1);
            let head = self.index.head(&Default::default(), seals);
            let name = Name::index_head();
            let sealed = new.sealer.seal(name.as_bytes(), self.version, &head);
            let sealed = sealed.map_err(|_| no_randomness())?;
            put(&mut transaction.open_table(RECORDS)?, name.as_bytes(), Some(&sealed))?;
            transaction.commit()?;
            Ok(seals)
        };
        self.index.seals = super::guarded(renew).map_err(failed)?;
        self.state = State::Open(new.sealer);
        Ok(())
    }
}

/// Each record that opens is sealed anew, in its version. What does not open stays as it is: it is
/// quarantined under either key.
fn seal_anew(
    transaction: &WriteTransaction,
    old: &Sealer,
    new: &Sealer,
) -> Result<u64, redb::Error> {
    let mut records = transaction.open_table(RECORDS)?;
    let names: Vec<Vec<u8>> = records
        .iter()?
        .map(|entry| Ok(entry?.0.value().to_vec()))
        .collect::<Result<_, redb::StorageError>>()?;
    let mut seals = 0_u64;
    for name in names {
        let Some(sealed) = super::get(&records, &name)? else {
            continue;
        };
        let Some(plain) = old.open(&name, &sealed) else {
            continue;
        };
        let anew = new.seal(&name, seal::version(&sealed), &plain).map_err(|_| no_randomness())?;
        put(&mut records, &name, Some(&anew))?;
        seals = seals.saturating_add(1);
    }
    Ok(seals)
}

fn no_randomness() -> redb::Error {
    redb::Error::Io(std::io::Error::other("no randomness"))
}
