//! Reading everything, and naming what cannot be trusted.

use super::{COPIES, RECORDS, SealedStore, State, for_each, guarded, opened, rotate};
use crate::engine::{Durable, Quarantined, Write};
use crate::store::codec::{self, Name};
use crate::store::index::{Entry, Index, Part, read_head};
use crate::store::seal::{self, Sealer};
use crate::view::RecordFault;
use redb::{Database, ReadableDatabase, TableDefinition};
use std::collections::BTreeSet;

/// What a look at all records gives.
#[derive(Default)]
struct Found {
    durable: Durable,
    quarantine: Vec<Quarantined>,
    /// How many of the index's records are there.
    seen: usize,
    /// Records that no part of the index could vouch for.
    unvouched: Vec<(Name, Entry)>,
}

impl SealedStore {
    /// Reads the index; what is wrong with it is named by [`SealedStore::load_all`].
    pub(super) fn read_index(&mut self) -> Result<(), redb::Error> {
        let State::Open(sealer) = &self.state else {
            return Ok(());
        };
        let database = opened(&mut self.open, &mut self.database)?;
        let get = |name: &Name| guarded(|| raw(database, name));
        let plain = |name: &Name| -> Result<_, redb::Error> {
            let Some(sealed) = get(name)? else {
                return Ok(None);
            };
            Ok(sealer.open(name.as_bytes(), &sealed).map(|plain| (seal::version(&sealed), plain)))
        };
        let Some((version, head)) = plain(&Name::index_head())? else {
            self.index_is_new = true;
            return Ok(());
        };
        let Some((seals, versions)) = read_head(&head) else {
            self.index_is_new = true;
            return Ok(());
        };
        (self.version, self.index.seals) = (version, seals);
        for ((number, part), expected) in (0_u8..).zip(&mut self.index.parts).zip(versions) {
            if expected == 0 {
                continue;
            }
            let read = plain(&Name::index_part(number))?
                .filter(|(version, _)| *version == expected)
                .and_then(|(version, plain)| Part::read(version, &plain));
            match read {
                Some(read) => *part = read,
                // Told from a part that never was by its number: see `is_trusted`.
                None => self.index_is_new = true,
            }
        }
        Ok(())
    }

    pub(super) fn load_all(&mut self) -> Result<Durable, redb::Error> {
        let State::Open(sealer) = &self.state else {
            return self.load_lost();
        };
        let database = opened(&mut self.open, &mut self.database)?;
        let mut found = Found::default();
        let index = &self.index;
        let whole = !self.index_is_new;
        let mut newest = self.version;
        let mut is_empty = true;
        guarded(|| {
            for_each(database, RECORDS, |name, sealed| {
                is_empty = false;
                newest = newest.max(seal::version(sealed));
                let name = Name::from_disk(name);
                if !name.is_of_index() {
                    let known = index.entry(&name);
                    found.look(sealer, name, sealed, known, whole);
                }
            })
        })?;
        if found.seen < index.entries().count() {
            found.quarantine.extend(missing(database, index)?);
        }
        if !whole && !is_empty {
            found.quarantine.push(named(&Name::index_head(), RecordFault::Damaged, false));
        }
        found.quarantine.extend(put_aside(database)?);
        self.version = newest;
        for (name, entry) in found.unvouched {
            self.index.note(name, entry);
        }
        report(&found.quarantine);
        Ok(found.durable.loaded(found.quarantine))
    }

    /// Nothing can be read: each payment is named.
    fn load_lost(&mut self) -> Result<Durable, redb::Error> {
        let database = opened(&mut self.open, &mut self.database)?;
        let mut quarantine = lost_in(database, RECORDS)?;
        quarantine.extend(put_aside(database)?);
        report(&quarantine);
        Ok(Durable::key_lost(quarantine))
    }
}

impl Found {
    fn look(
        &mut self,
        sealer: &Sealer,
        name: Name,
        sealed: &[u8],
        known: Option<Entry>,
        whole: bool,
    ) {
        let version = seal::version(sealed);
        let may_be_held = known.is_none_or(|known| known.may_be_held);
        let plain = sealer.open(name.as_bytes(), sealed);
        let record = plain.and_then(|plain| codec::decode(&name, &plain));
        let fault = match (&record, known) {
            (None, _) => Some(RecordFault::Damaged),
            (Some(_), Some(known)) if known.version != version => Some(RecordFault::RolledBack),
            (Some(_), None) if whole => Some(RecordFault::Stray),
            (Some(_), _) => None,
        };
        match (fault, record) {
            (None, Some(record)) => {
                if known.is_none() {
                    let may_be_held = codec::may_be_held(&record);
                    self.quarantine.push(named(&name, RecordFault::Unvouched, may_be_held));
                    self.unvouched.push((name.clone(), Entry { version, may_be_held }));
                }
                self.durable.apply(Write::Put(record));
            }
            (fault, _) => {
                let fault = fault.unwrap_or(RecordFault::Damaged);
                self.quarantine.push(named(&name, fault, may_be_held));
            }
        }
        self.seen = self.seen.saturating_add(usize::from(known.is_some()));
    }
}

/// What the index names and the table does not have.
fn missing(database: &Database, index: &Index) -> Result<Vec<Quarantined>, redb::Error> {
    let mut there = BTreeSet::new();
    for_each(database, RECORDS, |name, _| {
        there.insert(Name::from_disk(name));
    })?;
    let missing = index.entries().filter(|(name, _)| !there.contains(name));
    Ok(missing.map(|(name, entry)| named(name, RecordFault::Missing, entry.may_be_held)).collect())
}

fn named(name: &Name, fault: RecordFault, may_be_held: bool) -> Quarantined {
    let (table, record_id) = name.in_words();
    Quarantined { table, record_id, fault, may_be_held }
}

fn report(quarantine: &[Quarantined]) {
    for Quarantined { table, record_id, fault, .. } in quarantine {
        log::error!("the {table} record {record_id:?} is left out: {fault:?}");
    }
}

/// Payments of installations whose key was lost.
fn put_aside(database: &Database) -> Result<Vec<Quarantined>, redb::Error> {
    let mut quarantine = Vec::new();
    for table in rotate::tables_aside(database)? {
        quarantine.extend(lost_in(database, TableDefinition::new(&table))?);
    }
    Ok(quarantine)
}

/// The payments in a table that nobody can open. Those with a copy were waiting; of the others the
/// gateway knows, or nothing was promised in them.
fn lost_in(
    database: &Database,
    table: TableDefinition<&[u8], &[u8]>,
) -> Result<Vec<Quarantined>, redb::Error> {
    let mut waiting = BTreeSet::new();
    for_each(database, COPIES, |payment, _| {
        waiting.insert(payment.to_vec());
    })?;
    let mut quarantine = Vec::new();
    for_each(database, table, |name, _| {
        let name = Name::from_disk(name);
        if let Some(payment) = name.payment() {
            let may_be_held = waiting.contains(payment.as_bytes().as_slice());
            quarantine.push(named(&name, RecordFault::KeyLost, may_be_held));
        }
    })?;
    Ok(quarantine)
}

fn raw(database: &Database, name: &Name) -> Result<Option<Vec<u8>>, redb::Error> {
    let transaction = database.begin_read()?;
    match transaction.open_table(RECORDS) {
        Ok(records) => Ok(records.get(name.as_bytes())?.map(|sealed| sealed.value().to_vec())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
