//! The handheld's real store on a [`Platter`]: sealed records in redb, with every fault below redb.

use super::disk::in_words;
use super::ledger::folder;
use super::platter::{Forgets, Platter, Remains};
use super::{Commit, Disk, Harm};
use holdfast_domain::{PaymentId, Secret};
use holdfast_handheld::engine::{Durable, Quarantined, StoreFault, Write};
use holdfast_handheld::software::SoftwareVault;
use holdfast_handheld::store::{RecordStore, SealedStore};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use tempfile::TempDir;

/// A commit takes no more changes and syncs than this; a fault is aimed at one of them.
const OPERATIONS_MAX: u64 = 24;

/// Real records in a real file.
pub struct RedbDisk {
    platter: Platter,
    /// Where a process that ends in doubt about its file leaves its mark.
    mark: TempDir,
    store: Option<SealedStore>,
    /// Records that went bad and were not written since.
    harmed: BTreeSet<(&'static str, String)>,
    /// The same with those whose writing may or may not have reached the disk.
    perhaps: BTreeSet<(&'static str, String)>,
    /// Its own luck, so that the run is the same as on records in memory.
    luck: u64,
}

impl RedbDisk {
    /// A new file; the seed decides where faults strike.
    pub fn new(seed: u64) -> Self {
        let (platter, mark) = (Platter::default(), folder());
        let store = Some(opened_with(&platter, &mark));
        let (harmed, perhaps) = Default::default();
        Self { platter, mark, store, harmed, perhaps, luck: seed }
    }

    /// SplitMix64 (Steele, Lea, Flood: OOPSLA 2014).
    fn draw(&mut self, below: u64) -> u64 {
        self.luck = self.luck.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.luck;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    /// The power goes: each change that was not synced is there, or not, or the beginning of it is.
    fn power_cut(&mut self) {
        // The mark is in the memory that goes with the power, as is what it is about.
        self.mark = folder();
        let platter = self.platter.clone();
        self.platter = platter.after_power_cut(|length| match self.draw(3) {
            0 => Remains::Whole,
            1 => Remains::Lost,
            _ => {
                let length = u64::try_from(length).unwrap_or(0).saturating_add(1);
                Remains::Torn(usize::try_from(self.draw(length)).unwrap_or(0))
            }
        });
    }

    fn store(&mut self) -> &mut SealedStore {
        let (platter, mark) = (&self.platter, &self.mark);
        self.store.get_or_insert_with(|| opened_with(platter, mark))
    }
}

/// Opens whatever is there. That it can be opened is part of what is proved.
pub fn opened(platter: &Platter) -> SealedStore {
    opened_marked(platter, None)
}

/// The same after a process that may have left its mark in this folder.
pub fn opened_with(platter: &Platter, mark: &TempDir) -> SealedStore {
    opened_marked(platter, Some(mark.path().join("doubt")))
}

fn opened_marked(platter: &Platter, mark: Option<PathBuf>) -> SealedStore {
    let platter = platter.clone();
    let vault = SoftwareVault::new(&Secret::new([8; 32]));
    SealedStore::on_storage(move || platter.clone(), mark, &vault).expect("the file opens")
}

impl Disk for RedbDisk {
    fn load(&mut self) -> Durable {
        self.store = None;
        if self.draw(2) == 0 {
            self.power_cut();
        } else {
            self.platter = self.platter.after_kill();
        }
        let durable = self.store().load().expect("the file can be read");
        let named = |lost: &Quarantined| (lost.table, lost.record_id.clone());
        let named: BTreeSet<_> = durable.quarantine().iter().map(named).collect();
        assert!(named.is_superset(&self.harmed), "{named:?} without all of {:?}", self.harmed);
        assert!(named.is_subset(&self.perhaps), "{named:?} beyond {:?}", self.perhaps);
        durable
    }

    fn harm(&mut self, what: Harm, luck: u64) -> String {
        // A commit in doubt is settled first: what goes bad is what a start would find.
        self.store = None;
        self.store().load().expect("the file can be read");
        self.store = None;
        self.platter = self.platter.after_kill();
        let all = records(&self.platter);
        let bad: Vec<usize> = (0..all.len()).filter(|at| may_go_bad(what, &all, *at)).collect();
        let count = u64::try_from(bad.len()).unwrap_or(0);
        let place = |luck: u64| luck.checked_rem(count).and_then(|at| usize::try_from(at).ok());
        let pick = |luck: u64| bad.get(place(luck)?).and_then(|at| all.get(*at));
        let rest = luck / count.max(1);
        let (one, two) = (pick(luck), pick(rest / 3));
        let Some(((name, bytes), (other_name, other_bytes))) = one.zip(two) else {
            return "nothing".to_owned();
        };
        let changes = match rest % 3 {
            0 => vec![(name, Some(flipped(bytes, rest)))],
            1 => vec![(name, None)],
            _ if name == other_name => Vec::new(),
            _ => vec![(name, Some(other_bytes.clone())), (other_name, Some(bytes.clone()))],
        };
        write_raw(&self.platter, &changes);
        self.harmed.extend(changes.iter().map(|(name, _)| words_of(name)));
        self.perhaps.extend(self.harmed.iter().cloned());
        format!("{:?}", self.harmed)
    }

    fn commit(&mut self, writes: &[Write], how: Commit) -> Result<(), StoreFault> {
        for write in writes {
            let name = in_words(write.key());
            self.harmed.remove(&name);
            if how == Commit::Whole {
                self.perhaps.remove(&name);
            }
        }
        match how {
            Commit::Whole => {
                let stored = self.store().commit(writes);
                assert_eq!(stored, Ok(()), "a disk that works stores");
                return stored;
            }
            // Nobody can say whether it is there; or it seems to be, and is not.
            Commit::Fails { kept: true, .. } => match self.draw(4) {
                0 => self.platter.fail_syncs(),
                1 => self.platter.forget_at_sync(Forgets::OnceUnseen),
                2 => self.platter.forget_at_sync(Forgets::OnceSeen),
                _ => self.platter.forget_at_sync(Forgets::Always),
            },
            Commit::Fails { fault, kept: false } => {
                let kind = match fault {
                    StoreFault::Full => io::ErrorKind::StorageFull,
                    StoreFault::Failed => io::ErrorKind::Other,
                };
                let after = self.draw(OPERATIONS_MAX);
                self.platter.fail_after(after, kind);
            }
            Commit::Torn(_) => {
                let after = self.draw(OPERATIONS_MAX);
                self.platter.fail_after(after, io::ErrorKind::Other);
            }
        }
        let stored = self.store().commit(writes);
        if let Commit::Torn(_) = how {
            self.power_cut();
            self.store = None;
        }
        self.platter.mend();
        stored
    }
}

/// Where the real store keeps its records; the first byte of a name is its table's number.
const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
/// Names and sealed bytes.
type Raw = (Vec<u8>, Vec<u8>);

fn database(platter: &Platter) -> Database {
    redb::Builder::new().create_with_backend(platter.clone()).expect("the file opens")
}

fn records(platter: &Platter) -> Vec<Raw> {
    let database = database(platter);
    let transaction = database.begin_read().expect("readable");
    let table = transaction.open_table(RECORDS).expect("records");
    let all = table.iter().expect("readable").map(|entry| {
        let (name, sealed) = entry.expect("readable");
        (name.value().to_vec(), sealed.value().to_vec())
    });
    all.collect()
}

fn write_raw(platter: &Platter, changes: &[(&Vec<u8>, Option<Vec<u8>>)]) {
    let database = database(platter);
    let transaction = database.begin_write().expect("writable");
    {
        let mut table = transaction.open_table(RECORDS).expect("records");
        for (name, sealed) in changes {
            match sealed {
                Some(sealed) => table.insert(name.as_slice(), sealed.as_slice()).expect("written"),
                None => table.remove(name.as_slice()).expect("removed"),
            };
        }
    }
    transaction.commit().expect("committed");
}

/// Not the index.
fn may_go_bad(what: Harm, all: &[Raw], at: usize) -> bool {
    let table = all.get(at).and_then(|(name, _)| name.first());
    match what {
        Harm::Records => matches!(table, Some(2..=4 | 6 | 7)),
        Harm::Enrolments => matches!(table, Some(1 | 5)),
    }
}

fn flipped(bytes: &[u8], luck: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let count = u64::try_from(bytes.len()).unwrap_or(0).max(1);
    let place = usize::try_from(luck % count).unwrap_or(0);
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << (luck % 8);
    }
    bytes
}

/// As the store names a record that it cannot read.
fn words_of(name: &[u8]) -> (&'static str, String) {
    let (table, id) = name.split_first().unwrap_or((&0, &[]));
    let payment = <[u8; 16]>::try_from(id).ok().and_then(|id| PaymentId::from_bytes(id).ok());
    let id = payment.map_or_else(|| data_encoding::HEXLOWER.encode(id), |id| id.to_string());
    let table = match table {
        1 => "enrolment",
        5 => "earlier enrolment",
        2 => "config",
        3 => "counters",
        4 => "payment",
        6 => "clock",
        _ => "notice",
    };
    (table, id)
}
