//! Records as named bytes.

use crate::engine::{Key, Record};
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
}

/// Names a record on disk: its table's number, then its ID (empty where there is only one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(Vec<u8>);

impl Table {
    const ALL: [Self; 4] = [Self::Enrolment, Self::Config, Self::Counters, Self::Payment];

    fn word(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Config => "config",
            Self::Counters => "counters",
            Self::Payment => "payment",
        }
    }
}

impl Name {
    pub(super) fn of(key: Key) -> Self {
        let (table, id): (Table, &[u8]) = match &key {
            Key::Enrolment => (Table::Enrolment, &[]),
            Key::Config => (Table::Config, &[]),
            Key::Counters => (Table::Counters, &[]),
            Key::Payment(payment) => (Table::Payment, payment.as_bytes()),
        };
        Self([&[table as u8], id].concat())
    }

    pub(super) fn from_disk(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
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

/// The bytes of a record. They may hold a secret, so they are wiped.
pub(super) fn encode(record: &Record) -> Option<Zeroizing<Vec<u8>>> {
    match record {
        Record::Enrolment(enrolment) => json(enrolment),
        Record::Config(config) => json(config),
        Record::Counters(counters) => json(counters),
        Record::Payment(payment) => json(payment),
    }
}

/// The record of that name, if the bytes are one.
pub(super) fn decode(name: &Name, bytes: &[u8]) -> Option<Record> {
    let record = match name.table()? {
        Table::Enrolment => Record::Enrolment(Box::new(parsed(bytes)?)),
        Table::Config => Record::Config(parsed(bytes)?),
        Table::Counters => Record::Counters(parsed(bytes)?),
        Table::Payment => Record::Payment(Box::new(parsed(bytes)?)),
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
