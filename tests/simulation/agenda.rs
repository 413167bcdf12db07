//! What happens next, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Things to come, by their time; those of one time in the order they were entered.
pub(super) struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    entered: u64,
}

struct Entry<T> {
    at_ms: i64,
    number: u64,
    what: T,
}

impl<T> Entry<T> {
    fn place(&self) -> (i64, u64) {
        (self.at_ms, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), entered: 0 }
    }

    pub(super) fn enter(&mut self, at_ms: i64, what: T) {
        self.entered = self.entered.wrapping_add(1);
        self.heap.push(Reverse(Entry { at_ms, number: self.entered, what }));
    }

    /// The next thing, if it happens by then.
    pub(super) fn next_until(&mut self, until_ms: i64) -> Option<(i64, T)> {
        if self.heap.peek()?.0.at_ms > until_ms {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at_ms, entry.what))
    }
}
