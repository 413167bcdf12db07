//! The handheld's disk, record by record.

use super::Broken;
use data_encoding::HEXLOWER;
use holdfast_handheld::engine::{
    Counters, Durable, Key, NoticeTag, Quarantined, Record, StoreFault, Write,
};
use holdfast_handheld::view::RecordFault;
use std::collections::BTreeMap;

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It is done.
    Whole,
    /// It is refused. With `kept`, the disk has it all the same, should the power go now.
    Fails {
        /// What the engine is told.
        fault: StoreFault,
        /// See above.
        kept: bool,
    },
    /// The process ends inside it, after so many parts in a thousand.
    Torn(u32),
}

/// A disk with the faults that a simulation wants.
pub trait Disk {
    /// What is there after a start.
    fn load(&mut self) -> Durable;

    /// Stores all of it or none, as `how` says; after [`Commit::Torn`] comes a start.
    fn commit(&mut self, writes: &[Write], how: Commit) -> Result<(), StoreFault>;

    /// A record goes bad while the handheld is off: a bit of it flips, it is gone, or another one's
    /// bytes stand in its place. `luck` decides which and how. What it was, in words.
    fn harm(&mut self, what: Harm, luck: u64) -> String;
}

/// Which records go bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Any but those of an enrolment.
    Records,
    /// Those that say who the handheld is, or was.
    Enrolments,
}

/// Records in memory: what the engine may rely on, and no more than that.
///
/// A commit that failed may be there after a restart, until the next commit takes it back: the real
/// store promises the same ([`holdfast_handheld::store::SealedStore`]).
#[derive(Default)]
pub struct MemoryDisk {
    records: BTreeMap<Key, Record>,
    unsure: Option<Vec<Write>>,
    /// What went bad and was not written since.
    harmed: BTreeMap<Key, Quarantined>,
    broken: Option<Broken>,
}

impl MemoryDisk {
    /// An empty disk, perhaps with a mistake built in.
    pub fn new(broken: Option<Broken>) -> Self {
        Self { broken, ..Self::default() }
    }

    fn store(&mut self, writes: &[Write]) {
        if self.broken == Some(Broken::OutboxDropped) && writes.iter().any(is_new_counters) {
            self.records.retain(|key, _| !matches!(key, Key::Payment(_)));
        }
        for write in writes {
            self.harmed.remove(&write.key());
            match write {
                Write::Put(record) => self.records.insert(record.key(), record.clone()),
                Write::Delete(key) => self.records.remove(key),
            };
        }
    }
}

impl Disk for MemoryDisk {
    fn load(&mut self) -> Durable {
        if let Some(writes) = self.unsure.take() {
            self.store(&writes);
        }
        let good = self.records.iter().filter(|(key, _)| !self.harmed.contains_key(key));
        let good = good.map(|(_, record)| record.clone()).collect();
        let named = match self.broken {
            Some(Broken::DamageUnsaid) => Vec::new(),
            _ => self.harmed.values().cloned().collect(),
        };
        Durable::load(good, named)
    }

    fn harm(&mut self, what: Harm, luck: u64) -> String {
        let all = self.records.keys().copied().filter(|key| may_go_bad(what, key));
        let all: Vec<Key> = all.collect();
        let Some((one, luck)) = picked(&all, luck) else { return "nothing".to_owned() };
        let (two, fault) = match luck % 4 {
            0 => (None, RecordFault::Damaged),
            1 => (None, RecordFault::Missing),
            2 => (None, RecordFault::RolledBack),
            // Two that change places: neither opens under the other's name.
            _ => (picked(&all, luck / 4).map(|(two, _)| two), RecordFault::Damaged),
        };
        for key in [Some(one), two].into_iter().flatten() {
            let Some(record) = self.records.get(&key) else { continue };
            let (table, record_id) = in_words(key);
            let may_be_held = may_be_held(record);
            self.harmed.insert(key, Quarantined { table, record_id, fault, may_be_held });
        }
        format!("{:?}", self.harmed.values().collect::<Vec<_>>())
    }

    fn commit(&mut self, writes: &[Write], how: Commit) -> Result<(), StoreFault> {
        match how {
            Commit::Whole => {
                self.unsure = None;
                self.store(writes);
                Ok(())
            }
            Commit::Fails { fault, kept } => {
                // Only the first that failed can be there: a second one begins by taking it back.
                self.unsure = kept.then(|| writes.to_vec());
                Err(fault)
            }
            // A commit of the real store turns valid with its last byte; here it is a matter of luck.
            Commit::Torn(per_mille) => {
                if per_mille >= 500 {
                    self.unsure = None;
                    self.store(writes);
                }
                Err(StoreFault::Failed)
            }
        }
    }
}

fn may_go_bad(what: Harm, key: &Key) -> bool {
    matches!(key, Key::Enrolment | Key::Earlier(_)) == (what == Harm::Enrolments)
}

/// True for what is stored when a handheld becomes another one.
fn is_new_counters(write: &Write) -> bool {
    matches!(write, Write::Put(Record::Counters(new)) if *new == Counters::new(new.device))
}

/// One of them, and the luck that is left.
fn picked<T: Copy>(all: &[T], luck: u64) -> Option<(T, u64)> {
    let count = u64::try_from(all.len()).ok()?;
    let at = usize::try_from(luck.checked_rem(count)?).ok()?;
    Some((*all.get(at)?, luck.checked_div(count)?))
}

/// As the real store's index notes it.
fn may_be_held(record: &Record) -> bool {
    match record {
        Record::Payment(payment) => payment.held.is_some(),
        _ => true,
    }
}

/// Table and ID as the real store names them.
pub(super) fn in_words(key: Key) -> (&'static str, String) {
    match key {
        Key::Enrolment => ("enrolment", String::new()),
        Key::Config => ("config", String::new()),
        Key::Counters => ("counters", String::new()),
        Key::Payment(payment) => ("payment", payment.to_string()),
        Key::Earlier(device) => ("earlier enrolment", HEXLOWER.encode(device.as_bytes())),
        Key::Clock => ("clock", String::new()),
        Key::Notice(payment, tag) => {
            let tag = match tag {
                NoticeTag::Cancel => 1,
                NoticeTag::Withdraw => 2,
                NoticeTag::Quarantined => 3,
            };
            let id = [payment.as_bytes().as_slice(), &[tag]].concat();
            ("notice", HEXLOWER.encode(&id))
        }
    }
}
