//! Records as named bytes.

use crate::engine::{Delivery, Key, NoticeTag, Record};
use holdfast_domain::PaymentId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Kinds of record. The numbers are on disk, and in what seals them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Enrolment = 1,
    Config = 2,
    Counters = 3,
    Payment = 4,
    Earlier = 5,
    Clock = 6,
    Notice = 7,
    /// The index over all of these. Not a record of the engine.
    Index = 255,
}

/// Names a record on disk: its table's number, then its ID (empty where there is only one).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(Box<[u8]>);

impl Table {
    const ALL: [Self; 8] = [
        Self::Enrolment,
        Self::Config,
        Self::Counters,
        Self::Payment,
        Self::Earlier,
        Self::Clock,
        Self::Notice,
        Self::Index,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Config => "config",
            Self::Counters => "counters",
            Self::Payment => "payment",
            Self::Earlier => "earlier enrolment",
            Self::Clock => "clock",
            Self::Notice => "notice",
            Self::Index => "index",
        }
    }
}

impl Name {
    pub(super) fn of(key: Key) -> Self {
        let (table, id, tag): (Table, &[u8], &[u8]) = match &key {
            Key::Enrolment => (Table::Enrolment, &[], &[]),
            Key::Config => (Table::Config, &[], &[]),
            Key::Counters => (Table::Counters, &[], &[]),
            Key::Payment(payment) => (Table::Payment, payment.as_bytes(), &[]),
            Key::Earlier(device) => (Table::Earlier, device.as_bytes(), &[]),
            Key::Clock => (Table::Clock, &[], &[]),
            Key::Notice(payment, tag) => (Table::Notice, payment.as_bytes(), tag_byte(*tag)),
        };
        Self([&[table as u8], id, tag].concat().into_boxed_slice())
    }

    /// The head of the index.
    pub(super) fn index_head() -> Self {
        Self(Box::new([Table::Index as u8]))
    }

    /// A part of the index.
    pub(super) fn index_part(part: u8) -> Self {
        Self(Box::new([Table::Index as u8, part]))
    }

    pub(super) fn from_disk(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub(super) fn is_of_index(&self) -> bool {
        self.table() == Some(Table::Index)
    }

    /// The payment, if it is a payment's record.
    pub(super) fn payment(&self) -> Option<PaymentId> {
        let id = self.0.get(1..).filter(|_| self.table() == Some(Table::Payment))?;
        PaymentId::from_bytes(id.try_into().ok()?).ok()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Table and ID in words, whatever the bytes are.
    pub(super) fn in_words(&self) -> (&'static str, String) {
        let id = self.0.get(1..).unwrap_or_default();
        let payment = <[u8; 16]>::try_from(id).ok().and_then(|id| PaymentId::from_bytes(id).ok());
        let id = payment.map_or_else(|| data_encoding::HEXLOWER.encode(id), |id| id.to_string());
        (self.table().map_or("unknown", Table::word), id)
    }

    fn table(&self) -> Option<Table> {
        let number = *self.0.first()?;
        Table::ALL.into_iter().find(|table| *table as u8 == number)
    }
}

fn tag_byte(tag: NoticeTag) -> &'static [u8] {
    match tag {
        NoticeTag::Cancel => &[1],
        NoticeTag::Withdraw => &[2],
        NoticeTag::Quarantined => &[3],
    }
}

/// True if something may have been promised in this record: all but drafts.
pub(super) fn may_be_held(record: &Record) -> bool {
    match record {
        Record::Payment(payment) => payment.held.is_some(),
        _ => true,
    }
}

/// The order that a copy for the gateway is to be kept of, while the gateway has not answered.
pub(super) fn waits(record: &Record) -> Option<bool> {
    let Record::Payment(payment) = record else {
        return None;
    };
    let held = payment.held.as_ref()?;
    Some(matches!(held.delivery, Delivery::Queued | Delivery::Parked(_)) && !held.imported)
}

/// The bytes of a record. They may hold a secret, so they are wiped.
pub(super) fn encode(record: &Record) -> Option<Zeroizing<Vec<u8>>> {
    match record {
        Record::Enrolment(enrolment) => json(enrolment),
        Record::Config(config) => json(config),
        Record::Counters(counters) => json(counters),
        Record::Payment(payment) => json(payment),
        Record::Earlier(enrolment) => json(enrolment),
        Record::Clock(clock) => json(clock),
        Record::Notice(notice) => json(notice),
    }
}

/// The record of that name, if the bytes are one.
pub(super) fn decode(name: &Name, bytes: &[u8]) -> Option<Record> {
    let record = match name.table()? {
        Table::Enrolment => Record::Enrolment(Box::new(parsed(bytes)?)),
        Table::Config => Record::Config(parsed(bytes)?),
        Table::Counters => Record::Counters(parsed(bytes)?),
        Table::Payment => Record::Payment(Box::new(parsed(bytes)?)),
        Table::Earlier => Record::Earlier(Box::new(parsed(bytes)?)),
        Table::Clock => Record::Clock(parsed(bytes)?),
        Table::Notice => Record::Notice(Box::new(parsed(bytes)?)),
        Table::Index => return None,
    };
    (Name::of(record.key()) == *name).then_some(record)
}

/// Room for most records, so that a growing buffer leaves no copies behind, in bytes.
const RECORD_BYTES: usize = 4 * 1024;

fn json(value: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(RECORD_BYTES));
    serde_json::to_writer(&mut *bytes, value).ok()?;
    Some(bytes)
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}
