//! Lists: one page of rows that stand in the order of their creation, newest first. What lists are
//! filtered by is a group of its own, so that a list costs its page and not the table.

use std::ops::Range;

use super::error::ApiError;
use super::fields::Fields;
use super::model::Id;

/// Stripe's default page.
const PAGE_DEFAULT: i64 = 10;
/// Stripe's largest page.
const PAGE_MAX: i64 = 100;

/// Which rows a list is of.
pub(super) enum Among<'a> {
    /// All.
    All,
    /// Those of a group.
    Group(&'a str),
    /// Those with these IDs.
    These(Vec<Id>),
}

/// Places of rows, in order.
pub(super) type Places<'a> = Box<dyn DoubleEndedIterator<Item = usize> + 'a>;

/// Rows in the order of their creation. Time never runs backwards in the sandbox.
pub(super) trait Shelf {
    /// What a list is made of; cheap to have.
    type Row;

    fn len(&self) -> usize;
    /// When the row at a place was made, in Unix seconds.
    fn created(&self, at: usize) -> Option<i64>;
    fn row(&self, at: usize) -> Option<Self::Row>;
    /// Where the row with this ID is.
    fn position(&self, id: &str) -> Option<usize>;
    /// Where the rows of a group are, within a range of places.
    fn members(&self, group: &str, within: Range<usize>) -> Places<'_>;

    /// One page of the rows that `keep` keeps, and whether more follow.
    fn page(
        &self,
        query: &Query,
        among: &Among<'_>,
        keep: impl Fn(&Self::Row) -> bool,
    ) -> Result<(Vec<Self::Row>, bool), ApiError> {
        let known = |id: &str, param: &str| {
            self.position(id).ok_or_else(|| ApiError::no_such("object", id, param))
        };
        let mut low = self.first_where(|created| created >= query.from);
        let mut high = self.first_where(|created| created > query.to);
        if let Some(id) = &query.starting_after {
            high = high.min(known(id, "starting_after")?);
        }
        if let Some(id) = &query.ending_before {
            low = low.max(known(id, "ending_before")?.saturating_add(1));
        }
        let within = low..high.max(low);
        let places: Places<'_> = match among {
            Among::All => Box::new(within),
            Among::Group(group) => self.members(group, within),
            Among::These(ids) => {
                let found = ids.iter().filter_map(|id| self.position(id));
                let mut found: Vec<usize> = found.filter(|at| within.contains(at)).collect();
                found.sort_unstable();
                found.dedup();
                Box::new(found.into_iter())
            }
        };
        let mut page = query.take(places.filter_map(|at| self.row(at)), keep);
        let has_more = page.len() > query.limit;
        page.truncate(query.limit);
        if query.ending_before.is_some() {
            page.reverse();
        }
        Ok((page, has_more))
    }

    /// The first place whose time is so; times only grow.
    fn first_where(&self, is_so: impl Fn(i64) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.created(middle).is_some_and(&is_so) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        low
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
    fn take<R>(
        &self,
        rows: impl DoubleEndedIterator<Item = R>,
        keep: impl Fn(&R) -> bool,
    ) -> Vec<R> {
        let wanted = self.limit.saturating_add(1);
        let kept = rows.filter(keep);
        if self.ending_before.is_some() {
            kept.take(wanted).collect()
        } else {
            kept.rev().take(wanted).collect()
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
