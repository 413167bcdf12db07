//! Rows in the order of their creation, found by ID. There are very many, so what finds them is kept
//! small: places of four bytes, and no second copy of an ID.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;

use super::model::{Id, Row};
use super::shelf::{Places, Shelf};

pub(super) struct Table<T> {
    rows: Vec<Arc<T>>,
    by_id: Index,
    groups: HashMap<Id, BTreeSet<u32>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), by_id: Index::default(), groups: HashMap::new() }
    }
}

impl<T: Row> Table<T> {
    pub(super) fn insert(&mut self, row: T) -> Arc<T> {
        let row = Arc::new(row);
        make_room(&mut self.rows);
        self.rows.push(row.clone());
        let rows = &self.rows;
        self.by_id.note(row.id(), rows.len().saturating_sub(1), |at| {
            rows.get(at).map_or("", |row| row.id())
        });
        row
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.by_id.find(id, |at| self.rows.get(at).is_some_and(|row| **row.id() == *id))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<T>> {
        self.rows.get(self.find(id)?)
    }

    /// Changes a row; whoever holds the old one keeps it as it was.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut T)) -> Option<Arc<T>> {
        let at = self.find(id)?;
        let row = self.rows.get_mut(at)?;
        change(Arc::make_mut(row));
        Some(row.clone())
    }

    /// Puts a row into a group.
    pub(super) fn group(&mut self, group: &str, id: &str) {
        let Some(at) = self.find(id).and_then(|at| u32::try_from(at).ok()) else { return };
        match self.groups.get_mut(group) {
            Some(members) => {
                members.insert(at);
            }
            None => {
                self.groups.insert(group.into(), [at].into());
            }
        }
    }

    /// Takes a row out of a group.
    pub(super) fn ungroup(&mut self, group: &str, id: &str) {
        let at = self.find(id).and_then(|at| u32::try_from(at).ok());
        if let (Some(members), Some(at)) = (self.groups.get_mut(group), at) {
            members.remove(&at);
        }
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> {
        self.rows.iter()
    }
}

impl<T: Row> Shelf for Table<T> {
    type Row = Arc<T>;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn created(&self, at: usize) -> Option<i64> {
        self.rows.get(at).map(|row| row.created())
    }

    fn row(&self, at: usize) -> Option<Arc<T>> {
        self.rows.get(at).cloned()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.find(id)
    }

    fn members(&self, group: &str, within: Range<usize>) -> Places<'_> {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let within = place(within.start)..place(within.end);
        let members = self.groups.get(group).into_iter();
        let members = members.flat_map(move |members| members.range(within.clone()));
        Box::new(members.filter_map(|at| usize::try_from(*at).ok()))
    }
}

/// Makes room for one more. A vector left to itself doubles, and half of it may stay empty.
pub(super) fn make_room<T>(rows: &mut Vec<T>) {
    if rows.len() == rows.capacity() {
        rows.reserve_exact((rows.len() / 8).max(64));
    }
}

/// Where a row with an ID is. The IDs themselves stay with the rows.
#[derive(Default)]
pub(super) struct Index {
    places: HashTable<u32>,
    hasher: RandomState,
}

impl Index {
    /// Notes a row's place; `id_at` tells the ID at each place, this one included.
    pub(super) fn note<S: AsRef<str>>(&mut self, id: &str, at: usize, id_at: impl Fn(usize) -> S) {
        let Ok(place) = u32::try_from(at) else { return };
        let hasher = &self.hasher;
        let hash_at = |place: &u32| {
            hasher.hash_one(id_at(usize::try_from(*place).unwrap_or(usize::MAX)).as_ref())
        };
        self.places.insert_unique(hasher.hash_one(id), place, hash_at);
    }

    /// The place that `is_it` says yes to, among those that an ID may be at.
    pub(super) fn find(&self, id: &str, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let is_it = |place: &u32| usize::try_from(*place).is_ok_and(&is_it);
        let found = self.places.find(self.hasher.hash_one(id), is_it)?;
        usize::try_from(*found).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::Fields;
    use super::super::form::parse;
    use super::super::shelf::{Among, Query};
    use super::*;

    #[derive(Clone)]
    struct Dot {
        id: Id,
        created: i64,
    }

    impl Row for Dot {
        fn id(&self) -> &Id {
            &self.id
        }
        fn created(&self) -> i64 {
            self.created
        }
    }

    fn dots() -> Table<Dot> {
        let mut table = Table::default();
        for n in 1..=9_i64 {
            table.insert(Dot { id: format!("d{n}").into(), created: n / 2 });
        }
        table
    }

    fn page(query: &str) -> (String, bool) {
        let node = parse(query.as_bytes()).unwrap();
        let query = Query::read(&mut Fields::new(&node)).unwrap();
        let (rows, more) = dots().page(&query, &Among::All, |_| true).unwrap();
        (rows.iter().map(|row| &row.id[..]).collect::<Vec<_>>().join(" "), more)
    }

    #[test]
    fn pages_go_from_the_newest_back_and_forth() {
        assert_eq!(page("limit=3"), ("d9 d8 d7".into(), true));
        assert_eq!(page("limit=3&starting_after=d7"), ("d6 d5 d4".into(), true));
        assert_eq!(page("limit=3&starting_after=d4"), ("d3 d2 d1".into(), false));
        assert_eq!(page("limit=3&ending_before=d6"), ("d9 d8 d7".into(), false));
        assert_eq!(page("limit=2&ending_before=d6"), ("d8 d7".into(), true));
        assert_eq!(page("created[gte]=2&created[lt]=4"), ("d7 d6 d5 d4".into(), false));
        assert_eq!(page("created=4&limit=1"), ("d9".into(), true));
        assert_eq!(page("created[gt]=9"), (String::new(), false));
    }

    #[test]
    fn a_group_is_paged_like_a_table() {
        let mut table = dots();
        for id in ["d2", "d4", "d8", "d9"] {
            table.group("even", id);
        }
        table.ungroup("even", "d9");
        let page = |query: &str, among: &Among<'_>| {
            let node = parse(query.as_bytes()).unwrap();
            let query = Query::read(&mut Fields::new(&node)).unwrap();
            let (rows, more) = table.page(&query, among, |_| true).unwrap();
            (rows.iter().map(|row| &row.id[..]).collect::<Vec<_>>().join(" "), more)
        };
        let even = Among::Group("even");
        assert_eq!(page("limit=2", &even), ("d8 d4".into(), true));
        assert_eq!(page("limit=2&starting_after=d5", &even), ("d4 d2".into(), false));
        assert_eq!(page("ending_before=d3", &even), ("d8 d4".into(), false));
        assert_eq!(page("", &Among::Group("odd")), (String::new(), false));
        let these = Among::These(vec!["d7".into(), "d1".into(), "gone".into()]);
        assert_eq!(page("", &these), ("d7 d1".into(), false));
    }

    #[test]
    fn a_photograph_of_a_row_does_not_change_with_it() {
        let mut table = dots();
        let before = table.get("d1").unwrap().clone();
        let after = table.change("d1", |dot| dot.created = 100).unwrap();
        assert_eq!((before.created, after.created), (0, 100));
        assert!(table.change("gone", |_| ()).is_none());
    }

    #[test]
    fn a_page_after_nothing_known_is_refused() {
        let node = parse(b"starting_after=gone").unwrap();
        let query = Query::read(&mut Fields::new(&node)).unwrap();
        assert!(dots().page(&query, &Among::All, |_| true).is_err());
        for bad in ["limit=0", "limit=101", "limit=x"] {
            let node = parse(bad.as_bytes()).unwrap();
            assert!(Query::read(&mut Fields::new(&node)).is_err(), "{bad}");
        }
    }
}
