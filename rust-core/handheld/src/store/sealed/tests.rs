//! The real file: reopened, tampered with, full, and killed at every write.

mod tampering;

use super::*;
use crate::engine::tests::fixture;
use crate::engine::{Counters, Delivery, Key, Record};
use crate::software::SoftwareVault;
use holdfast_domain::Secret;
use std::sync::{Arc, Mutex};

fn vault() -> SoftwareVault {
    SoftwareVault::new(&Secret::new([3; 32]))
}

fn file(dir: &tempfile::TempDir) -> Database {
    Database::create(dir.path().join(FILE)).unwrap()
}

fn filled(dir: &tempfile::TempDir) -> SealedStore {
    let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
    let writes = [
        Write::enrolment(fixture::enrolment()),
        Write::Put(Record::Counters(Counters::new(fixture::device()))),
        fixture::write(1),
        fixture::write(2),
    ];
    store.commit(&writes).unwrap();
    store
}

fn raw(database: &Database) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for_each(database, RECORDS, |name, sealed| all.push((name.to_vec(), sealed.to_vec()))).unwrap();
    all
}

/// Changes the sealed bytes of records behind the store's back.
fn tamper(dir: &tempfile::TempDir, with: impl FnOnce(&mut Vec<(Vec<u8>, Vec<u8>)>)) {
    let database = file(dir);
    let mut all = raw(&database);
    with(&mut all);
    let transaction = database.begin_write().unwrap();
    {
        let mut records = transaction.open_table(RECORDS).unwrap();
        records.retain(|_, _| false).unwrap();
        for (name, sealed) in all {
            records.insert(name.as_slice(), sealed.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn reopened(dir: &tempfile::TempDir) -> Durable {
    SealedStore::open(dir.path(), &vault()).unwrap().load().unwrap()
}

fn lost(durable: &Durable) -> Vec<(&'static str, String)> {
    durable.quarantine().iter().map(|lost| (lost.table, lost.record_id.clone())).collect()
}

#[test]
fn what_was_stored_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let durable = reopened(&dir);
    assert!(durable.enrolment() == Some(&fixture::enrolment()));
    assert_eq!(durable.payment(fixture::payment_id(1)), Some(&fixture::held_payment(1)));
    assert_eq!((durable.payments().count(), durable.quarantine().len()), (2, 0));
}

#[test]
fn deleted_is_deleted_and_replaced_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(&dir);
    let mut parked = fixture::held_payment(2);
    let reason = crate::view::ParkedReason::Conflict;
    parked.held.as_mut().unwrap().delivery = Delivery::Parked(reason);
    let gone = Write::Delete(Key::Payment(fixture::payment_id(1)));
    store.commit(&[gone, Write::payment(parked.clone())]).unwrap();
    drop(store);
    assert!(reopened(&dir).payments().eq([&parked]));
}

#[test]
fn nothing_readable_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let bytes = std::fs::read(dir.path().join(FILE)).unwrap();
    for text in ["Parking", "City of Hill", "gateway.example", "STRIPE"] {
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found, "{text}");
    }
}

#[test]
fn a_flipped_bit_is_named_and_the_rest_loads() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let id = fixture::payment_id(2);
    let name = Name::of(Key::Payment(id));
    tamper(&dir, |all| {
        let (_, sealed) = all.iter_mut().find(|(known, _)| known == name.as_bytes()).unwrap();
        *sealed.last_mut().unwrap() ^= 1;
    });
    let durable = reopened(&dir);
    assert_eq!(lost(&durable), [("payment", id.to_string())]);
    assert!(durable.payment(fixture::payment_id(1)).is_some() && durable.enrolment().is_some());
    // It stays where it is, and is still named the next time.
    assert_eq!(lost(&reopened(&dir)).len(), 1);
}

#[test]
fn swapped_records_are_both_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    tamper(&dir, |all| {
        let payments = [1, 2].map(|n| Name::of(Key::Payment(fixture::payment_id(n))));
        let at = payments
            .map(|name| all.iter().position(|(known, _)| known == name.as_bytes()).unwrap());
        let (one, two) = (all[at[0]].1.clone(), all[at[1]].1.clone());
        all[at[0]].1 = two;
        all[at[1]].1 = one;
    });
    let expected = [1, 2].map(|n| ("payment", fixture::payment_id(n).to_string()));
    assert_eq!(lost(&reopened(&dir)), expected);
}

#[test]
fn records_of_another_installation_are_named() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(filled(&ours));
    drop(filled(&theirs));
    let mut foreign = Vec::new();
    tamper(&theirs, |all| foreign.clone_from(all));
    tamper(&ours, |all| *all = foreign);
    let durable = reopened(&ours);
    // The four records, and the index.
    assert_eq!((durable.payments().count(), durable.quarantine().len()), (0, 5));
}

#[test]
fn a_kind_of_record_that_is_not_known_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    tamper(&dir, |all| all.push((vec![99, 1, 2], vec![0; 40])));
    assert_eq!(lost(&reopened(&dir)), [("unknown", "0102".to_owned())]);
}

#[test]
fn a_lost_vault_key_is_said_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let other = SoftwareVault::new(&Secret::new([4; 32]));
    let mut store = SealedStore::open(dir.path(), &other).unwrap();
    let durable = store.load().unwrap();
    assert!(durable.is_key_lost() && durable.enrolment().is_none());
    assert_eq!((durable.payments().count(), durable.quarantine().len()), (0, 2));
    drop(store);
    assert_eq!(reopened(&dir).payments().count(), 2, "the key was only mislaid");
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), vec![7; 10_000]).unwrap();
    let refused = SealedStore::open(dir.path(), &vault()).map(|_| ());
    assert_eq!(refused, Err(OpenError::Storage));
}

/// A file in memory that can be full, broken, or remembered write by write.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
struct DiskState {
    bytes: Vec<u8>,
    fault: Option<io::ErrorKind>,
    /// Writes arrive, but nobody can say so.
    sync_fails: bool,
    /// The file after each change, if wanted.
    history: Option<Vec<Vec<u8>>>,
}

impl Disk {
    fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(DiskState { bytes, ..DiskState::default() })))
    }

    fn fail(&self, fault: Option<io::ErrorKind>) {
        self.0.lock().unwrap().fault = fault;
    }

    fn change(&self, with: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if let Some(fault) = state.fault {
            return Err(fault.into());
        }
        with(&mut state.bytes);
        let bytes = state.bytes.clone();
        state.history.iter_mut().for_each(|history| history.push(bytes.clone()));
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        out.copy_from_slice(&state.bytes[start..start + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|bytes| bytes.resize(usize::try_from(len).unwrap(), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.lock().unwrap().sync_fails {
            return Err(io::ErrorKind::Other.into());
        }
        self.change(|_| {})
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.change(|bytes| bytes[start..start + data.len()].copy_from_slice(data))
    }
}

fn on(disk: &Disk) -> SealedStore {
    let disk = disk.clone();
    SealedStore::on_storage(move || disk.clone(), None, &vault()).unwrap()
}

#[test]
fn a_full_disk_refuses_and_works_again_when_there_is_room() {
    let disk = Disk::default();
    let mut store = on(&disk);
    store.commit(&[fixture::write(1)]).unwrap();
    disk.fail(Some(io::ErrorKind::StorageFull));
    assert_eq!(store.commit(&[fixture::write(2)]), Err(StoreFault::Full));
    disk.fail(Some(io::ErrorKind::Other));
    assert_eq!(store.commit(&[fixture::write(2)]), Err(StoreFault::Failed));
    disk.fail(None);
    store.commit(&[fixture::write(3)]).unwrap();
    let expected = [1, 3].map(fixture::held_payment);
    assert!(store.load().unwrap().payments().eq(&expected));
}

#[test]
fn what_was_refused_does_not_turn_up_later() {
    let disk = Disk::default();
    let mut store = on(&disk);
    store.commit(&[fixture::write(1)]).unwrap();
    disk.0.lock().unwrap().sync_fails = true;
    let mut changed = fixture::held_payment(1);
    changed.revision = 99;
    let refused = [fixture::write(2), Write::payment(changed)];
    assert_eq!(store.commit(&refused), Err(StoreFault::Failed));
    assert_eq!(store.commit(&refused), Err(StoreFault::Failed));
    disk.0.lock().unwrap().sync_fails = false;
    let copy = Disk::with(disk.0.lock().unwrap().bytes.clone());
    assert_eq!(on(&copy).load().unwrap().payments().count(), 2, "it is in the file after all");

    store.commit(&[fixture::write(3)]).unwrap();
    let expected = [1, 3].map(fixture::held_payment);
    assert!(store.load().unwrap().payments().eq(&expected));
}

#[test]
fn killed_at_any_write_the_file_has_the_old_records_or_the_new() {
    let disk = Disk::default();
    let mut store = on(&disk);
    store.commit(&[fixture::write(1)]).unwrap();
    disk.0.lock().unwrap().history = Some(Vec::new());
    store.commit(&[fixture::write(2), fixture::write(3)]).unwrap();
    let history = disk.0.lock().unwrap().history.take().unwrap();
    assert!(history.len() > 3);
    let counts: Vec<_> = history
        .into_iter()
        .map(|bytes| {
            let durable = on(&Disk::with(bytes)).load().unwrap();
            assert_eq!(durable.quarantine(), []);
            durable.payments().count()
        })
        .collect();
    assert!(counts.iter().all(|count| [1, 3].contains(count)), "{counts:?}");
    assert_eq!(counts.last(), Some(&3));
}
