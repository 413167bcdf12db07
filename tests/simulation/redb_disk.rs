//! The handheld's real store on a [`Platter`]: sealed records in redb, with every fault below redb.

use super::ledger::folder;
use super::platter::{Forgets, Platter, Remains};
use super::{Commit, Disk};
use holdfast_domain::Secret;
use holdfast_handheld::engine::{Durable, StoreFault, Write};
use holdfast_handheld::software::SoftwareVault;
use holdfast_handheld::store::{RecordStore, SealedStore};
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
    /// Its own luck, so that the run is the same as on records in memory.
    luck: u64,
}

impl RedbDisk {
    /// A new file; the seed decides where faults strike.
    pub fn new(seed: u64) -> Self {
        let (platter, mark) = (Platter::default(), folder());
        let store = Some(opened_with(&platter, &mark));
        Self { platter, mark, store, luck: seed }
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
        assert_eq!(durable.quarantine(), [], "nothing is half there");
        durable
    }

    fn commit(&mut self, writes: &[Write], how: Commit) -> Result<(), StoreFault> {
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
