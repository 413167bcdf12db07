//! The sealed index: which records there are, and which version of each.
//!
//! A seal proves that a record was made here, not that it is still wanted, nor that it is the last
//! of its name. So each commit also writes which version of every record holds. The index lies in
//! [`PARTS`] parts, so that a commit writes two or three small ones, under one head that names the
//! version of each part. All of it goes into the commit of the records themselves.
//!
//! What this finds: a record removed, one put back in an older version, one put back that was
//! forgotten, and the same done to a part of the index. A whole older file is in order by itself; only
//! the gateway can tell (`engine::history`).

use super::codec::Name;
use std::collections::BTreeMap;

/// Parts of the index. With 10,000 records a part has about eighty, which is two kilobytes to seal.
pub(super) const PARTS: usize = 128;

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) version: u64,
    /// False for a draft, of which nothing was promised.
    pub(super) may_be_held: bool,
}

/// One part: its records, and the version in which it was sealed.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) version: u64,
    pub(super) entries: BTreeMap<Name, Entry>,
}

/// The index as it is on disk.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// Seals made under the present key.
    pub(super) seals: u64,
    pub(super) parts: Vec<Part>,
}

impl Default for Index {
    fn default() -> Self {
        Self { seals: 0, parts: vec![Part::default(); PARTS] }
    }
}

impl Index {
    pub(super) fn entry(&self, name: &Name) -> Option<Entry> {
        self.parts.get(part_of(name))?.entries.get(name).copied()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&Name, &Entry)> {
        self.parts.iter().flat_map(|part| &part.entries)
    }

    pub(super) fn note(&mut self, name: Name, entry: Entry) {
        if let Some(part) = self.parts.get_mut(part_of(&name)) {
            part.entries.insert(name, entry);
        }
    }

    /// The head's bytes: format, number of seals, and the version of each part.
    pub(super) fn head(&self, changed: &BTreeMap<usize, Part>, seals: u64) -> Vec<u8> {
        let version = |(number, part): (usize, &Part)| {
            changed.get(&number).map_or(part.version, |changed| changed.version).to_be_bytes()
        };
        let versions = self.parts.iter().enumerate().flat_map(version);
        [FORMAT].into_iter().chain(seals.to_be_bytes()).chain(versions).collect()
    }
}

const FORMAT: u8 = 1;

/// The number of seals and the version of each part, if these are the bytes of a head.
pub(super) fn read_head(bytes: &[u8]) -> Option<(u64, Vec<u64>)> {
    let (format, rest) = bytes.split_first()?;
    let (seals, rest) = rest.split_first_chunk::<8>()?;
    let (versions, rest) = rest.as_chunks::<8>();
    let versions: Vec<_> = versions.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
    let is_head = *format == FORMAT && versions.len() == PARTS && rest.is_empty();
    is_head.then_some((u64::from_be_bytes(*seals), versions))
}

/// The part that a name belongs to. IDs end in random bits, so the parts are of like size.
pub(super) fn part_of(name: &Name) -> usize {
    usize::from(name.as_bytes().iter().fold(0, |sum: u8, byte| sum ^ byte)) % PARTS
}

impl Part {
    /// Length, name, version and kind of each record.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len().saturating_mul(27));
        for (name, entry) in &self.entries {
            // Names are a table and an ID: 19 bytes at the most.
            bytes.push(u8::try_from(name.as_bytes().len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&entry.version.to_be_bytes());
            bytes.push(u8::from(entry.may_be_held));
        }
        bytes
    }

    pub(super) fn read(version: u64, mut bytes: &[u8]) -> Option<Self> {
        let mut entries = BTreeMap::new();
        while let Some((length, rest)) = bytes.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (entry_version, rest) = rest.split_first_chunk::<8>()?;
            let (may_be_held, rest) = rest.split_first()?;
            let version = u64::from_be_bytes(*entry_version);
            let entry = Entry { version, may_be_held: *may_be_held != 0 };
            entries.insert(Name::from_disk(name), entry);
            bytes = rest;
        }
        Some(Self { version, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Key;
    use crate::engine::tests::fixture;

    #[test]
    fn an_index_is_read_back_and_a_cut_one_is_none() {
        let mut index = Index::default();
        let name = Name::of(Key::Payment(fixture::payment_id(1)));
        let entry = Entry { version: 7, may_be_held: true };
        index.note(name.clone(), entry);
        let number = part_of(&name);
        let bytes = index.parts[number].to_bytes();
        let part = Part { version: 9, ..index.parts[number].clone() };
        assert_eq!(Part::read(9, &bytes).unwrap().entries, part.entries);
        for length in 1..bytes.len() {
            assert!(Part::read(9, &bytes[..length]).is_none(), "{length}");
        }
        let head = index.head(&BTreeMap::from([(number, part)]), 42);
        let (seals, versions) = read_head(&head).unwrap();
        assert_eq!((seals, versions[number], versions.iter().sum::<u64>()), (42, 9, 9));
        assert!(read_head(&head[1..]).is_none() && read_head(&[]).is_none());
    }
}
