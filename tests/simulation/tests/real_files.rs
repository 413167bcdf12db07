//! The same schedules on real redb files: whatever redb's own storage does to them, nothing that was
//! said to be stored is lost, and nothing is half there.

use super::run_each;
use holdfast_handheld::engine::{
    Counters, Durable, Key, Notice, Payment, Record, StoreFault, Write,
};
use holdfast_handheld::store::RecordStore;
use holdfast_tests::simulation::{
    self, Commit, Disk, Fault, Forgets, Harm, MemoryDisk, Plan, Platter, RedbDisk, Remains, Tally,
    World, opened, opened_with,
};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// Schedules on real files.
const SEEDS: u64 = 200;
/// At so many places of a life a sync forgets.
const FORGOTTEN_AT: usize = 12;

#[test]
fn hundreds_of_schedules_hold_on_real_files() {
    let ended = run_each(0..SEEDS, |seed| {
        let disk = move |index: usize| -> Box<dyn Disk> {
            Box::new(RedbDisk::new(seed.wrapping_mul(2).wrapping_add(index as u64)))
        };
        simulation::run_on(&Plan::ordinary(seed), &disk)
    });
    let mut tally = Tally::default();
    ended.iter().for_each(|one| tally.add(&one.tally));
    let of_the_disk = [
        Fault::KilledBeforeCommit,
        Fault::KilledInCommit,
        Fault::KilledAfterCommit,
        Fault::DiskFull,
        Fault::DiskFails,
        Fault::DiskFailsLate,
        Fault::RecordHarmed,
        Fault::EnrolmentHarmed,
    ];
    for fault in of_the_disk {
        let struck = tally.iter().find(|(it, _)| *it == fault).map_or(0, |(_, count)| count);
        assert!(struck > 0, "no seed had {}", fault.words());
    }
    assert!(ended.iter().map(|one| one.orders).sum::<u64>() > SEEDS / 2);
}

/// Keeps what was committed, for the tests below.
struct Listening {
    disk: MemoryDisk,
    heard: Rc<RefCell<Vec<Vec<Write>>>>,
}

impl Disk for Listening {
    fn load(&mut self) -> Durable {
        self.disk.load()
    }

    fn commit(&mut self, writes: &[Write], how: Commit) -> Result<(), StoreFault> {
        if how == Commit::Whole {
            self.heard.borrow_mut().push(writes.to_vec());
        }
        self.disk.commit(writes, how)
    }

    fn harm(&mut self, what: Harm, luck: u64) -> String {
        self.disk.harm(what, luck)
    }
}

/// The commits of a handheld's life: eight orders, held without network, sent, and paid.
fn a_life() -> Vec<Vec<Write>> {
    let heard: Rc<RefCell<Vec<Vec<Write>>>> = Rc::default();
    let mut disk = |_| -> Box<dyn Disk> {
        Box::new(Listening { disk: MemoryDisk::default(), heard: Rc::clone(&heard) })
    };
    World::on(&Plan::drain(1), false, &mut disk).run().expect("nothing is broken");
    heard.take()
}

/// True for the commit that makes a promise: an order with its sequence number.
fn is_hold(writes: &[Write]) -> bool {
    let is_new = |write: &Write| match write {
        Write::Put(Record::Payment(payment)) => {
            payment.held.as_ref().is_some_and(|held| !held.told)
        }
        _ => false,
    };
    writes.iter().any(is_new) && writes.iter().any(|write| write.key() == Key::Counters)
}

/// A file with everything up to the last hold in it, and that hold.
fn before_the_last_hold() -> (Platter, Vec<Write>) {
    let life = a_life();
    let last = life.iter().rposition(|writes| is_hold(writes)).expect("orders were held");
    let platter = Platter::default();
    let mut store = opened(&platter);
    store.load().expect("a new file");
    for writes in life.iter().take(last) {
        store.commit(writes).expect("stored");
    }
    drop(store);
    (platter.after_kill(), life.into_iter().nth(last).expect("the hold"))
}

/// Everything that a start finds.
fn found(platter: &Platter) -> (Vec<Payment>, Vec<Notice>, Counters) {
    let durable = opened(platter).load().expect("read");
    assert_eq!(durable.quarantine(), [], "nothing is half there");
    let counters = durable.counters(durable.enrolment().expect("enrolled"));
    (durable.payments().cloned().collect(), durable.notices().cloned().collect(), counters)
}

#[test]
fn torn_at_every_byte_the_last_hold_is_there_or_is_not() {
    let (platter, hold) = before_the_last_hold();
    let before = found(&platter.after_kill());
    // Opened once more before the journal begins: only the commit is to be torn.
    let working = platter.after_kill();
    let mut store = opened(&working);
    store.load().expect("read");
    let at_rest = working.after_kill();
    working.keep_journal();
    store.commit(&hold).expect("stored");
    let journal = working.take_journal();
    // Without the orderly end that dropping the store would be.
    let after = found(&working.after_kill());
    assert_ne!(before, after);
    let payment = hold.iter().find_map(|write| match write.key() {
        Key::Payment(payment) => Some(payment),
        _ => None,
    });
    let payment = payment.expect("an order is held");
    let (mut old, mut new) = (0_u32, 0_u32);
    at_rest.torn(&journal, payment.as_bytes(), |torn| {
        let found = found(&torn);
        if found == after {
            new += 1;
        } else {
            assert!(found == before, "half of a hold");
            old += 1;
        }
    });
    assert!(old > 1_000 && new > 0, "{old} files without the hold, {new} with it");
}

/// What the file on the disk has, should the power go now and take everything that was not synced.
fn found_without_power(platter: &Platter) -> (Vec<Payment>, Vec<Notice>, Counters) {
    found(&platter.after_power_cut(|_| Remains::Lost))
}

/// At each commit of a life, one sync fails and forgets; the life goes on. Whatever was acknowledged is
/// on the disk from then on.
#[test]
fn a_sync_that_fails_and_forgets_loses_nothing_that_was_acknowledged() {
    let life = a_life();
    let at = |part: usize| life.len() * part / FORGOTTEN_AT;
    for how in [Forgets::OnceUnseen, Forgets::OnceSeen] {
        for struck in (0..FORGOTTEN_AT).map(at) {
            let platter = Platter::default();
            let (mut store, mut kept) = (opened(&platter), MemoryDisk::default());
            store.load().expect("a new file");
            for (place, writes) in life.iter().enumerate() {
                if place == struck {
                    platter.forget_at_sync(how);
                }
                // The store mends it by itself: what was forgotten is written again.
                store.commit(writes).expect("stored");
                kept.commit(writes, Commit::Whole).expect("memory works");
                if place >= struck && (place < struck + 3 || place + 1 == life.len()) {
                    let durable = kept.load();
                    let payments: Vec<Payment> = durable.payments().cloned().collect();
                    let on_disk = found_without_power(&platter);
                    assert_eq!(on_disk.0, payments, "{how:?} at {struck}, looked at {place}");
                }
            }
        }
    }
}

/// While syncs go on failing nothing is acknowledged, in this process and in the next one, and nothing
/// that was acknowledged before is lost.
#[test]
fn while_syncs_fail_nothing_is_believed() {
    let (platter, hold) = before_the_last_hold();
    let before = found(&platter.after_kill());
    let mark = tempfile::tempdir().expect("a folder");
    let mut store = opened_with(&platter, &mark);
    store.load().expect("read");
    platter.forget_at_sync(Forgets::Always);
    assert_eq!(store.commit(&hold), Err(StoreFault::Failed));
    // From now on syncs succeed, and lie about what is gone.
    platter.mend();
    let counters = || [Write::Put(Record::Counters(before.2))];
    // A process that ends in doubt leaves a mark: the next one writes all of the file again.
    let killed = platter.after_kill();
    let mut next = opened_with(&killed, &mark);
    next.load().expect("read");
    next.commit(&counters()).expect("stored");
    let on_disk = found_without_power(&killed);
    assert_eq!(on_disk.0, found(&killed).0, "what the next process saw is on the disk");
    drop(next);
    // One that goes on remembers by itself what its next commit has to bring back first.
    store.commit(&counters()).expect("stored");
    assert!(found_without_power(&platter) == before, "what was refused is not there");
}

/// The model bites: redb by itself goes on after a sync that forgot, and says of commits that they are
/// stored although the disk has not got what they stand on.
#[test]
fn a_store_that_goes_on_believing_acknowledges_what_is_not_on_the_disk() {
    const TABLE: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("records");
    let platter = Platter::default();
    let open = || redb::Database::builder().create_with_backend(platter.clone());
    let store = |database: &redb::Database, keys: std::ops::Range<u64>| {
        let transaction = database.begin_write()?;
        for key in keys {
            transaction.open_table(TABLE)?.insert(key, [7; 3_000].as_slice())?;
        }
        Ok::<_, redb::Error>(transaction.commit()?)
    };
    let database = open().expect("a new file");
    store(&database, 0..20).expect("stored");
    assert!(platter.is_as_it_seems());
    platter.forget_at_sync(Forgets::OnceUnseen);
    store(&database, 20..40).expect_err("the sync fails");
    drop(database);
    let database = open().expect("it opens, as if nothing had been");
    store(&database, 0..1).expect("it says that it is stored");
    assert!(!platter.is_as_it_seems());
    // The handheld's store, in the same trouble, is at one with the disk.
    let (platter, hold) = before_the_last_hold();
    let mut ours = opened(&platter);
    platter.forget_at_sync(Forgets::OnceUnseen);
    ours.commit(&hold).expect("stored, after it was written again");
    assert!(platter.is_as_it_seems());
}

#[test]
fn failing_at_any_operation_a_commit_is_refused_and_leaves_nothing_behind() {
    let (platter, hold) = before_the_last_hold();
    let before = found(&platter.after_kill());
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
        let fault =
            if kind == io::ErrorKind::Other { StoreFault::Failed } else { StoreFault::Full };
        for operation in 0.. {
            let working = platter.after_kill();
            let mut store = opened(&working);
            store.load().expect("read");
            working.fail_after(operation, kind);
            let outcome = store.commit(&hold);
            working.mend();
            if outcome == Ok(()) {
                assert!(operation > 2, "a commit takes some operations");
                break;
            }
            assert_eq!(outcome, Err(fault), "operation {operation}");
            // It works again, and what was refused is not there, nor comes back later.
            let counters = Write::Put(Record::Counters(before.2));
            store.commit(&[counters]).expect("stored");
            drop(store);
            assert!(found(&working.after_kill()) == before, "operation {operation}");
        }
    }
}
