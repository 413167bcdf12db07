//! The handheld's disk, record by record.

use holdfast_handheld::engine::{Durable, Key, Record, StoreFault, Write};
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
}

/// Records in memory: what the engine may rely on, and no more than that.
///
/// A commit that failed may be there after a restart, until the next commit takes it back: the real
/// store promises the same ([`holdfast_handheld::store::SealedStore`]).
#[derive(Default)]
pub struct MemoryDisk {
    records: BTreeMap<Key, Record>,
    unsure: Option<Vec<Write>>,
}

impl MemoryDisk {
    fn store(&mut self, writes: &[Write]) {
        for write in writes {
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
        Durable::load(self.records.values().cloned().collect(), Vec::new())
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
