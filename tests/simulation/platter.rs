//! A file in memory below redb, as bad as a disk can be: it remembers what was not synced, loses any
//! of it when the power goes, tears a write at any byte, and fails at any write, sync or growth.

use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a write of less interest is torn: at each so many bytes.
const STRIDE: usize = 64;

/// The file. Clones are the same file.
#[derive(Debug, Clone, Default)]
pub struct Platter(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default)]
struct State {
    /// What a process reads.
    seen: Vec<u8>,
    /// What survives a power cut for certain.
    synced: Vec<u8>,
    /// What came since the last sync, in order.
    pending: Vec<Change>,
    /// The change that was being made when the disk began to fail.
    under_way: Option<Change>,
    /// Changes and syncs still to succeed, and how the next one fails then.
    fails_after: Option<(u64, io::ErrorKind)>,
    /// Changes arrive, but nobody can say so.
    syncs_fail: bool,
    /// How a sync fails, and loses what it was to bring to the disk.
    forgets: Option<Forgets>,
    /// Changes and syncs so far.
    operations: u64,
    /// What happened since it was asked for.
    journal: Option<Vec<Operation>>,
}

/// One operation on the file, in a journal.
#[derive(Debug, Clone)]
pub struct Operation(Option<Change>);

/// One change of the file.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Length(length) => file.resize(*length, 0),
            Self::Write { at, bytes } => {
                let end = at.saturating_add(bytes.len());
                if file.len() < end {
                    file.resize(end, 0);
                }
                if let Some(place) = file.get_mut(*at..end) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }

    /// Only the first bytes of it.
    fn torn(&self, length: usize) -> Self {
        match self {
            Self::Write { at, bytes } => {
                Self::Write { at: *at, bytes: bytes.get(..length).unwrap_or(bytes).to_vec() }
            }
            whole @ Self::Length(_) => whole.clone(),
        }
    }

    /// True if its byte at this place is another than the file's, or is the first after its end: a
    /// tear elsewhere leaves the same file as the tear before it.
    fn changes(&self, file: &[u8], place: usize) -> bool {
        match self {
            Self::Write { at, bytes } => {
                bytes.get(place).is_none_or(|byte| file.get(at.saturating_add(place)) != Some(byte))
            }
            Self::Length(_) => true,
        }
    }

    /// True for the head of the file, and for what has these bytes in it.
    fn matters(&self, part: &[u8]) -> bool {
        match self {
            Self::Write { at, bytes } => {
                *at == 0 || bytes.windows(part.len()).any(|window| window == part)
            }
            Self::Length(_) => false,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Write { bytes, .. } => bytes.len(),
            Self::Length(_) => 0,
        }
    }
}

/// What a system does whose sync failed: it takes what was to be written for written, and the next sync
/// succeeds (the "fsyncgate" of 2018).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgets {
    /// Once; whoever reads sees what was written (ext4, XFS).
    OnceUnseen,
    /// Once; whoever reads sees what was there before (Btrfs).
    OnceSeen,
    /// At each sync, unseen.
    Always,
}

/// What becomes of a change that was not synced, when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// It is on disk.
    Whole,
    /// Its first bytes are.
    Torn(usize),
    /// Nothing of it is.
    Lost,
}

impl Platter {
    /// Lets so many changes and syncs pass, and fails from then on.
    pub fn fail_after(&self, operations: u64, kind: io::ErrorKind) {
        self.lock().fails_after = Some((operations, kind));
    }

    /// Takes changes, and fails at each sync.
    pub fn fail_syncs(&self) {
        self.lock().syncs_fail = true;
    }

    /// Fails the next sync, and forgets.
    pub fn forget_at_sync(&self, how: Forgets) {
        self.lock().forgets = Some(how);
    }

    /// Works again.
    pub fn mend(&self) {
        let mut state = self.lock();
        state.forgets = None;
        state.fails_after = None;
        state.syncs_fail = false;
        state.under_way = None;
    }

    /// Changes and syncs so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// True if the disk has what is seen, once all that was written since the last sync is there as well.
    pub fn is_as_it_seems(&self) -> bool {
        let state = self.lock();
        let mut file = state.synced.clone();
        state.pending.iter().for_each(|change| change.apply(&mut file));
        file == state.seen
    }

    /// Begins to keep a journal.
    pub fn keep_journal(&self) {
        self.lock().journal = Some(Vec::new());
    }

    /// What happened since [`Platter::keep_journal`].
    pub fn take_journal(&self) -> Vec<Operation> {
        self.lock().journal.take().unwrap_or_default()
    }

    /// The file as it is found after a power cut, which decides on each change that was not synced,
    /// told its length in bytes.
    pub fn after_power_cut(&self, mut decide: impl FnMut(usize) -> Remains) -> Self {
        let state = self.lock();
        let mut file = state.synced.clone();
        for change in state.pending.iter().chain(&state.under_way) {
            match decide(change.length()) {
                Remains::Whole => change.apply(&mut file),
                Remains::Torn(length) => change.torn(length).apply(&mut file),
                Remains::Lost => {}
            }
        }
        Self::of(file)
    }

    /// The same file for the next process: the process ended, the power did not. It sees what was
    /// written; what was not synced is no safer for that.
    pub fn after_kill(&self) -> Self {
        let State { seen, synced, pending, .. } = &*self.lock();
        let (seen, synced, pending) = (seen.clone(), synced.clone(), pending.clone());
        Self(Arc::new(Mutex::new(State { seen, synced, pending, ..State::default() })))
    }

    /// The files that a power cut during these operations can leave of this one, where the disk has
    /// one write half done and nothing else of them, or all else. The file's head, and each write
    /// with these bytes in it, are torn at every byte; others at some.
    pub fn torn(&self, operations: &[Operation], bytes: &[u8], mut each: impl FnMut(Self)) {
        let before = self.lock().seen.clone();
        let changes = operations.iter().filter_map(|Operation(change)| change.as_ref());
        for (number, change) in changes.clone().enumerate() {
            let stride = if change.matters(bytes) { 1 } else { STRIDE };
            let mut all_else = before.clone();
            let others = changes.clone().enumerate().filter(|(other, _)| *other != number);
            others.for_each(|(_, other)| other.apply(&mut all_else));
            for file in [&before, &all_else] {
                let changed = |length: &usize| change.changes(file, *length);
                for length in (0..=change.length()).step_by(stride).filter(changed) {
                    let mut torn = file.clone();
                    change.torn(length).apply(&mut torn);
                    each(Self::of(torn));
                }
            }
        }
    }

    fn of(file: Vec<u8>) -> Self {
        let state = State { synced: file.clone(), seen: file, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.lock();
        if let Err(error) = state.may_go_on() {
            state.under_way.get_or_insert(change);
            return Err(error);
        }
        change.apply(&mut state.seen);
        state.journal.iter_mut().for_each(|journal| journal.push(Operation(Some(change.clone()))));
        state.pending.push(change);
        Ok(())
    }
}

impl State {
    fn forget(&mut self, how: Forgets) -> io::Error {
        self.pending.clear();
        match how {
            Forgets::OnceUnseen => self.forgets = None,
            Forgets::OnceSeen => {
                self.forgets = None;
                self.seen = self.synced.clone();
            }
            Forgets::Always => {}
        }
        io::ErrorKind::Other.into()
    }

    fn may_go_on(&mut self) -> io::Result<()> {
        self.operations = self.operations.saturating_add(1);
        match &mut self.fails_after {
            None => Ok(()),
            Some((0, kind)) => Err((*kind).into()),
            Some((left, _)) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
        }
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput.into())
}

impl StorageBackend for Platter {
    fn len(&self) -> io::Result<u64> {
        u64::try_from(self.lock().seen.len()).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock();
        let start = place(offset)?;
        let found = state.seen.get(start..start.saturating_add(out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(place(len)?))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.may_go_on()?;
        if state.syncs_fail {
            return Err(io::ErrorKind::Other.into());
        }
        if let Some(how) = state.forgets {
            return Err(state.forget(how));
        }
        state.journal.iter_mut().for_each(|journal| journal.push(Operation(None)));
        let State { synced, pending, .. } = &mut *state;
        pending.drain(..).for_each(|change| change.apply(synced));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write { at: place(offset)?, bytes: data.to_vec() })
    }
}
