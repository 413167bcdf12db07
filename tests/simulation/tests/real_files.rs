//! The same schedules on real redb files: whatever redb's own storage does to them, nothing that was
//! said to be stored is lost, and nothing is half there.

use super::run_each;
use holdfast_handheld::engine::{
    Counters, Durable, Key, Notice, Payment, Record, StoreFault, Write,
};
use holdfast_handheld::store::RecordStore;
use holdfast_tests::simulation::{
    self, Commit, Disk, Fault, MemoryDisk, Plan, Platter, RedbDisk, Tally, World, opened,
};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// Schedules on real files.
const SEEDS: u64 = 200;

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
