//! Rows in the order of their creation, found by ID, listed newest first. What lists are filtered
//! by is a group of its own, so that a list costs its page and not the table.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::error::ApiError;
use super::fields::Fields;
use super::model::{Id, Row};

/// Stripe's default page.
const PAGE_DEFAULT: i64 = 10;
/// Stripe's largest page.
const PAGE_MAX: i64 = 100;

pub(super) struct Table<T> {
    rows: Vec<Arc<T>>,
    by_id: HashMap<Id, usize>,
    groups: HashMap<Id, BTreeSet<usize>>,
}

/// Which rows a list is of.
pub(super) enum Among<'a> {
    /// All.
    All,
    /// Those of a group.
    Group(&'a str),
    /// Those with these IDs.
    These(Vec<Id>),
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), by_id: HashMap::new(), groups: HashMap::new() }
    }
}

impl<T: Row> Table<T> {
    pub(super) fn insert(&mut self, row: T) -> Arc<T> {
        let row = Arc::new(row);
        self.by_id.insert(row.id().clone(), self.rows.len());
        self.rows.push(row.clone());
        row
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<T>> {
        self.by_id.get(id).and_then(|at| self.rows.get(*at))
    }

    /// Changes a row; whoever holds the old one keeps it as it was.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut T)) -> Option<Arc<T>> {
        let row = self.by_id.get(id).and_then(|at| self.rows.get_mut(*at))?;
        change(Arc::make_mut(row));
        Some(row.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Puts a row into a group.
    pub(super) fn group(&mut self, group: &str, id: &str) {
        let Some(at) = self.by_id.get(id).copied() else { return };
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
        if let (Some(members), Some(at)) = (self.groups.get_mut(group), self.by_id.get(id)) {
            members.remove(at);
        }
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> {
        self.rows.iter()
    }

    /// One page of the rows that `keep` keeps, newest first, and whether more follow.
    pub(super) fn page(
        &self,
        query: &Query,
        among: &Among<'_>,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(Vec<Arc<T>>, bool), ApiError> {
        // Time never runs backwards in the sandbox, so rows are ordered by creation.
        let mut low = self.rows.partition_point(|row| row.created() < query.from);
        let mut high = self.rows.partition_point(|row| row.created() <= query.to);
        if let Some(id) = &query.starting_after {
            high = high.min(self.position(id, "starting_after")?);
        }
        if let Some(id) = &query.ending_before {
            low = low.max(self.position(id, "ending_before")?.saturating_add(1));
        }
        let high = high.max(low);
        let picked: BTreeSet<usize>;
        let none = BTreeSet::new();
        let members = match among {
            Among::All => None,
            Among::Group(group) => Some(self.groups.get(*group).unwrap_or(&none)),
            Among::These(ids) => {
                picked = ids.iter().filter_map(|id| self.by_id.get(id).copied()).collect();
                Some(&picked)
            }
        };
        let mut page = match members {
            None => query.take((low..high).map(|at| self.rows.get(at)), keep),
            Some(members) => {
                query.take(members.range(low..high).map(|at| self.rows.get(*at)), keep)
            }
        };
        let has_more = page.len() > query.limit;
        page.truncate(query.limit);
        if query.ending_before.is_some() {
            page.reverse();
        }
        Ok((page, has_more))
    }

    fn position(&self, id: &str, param: &str) -> Result<usize, ApiError> {
        let found = self.by_id.get(id).copied();
        found.ok_or_else(|| ApiError::no_such("object", id, param))
    }
}

/// Which page of a list.
pub(super) struct Query {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    from: i64,
    to: i64,
}

impl Query {
    /// One row more than the page has, from the end that it begins at.
    fn take<'a, T: 'a>(
        &self,
        rows: impl DoubleEndedIterator<Item = Option<&'a Arc<T>>>,
        keep: impl Fn(&T) -> bool,
    ) -> Vec<Arc<T>> {
        let wanted = self.limit.saturating_add(1);
        let kept = rows.flatten().filter(|row| keep(row));
        if self.ending_before.is_some() {
            kept.take(wanted).cloned().collect()
        } else {
            kept.rev().take(wanted).cloned().collect()
        }
    }

    /// The page of a list that begins with its oldest.
    pub(super) fn of(&self, ids: &[String]) -> Result<std::ops::Range<usize>, ApiError> {
        let position = |id: &String, param: &str| {
            let found = ids.iter().position(|known| known == id);
            found.ok_or_else(|| ApiError::no_such("object", id, param))
        };
        if let Some(id) = &self.ending_before {
            let end = position(id, "ending_before")?;
            return Ok(end.saturating_sub(self.limit)..end);
        }
        let start = match &self.starting_after {
            Some(id) => position(id, "starting_after")?.saturating_add(1),
            None => 0,
        };
        Ok(start..start.saturating_add(self.limit).min(ids.len()))
    }

    /// Reads the parameters that every list takes.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, ApiError> {
        let limit = fields.integer("limit")?.unwrap_or(PAGE_DEFAULT);
        if !(1..=PAGE_MAX).contains(&limit) {
            let message = format!("This value must be between 1 and {PAGE_MAX}.");
            return Err(ApiError::invalid(message).with_param("limit"));
        }
        let (from, to) = fields.window("created")?;
        Ok(Self {
            limit: usize::try_from(limit).unwrap_or(1),
            starting_after: fields.text("starting_after")?.map(str::to_owned),
            ending_before: fields.text("ending_before")?.map(str::to_owned),
            from,
            to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::parse;
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
