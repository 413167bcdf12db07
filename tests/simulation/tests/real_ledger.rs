//! The same schedules on the real SQLite ledger, decision by decision beside the one in memory.

use super::run_each;
use holdfast_tests::simulation::{self, Plan};

/// Schedules on SQLite.
const SEEDS: u64 = 200;

#[test]
fn hundreds_of_schedules_leave_the_same_rows_in_sqlite_as_in_memory() {
    let ended = run_each(0..SEEDS, |seed| simulation::run_on_sql(&Plan::ordinary(seed)));
    assert!(ended.iter().map(|one| one.orders).sum::<u64>() > SEEDS / 2);
}
