//! The tables in the hands of one decision: read as they are, written so that it can be taken back.

use super::Tables;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};

/// Where the tables lie while nobody works on them.
pub(super) struct Place {
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    /// None while somebody works on them.
    tables: Option<Box<Tables>>,
    /// How many wait for them: nobody is woken where nobody sleeps, for that is a call to the system.
    waiting: usize,
}

/// How a write is taken back.
type Undo = Box<dyn FnOnce(&mut Tables) + Send>;
/// Finds a table among all.
type Of<K, V> = fn(&mut Tables) -> &mut BTreeMap<K, V>;

/// The tables, until they go back: when their decision ends, however it ends.
pub(super) struct Rows<'p> {
    /// Always there until the end, when they go back. An empty set in their place would be made and
    /// taken apart for each decision.
    tables: Option<Box<Tables>>,
    /// The first write first.
    undo: Vec<Undo>,
    place: &'p Place,
}

impl Place {
    pub(super) fn new() -> Self {
        let state = State { tables: Some(Box::default()), waiting: 0 };
        Self { state: Mutex::new(state), returned: Condvar::new() }
    }

    /// Takes the tables, once whoever has them gives them back. A decision on memory never waits
    /// for anything else, so this does not take long.
    pub(super) fn take(&self) -> Rows<'_> {
        // A panic among the rows is a failed test; they are of no more use then.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(tables) = state.tables.take() {
                return Rows { tables: Some(tables), undo: Vec::new(), place: self };
            }
            state.waiting = state.waiting.saturating_add(1);
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting = state.waiting.saturating_sub(1);
        }
    }
}

impl Rows<'_> {
    /// Writes a row, or removes it; true if one was there before.
    pub(super) fn write<K, V>(&mut self, of: Of<K, V>, key: K, row: Option<V>) -> bool
    where
        K: Ord + Clone + Send + 'static,
        V: Send + 'static,
    {
        let before = exchange(of(self.all()), key.clone(), row);
        let was_there = before.is_some();
        self.undo.push(Box::new(move |tables| {
            exchange(of(tables), key, before);
        }));
        was_there
    }

    /// Adds a row at the end of a list.
    pub(super) fn push<V: Send + 'static>(&mut self, of: fn(&mut Tables) -> &mut Vec<V>, row: V) {
        of(self.all()).push(row);
        self.undo.push(Box::new(move |tables| {
            of(tables).pop();
        }));
    }

    /// A number that was never given. It is not taken back: a fence may be skipped, never given twice.
    pub(super) fn next_fence(&mut self) -> u64 {
        let tables = self.all();
        tables.last_fence = tables.last_fence.saturating_add(1);
        tables.last_fence
    }

    /// Takes every write back, the last one first.
    pub(super) fn roll_back(&mut self) {
        for undo in std::mem::take(&mut self.undo).into_iter().rev() {
            undo(self.all());
        }
    }

    /// Everything, for a test that changes what it likes.
    pub(super) fn all(&mut self) -> &mut Tables {
        self.tables.get_or_insert_default()
    }
}

impl Deref for Rows<'_> {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        static NONE: LazyLock<Tables> = LazyLock::new(Tables::default);
        self.tables.as_deref().unwrap_or_else(|| &NONE)
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        let mut state = self.place.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tables = self.tables.take();
        if state.waiting > 0 {
            self.place.returned.notify_one();
        }
    }
}

fn exchange<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, row: Option<V>) -> Option<V> {
    match row {
        Some(row) => table.insert(key, row),
        None => table.remove(&key),
    }
}
