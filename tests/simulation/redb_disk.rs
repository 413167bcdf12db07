//! The handheld's real store on a [`Platter`]: sealed records in redb, with every fault below redb.

use super::platter::{Platter, Remains};
use super::{Commit, Disk};
use holdfast_domain::Secret;
use holdfast_handheld::engine::{Durable, StoreFault, Write};
use holdfast_handheld::software::SoftwareVault;
use holdfast_handheld::store::{RecordStore, SealedStore};
use std::io;

/// A commit takes no more changes and syncs than this; a fault is aimed at one of them.
const OPERATIONS_MAX: u64 = 24;

/// Real records in a real file.
pub struct RedbDisk {
    platter: Platter,
    store: Option<SealedStore>,
    /// Its own luck, so that the run is the same as on records in memory.
    luck: u64,
}

impl RedbDisk {
    /// A new file; the seed decides where faults strike.
    pub fn new(seed: u64) -> Self {
        let platter = Platter::default();
        Self { store: Some(opened(&platter)), platter, luck: seed }
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
        let platter = &self.platter;
        self.store.get_or_insert_with(|| opened(platter))
    }
}

/// Opens whatever is there. That it can be opened is part of what is proved.
pub fn opened(platter: &Platter) -> SealedStore {
    let platter = platter.clone();
    let vault = SoftwareVault::new(&Secret::new([8; 32]));
    SealedStore::on_storage(move || platter.clone(), &vault).expect("the file opens")
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
            Commit::Fails { kept: true, .. } => self.platter.fail_syncs(),
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
