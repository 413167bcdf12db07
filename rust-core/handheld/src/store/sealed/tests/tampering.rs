//! A file that somebody altered: each record that is not the last of its name is named.

use super::super::*;
use super::{filled, lost, raw, reopened, tamper, vault};
use crate::engine::Key;
use crate::engine::tests::fixture;
use crate::software::SoftwareVault;
use crate::view::RecordFault;
use holdfast_domain::Secret;
use holdfast_protocol::sealed_copy;

fn name(payment: u64) -> Vec<u8> {
    Name::of(Key::Payment(fixture::payment_id(payment))).as_bytes().to_vec()
}

fn faults(durable: &Durable) -> Vec<(String, RecordFault)> {
    durable.quarantine().iter().map(|lost| (lost.record_id.clone(), lost.fault)).collect()
}

fn sealed_bytes(dir: &tempfile::TempDir, wanted: &[u8]) -> Vec<u8> {
    let database = Database::create(dir.path().join(FILE)).unwrap();
    raw(&database).into_iter().find(|(known, _)| known == wanted).unwrap().1
}

#[test]
fn a_removed_record_is_named_at_each_start_and_the_rest_loads() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    tamper(&dir, |all| all.retain(|(known, _)| *known != name(2)));
    for _ in 0..2 {
        let durable = reopened(&dir);
        let id = fixture::payment_id(2).to_string();
        assert_eq!(faults(&durable), [(id, RecordFault::Missing)]);
        assert!(durable.quarantine()[0].may_be_held);
        assert!(durable.payment(fixture::payment_id(1)).is_some());
    }
}

#[test]
fn an_older_version_of_a_record_put_back_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(&dir);
    let mut draft = fixture::held_payment(3);
    draft.held = None;
    store.commit(&[Write::payment(draft)]).unwrap();
    drop(store);
    let older = sealed_bytes(&dir, &name(3));
    let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
    store.load().unwrap();
    store.commit(&[fixture::write(3)]).unwrap();
    drop(store);
    tamper(&dir, |all| {
        all.iter_mut().find(|(known, _)| *known == name(3)).unwrap().1 = older;
    });
    let durable = reopened(&dir);
    let id = fixture::payment_id(3).to_string();
    assert_eq!(faults(&durable), [(id, RecordFault::RolledBack)]);
    assert_eq!(durable.payment(fixture::payment_id(3)), None, "it cannot be held a second time");
}

#[test]
fn a_forgotten_record_put_back_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let older = sealed_bytes(&dir, &name(1));
    let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
    store.load().unwrap();
    store.commit(&[Write::Delete(Key::Payment(fixture::payment_id(1)))]).unwrap();
    drop(store);
    tamper(&dir, |all| all.push((name(1), older)));
    let id = fixture::payment_id(1).to_string();
    assert_eq!(faults(&reopened(&dir)), [(id, RecordFault::Stray)]);
}

#[test]
fn a_part_of_the_index_that_is_lost_or_older_is_named_and_loses_no_record() {
    let part = Name::index_part(u8::try_from(part_of(&Name::from_disk(&name(1)))).unwrap());
    for older in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(&dir));
        let before = sealed_bytes(&dir, part.as_bytes());
        let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
        store.load().unwrap();
        store.commit(&[fixture::write(1)]).unwrap();
        drop(store);
        tamper(&dir, |all| {
            all.retain(|(known, _)| known != part.as_bytes());
            if older {
                all.push((part.as_bytes().to_vec(), before));
            }
        });
        let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
        let durable = store.load().unwrap();
        let id = fixture::payment_id(1).to_string();
        let expected = [(id, RecordFault::Unvouched), (String::new(), RecordFault::Damaged)];
        assert_eq!(faults(&durable), expected);
        assert_eq!(lost(&durable)[1].0, "index");
        assert_eq!(durable.payments().count(), 2);
        // The next commit makes a whole one.
        store.commit(&[fixture::write(3)]).unwrap();
        drop(store);
        let durable = reopened(&dir);
        assert_eq!((durable.quarantine().len(), durable.payments().count()), (0, 3));
    }
}

#[test]
fn an_older_record_under_a_damaged_part_of_the_index_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let older = sealed_bytes(&dir, &name(1));
    let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
    store.load().unwrap();
    let mut changed = fixture::held_payment(1);
    changed.revision = 99;
    store.commit(&[Write::payment(changed)]).unwrap();
    drop(store);
    let part = Name::index_part(u8::try_from(part_of(&Name::from_disk(&name(1)))).unwrap());
    tamper(&dir, |all| {
        let place = |all: &mut Vec<(Vec<u8>, Vec<u8>)>, wanted: &[u8]| {
            all.iter().position(|(known, _)| known == wanted).unwrap()
        };
        let (record, damaged) = (place(all, &name(1)), place(all, part.as_bytes()));
        all[record].1 = older;
        *all[damaged].1.last_mut().unwrap() ^= 1;
    });
    let durable = reopened(&dir);
    let named = faults(&durable);
    assert!(named.contains(&(fixture::payment_id(1).to_string(), RecordFault::Unvouched)));
    assert!(durable.payment(fixture::payment_id(1)).is_some(), "its order still goes");
}

#[test]
fn a_whole_older_file_is_in_order_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    drop(store);
    let older = std::fs::read(dir.path().join(FILE)).unwrap();
    let mut store = SealedStore::open(dir.path(), &vault()).unwrap();
    store.load().unwrap();
    store.commit(&[fixture::write(3)]).unwrap();
    drop(store);
    std::fs::write(dir.path().join(FILE), older).unwrap();
    let durable = reopened(&dir);
    assert_eq!((durable.quarantine().len(), durable.payments().count()), (0, 2));
}

#[test]
fn waiting_orders_have_copies_that_the_gateway_alone_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(&dir);
    let file = store.copies().unwrap().remove(0);
    let enrolment = fixture::enrolment();
    assert_eq!((file.gateway, &file.tenant), (enrolment.gateway, &enrolment.tenant));
    assert_eq!((file.device, file.copies.len()), (enrolment.device, 2));
    let copy = data_encoding::BASE64URL_NOPAD.decode(file.copies[0].as_bytes()).unwrap();
    let order =
        sealed_copy::open(&fixture::copy_secret(), &file.tenant, file.device, &copy).unwrap();
    assert_eq!(order, fixture::held_payment(1).held.unwrap().order);
    // Known to the gateway, or forgotten: there is nothing to bring any more.
    let mut sent = fixture::held_payment(1);
    sent.held.as_mut().unwrap().delivery = crate::engine::Delivery::Delivered;
    let gone = Write::Delete(Key::Payment(fixture::payment_id(2)));
    store.commit(&[Write::payment(sent), gone]).unwrap();
    assert_eq!(store.copies().unwrap(), []);
}

#[test]
fn without_its_key_the_file_still_gives_the_copies_and_a_new_enrolment_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let other = SoftwareVault::new(&Secret::new([4; 32]));
    let mut store = SealedStore::open(dir.path(), &other).unwrap();
    assert!(store.load().unwrap().is_key_lost());
    assert_eq!(store.copies().unwrap()[0].copies.len(), 2);
    store.commit(&[Write::enrolment(fixture::enrolment()), fixture::write(3)]).unwrap();
    drop(store);

    let mut store = SealedStore::open(dir.path(), &other).unwrap();
    let durable = store.load().unwrap();
    assert!(!durable.is_key_lost() && durable.enrolment().is_some());
    assert_eq!(durable.payments().count(), 1);
    let lost = [1, 2].map(|n| (fixture::payment_id(n).to_string(), RecordFault::KeyLost));
    assert_eq!(faults(&durable), lost, "nothing is silently gone");
    assert_eq!(store.copies().unwrap()[0].copies.len(), 3);
}

#[test]
fn a_key_that_has_sealed_enough_is_replaced_and_one_that_may_not_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(&dir));
    let small = Budget { renew_at: 1, seals_max: 1_000 };
    let open = || {
        let file = dir.path().join(FILE);
        let open = move || Ok(Database::create(&file)?);
        SealedStore::with_database(Box::new(open), &vault(), small).unwrap()
    };
    let before = sealed_bytes(&dir, &name(1));
    let mut store = open();
    assert!(store.index.seals > 4, "what was sealed anew counts");
    assert_eq!(store.load().unwrap().payments().count(), 2);
    assert_eq!(store.load().unwrap().quarantine(), []);
    store.commit(&[fixture::write(3)]).unwrap();
    drop(store);
    assert_ne!(sealed_bytes(&dir, &name(1)), before);
    let durable = reopened(&dir);
    assert_eq!((durable.payments().count(), durable.quarantine().len()), (3, 0));

    let mut store = open();
    store.load().unwrap();
    store.budget.seals_max = store.index.seals;
    assert_eq!(store.commit(&[fixture::write(4)]), Err(StoreFault::Failed));
}
