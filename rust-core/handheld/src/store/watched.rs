//! Storage that does not trust itself after a sync that failed.
//!
//! When a sync fails, the system may forget what it was to write and still show it to whoever reads:
//! the next sync then succeeds, and the bytes are not on the disk (the "fsyncgate" of 2018; Rebello et
//! al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). A database that goes on would
//! build on pages that the next power cut takes away.
//!
//! So every block that was written since the last good sync is remembered. Once a sync has failed they
//! are in doubt, and stay so, whatever later syncs say, until each was written again and *that* was
//! synced; before, nothing may be stored. What is written is what is read there: either way the file is
//! at a state that redb can tell whole from half.
//!
//! A process that ends in doubt leaves a mark beside the file, so that the next one writes all of it
//! again. The mark need not be synced: it is to live as long as the system's memory of the file does,
//! and a power cut that takes the one takes the other.

use redb::StorageBackend;
use std::collections::BTreeSet;
use std::fs::{File, remove_file};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is remembered of a write, in bytes: a page of redb's and of the system's.
const BLOCK_BYTES: u64 = 4096;

/// What is not known to be on the disk. Outlives the storage, which is opened anew after an error.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Blocks that were written since the last good sync.
    written: BTreeSet<u64>,
    /// A sync succeeded since this process began: nothing of an earlier one's waits any more.
    began: bool,
    /// A sync failed since.
    failed: bool,
    /// Everything may be missing: the process before this one ended in doubt, or had not synced all that
    /// it wrote when it ended, and this one's first sync failed.
    all: bool,
    /// Where the mark is made.
    mark: Option<PathBuf>,
}

impl Doubt {
    /// With a mark beside the file, which may be there from before.
    pub(super) fn marked_by(mark: PathBuf) -> Self {
        let all = mark.exists();
        let state = State { failed: all, all, mark: Some(mark), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wrote(&mut self, offset: u64, length: usize) {
        let length = u64::try_from(length).unwrap_or(u64::MAX).max(1);
        let last = offset.saturating_add(length).saturating_sub(1) / BLOCK_BYTES;
        self.written.extend(offset / BLOCK_BYTES..=last);
    }

    fn sync_failed(&mut self) {
        log::error!(
            "storage: a sync failed; what was written is written again before anything else"
        );
        self.failed = true;
        self.all |= !self.began;
        if let Some(mark) = &self.mark
            && let Err(error) = File::create(mark)
        {
            log::error!("storage: no mark could be made of it: {error}");
        }
    }

    fn is_over(&mut self) {
        *self = Self { began: true, mark: self.mark.take(), ..Self::default() };
        if let Some(mark) = &self.mark {
            // It may not be there; one that stays costs a start some milliseconds.
            let _ = remove_file(mark);
        }
    }
}

/// Storage below redb, watched.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    doubt: Doubt,
}

impl<S: StorageBackend> Watched<S> {
    /// The storage, once nothing of it is in doubt any more.
    pub(super) fn new(inner: S, doubt: Doubt) -> io::Result<Self> {
        let watched = Self { inner, doubt };
        watched.write_again()?;
        Ok(watched)
    }

    /// Writes what is in doubt once more, and syncs it.
    fn write_again(&self) -> io::Result<()> {
        let mut state = self.doubt.lock();
        if !state.failed {
            return Ok(());
        }
        let length = self.inner.len()?;
        // The file may also have grown, or shrunk, for those who read it alone.
        self.inner.set_len(length)?;
        let blocks = length.div_ceil(BLOCK_BYTES);
        let whole = if state.all { 0..blocks } else { 0..0 };
        let some = state.written.iter().copied().take_while(|block| *block < blocks);
        let mut buffer = [0; BLOCK_BYTES as usize];
        for block in whole.chain(some.filter(|_| !state.all)) {
            let offset = block.saturating_mul(BLOCK_BYTES);
            let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
            let wanted = left.min(buffer.len());
            let Some(bytes) = buffer.get_mut(..wanted) else { continue };
            self.inner.read(offset, bytes)?;
            self.inner.write(offset, bytes)?;
        }
        self.inner.sync_data()?;
        state.is_over();
        log::info!("storage: everything is on the disk again");
        Ok(())
    }
}

impl<S: StorageBackend> StorageBackend for Watched<S> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.inner.sync_data();
        let mut state = self.doubt.lock();
        match &synced {
            // In doubt, a sync that succeeds says nothing about what an earlier one forgot.
            Ok(()) if !state.failed => {
                state.began = true;
                state.written.clear();
            }
            Ok(()) => {}
            Err(_) => state.sync_failed(),
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.doubt.lock().wrote(offset, data.len());
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}
