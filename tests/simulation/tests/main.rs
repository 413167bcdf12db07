//! The simulation, by the seed. `scripts/simulate` runs a hundred thousand; these are the few that
//! every change has to pass.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking, their helpers too")]

mod bite;
mod real_files;
mod real_ledger;

use holdfast_tests::simulation::{self, Ended, Failed, Fault, Plan, Tally};
use std::collections::BTreeSet;

/// As `simulate` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs seeds on every core; fails with the trace of the first that breaks a rule.
fn run(plans: impl Iterator<Item = Plan> + Send) -> Vec<Ended> {
    run_each(plans, |plan| simulation::run(&plan))
}

/// The same, run in a way of the caller's.
fn run_each<T>(
    plans: impl Iterator<Item = T> + Send,
    run: impl Fn(T) -> Result<Ended, Box<Failed>> + Sync,
) -> Vec<Ended> {
    let plans = std::sync::Mutex::new(plans);
    let next = || plans.lock().expect("no other thread panicked").next();
    let worker = || {
        let mut ended = Vec::new();
        while let Some(plan) = next() {
            match run(plan) {
                Ok(one) => ended.push(one),
                Err(failed) => panic!("{failed}"),
            }
        }
        ended
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<Ended>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    })
}

#[test]
fn nothing_is_lost_and_nothing_is_doubled_whatever_fails() {
    let ended = run((0..2_000).map(Plan::ordinary));
    let mut tally = Tally::default();
    ended.iter().for_each(|one| tally.add(&one.tally));
    let never: BTreeSet<&str> =
        tally.iter().filter(|(_, count)| *count == 0).map(|(fault, _)| fault.words()).collect();
    assert!(never.is_empty(), "no seed had {never:?}");
    let orders: u64 = ended.iter().map(|one| one.orders).sum();
    assert!(orders > 1_000, "only {orders} orders: payers have stopped paying");
    let sum = |of: fn(&Ended) -> u64| ended.iter().map(of).sum::<u64>();
    let (refunds, already_paid) = (sum(|one| one.refunds), sum(|one| one.already_paid));
    assert!(refunds > 100, "only {refunds} refunds");
    assert!(already_paid > 10, "only {already_paid} were told that it is paid already");
    assert!(sum(|one| one.reports) > 10, "hardly a damaged record was reported");
}

#[test]
fn eight_orders_through_an_outbox_are_eight_charges() {
    for one in run((0..1_000).map(Plan::drain)) {
        assert_eq!((one.orders, one.charges), (8, 8));
    }
}

#[test]
fn a_seed_does_the_same_each_time() {
    for seed in 0..20 {
        let (first, again) = (Plan::ordinary(seed), Plan::ordinary(seed));
        let trace = |plan| simulation::replay(plan).expect("nothing is broken").1;
        assert_eq!(trace(&first), trace(&again), "seed {seed}");
    }
}

#[test]
fn each_kind_of_fault_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.words()).collect();
    assert_eq!(names.len(), Fault::ALL.len());
}
