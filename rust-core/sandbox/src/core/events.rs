//! Events: noted when something happens, and queued for every endpoint that wants them. There are
//! several for each payment, so a row holds only what cannot be derived.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use holdfast_stripe::objects::EventType;

use super::ids::Ids;
use super::model::{Cause, Endpoint, Event, Snapshot};
use super::shelf::{Places, Shelf};
use super::table::{Index, make_room};
use super::{Core, Id};

/// Every event, oldest first.
#[derive(Default)]
pub(super) struct EventLog {
    rows: Vec<EventRow>,
    by_id: Index,
    /// Each type, with the places of its events in order.
    kinds: Vec<(EventType, Vec<u32>)>,
    kind_at: HashMap<EventType, u16>,
}

struct EventRow {
    /// What the ID's letters follow from.
    seed: u64,
    created: i64,
    subject: Snapshot,
    cause: Option<Arc<Cause>>,
    pending_webhooks: u32,
    kind: u16,
}

fn id_of(seed: u64) -> String {
    Ids::new(seed).text("evt_1", 23)
}

impl EventLog {
    fn add(&mut self, kind: EventType, row: EventRow) -> Option<Event> {
        let kind_at = self.kind(kind);
        let at = self.rows.len();
        let (_, places) = self.kinds.get_mut(usize::from(kind_at))?;
        make_room(places);
        places.push(u32::try_from(at).ok()?);
        make_room(&mut self.rows);
        let id = id_of(row.seed);
        self.rows.push(EventRow { kind: kind_at, ..row });
        let rows = &self.rows;
        self.by_id.note(&id, at, |at| rows.get(at).map(|row| id_of(row.seed)).unwrap_or_default());
        self.row(at)
    }

    fn kind(&mut self, kind: EventType) -> u16 {
        if let Some(at) = self.kind_at.get(&kind) {
            return *at;
        }
        let at = u16::try_from(self.kinds.len()).unwrap_or(u16::MAX);
        self.kind_at.insert(kind.clone(), at);
        self.kinds.push((kind, Vec::new()));
        at
    }

    pub(super) fn get(&self, id: &str) -> Option<Event> {
        self.row(self.position(id)?)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Event> {
        (0..self.rows.len()).filter_map(|at| self.row(at))
    }

    /// Says how many endpoints have not taken an event yet.
    pub(super) fn set_pending(&mut self, id: &str, pending_webhooks: u32) {
        let row = self.position(id).and_then(|at| self.rows.get_mut(at));
        if let Some(row) = row {
            row.pending_webhooks = pending_webhooks;
        }
    }
}

impl Shelf for EventLog {
    type Row = Event;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn created(&self, at: usize) -> Option<i64> {
        self.rows.get(at).map(|row| row.created)
    }

    fn row(&self, at: usize) -> Option<Event> {
        let row = self.rows.get(at)?;
        Some(Event {
            id: id_of(row.seed).into(),
            created: row.created,
            kind: self.kinds.get(usize::from(row.kind))?.0.clone(),
            subject: row.subject.clone(),
            cause: row.cause.clone(),
            pending_webhooks: row.pending_webhooks,
        })
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.by_id.find(id, |at| self.rows.get(at).is_some_and(|row| id_of(row.seed) == id))
    }

    fn members(&self, group: &str, within: Range<usize>) -> Places<'_> {
        let kind = self.kind_at.get(&EventType::from(group)).copied().map(usize::from);
        let places = kind.and_then(|at| self.kinds.get(at)).map(|(_, places)| places.as_slice());
        let places = places.unwrap_or_default();
        let place = |at: &u32| usize::try_from(*at).unwrap_or(usize::MAX);
        let low = places.partition_point(|at| place(at) < within.start);
        let high = places.partition_point(|at| place(at) < within.end);
        Box::new(places.get(low..high).unwrap_or_default().iter().map(place))
    }
}

impl Core {
    /// Notes that something happened to an object and queues its deliveries.
    pub(super) fn emit(&mut self, kind: EventType, subject: Snapshot) {
        let wanting: Vec<Id> = self
            .endpoints
            .iter()
            .filter(|endpoint| wants(endpoint, &kind))
            .map(|endpoint| endpoint.id.clone())
            .collect();
        let row = EventRow {
            seed: self.ids.seed(),
            created: self.now_s(),
            subject,
            cause: self.cause.clone(),
            pending_webhooks: u32::try_from(wanting.len()).unwrap_or(u32::MAX),
            kind: 0,
        };
        let Some(event) = self.events.add(kind, row) else { return };
        for endpoint in wanting {
            let mishap = self.faults.strike_webhook(&event.kind);
            self.deliveries.queue(event.id.clone(), endpoint, self.now_ms, mishap);
        }
    }
}

fn wants(endpoint: &Arc<Endpoint>, kind: &EventType) -> bool {
    let all = |wanted: &EventType| wanted.as_str() == "*";
    let mut wanted = endpoint.enabled_events.iter();
    !endpoint.deleted && !endpoint.disabled && wanted.any(|wanted| all(wanted) || wanted == kind)
}
