//! The proof: handheld, gateway, Stripe and payers in one process, driven by one seed.
//!
//! Everything that decides is the real thing: the handheld's engine, the ledger's decisions and work,
//! the wire types, the signed orders, the calls to Stripe and what their answers mean, and the
//! sandbox's core. What the simulation brings is the world around them: a clock, a network, a disk,
//! a scheduler, people; and it makes all of these as bad as [`faults`] lists.
//!
//! - [`Plan`] is what a seed means: how many orders, which faults and how often, who pays and when.
//! - [`World`] has one [`agenda`] of what happens next. It takes the first thing, lets it happen,
//!   and has [`invariants`] look at the result, until there is nothing left to happen.
//! - [`device`] drives the engine over a [`disk`]; [`gateway`] answers over the ledger and runs its
//!   jobs as [`tasks`], which stop at every await and may go no further; [`stripe`] lies between
//!   these jobs and the sandbox; [`payer`], [`officer`] and [`office`] are the
//!   people.
//!
//! A run is a time of trouble and a time of peace. After each step of either, no payment may have
//! been charged twice, ledger and Stripe must agree, and whatever a screen has claimed must be on
//! disk. At the end of peace, every promise has come to a good end or to a named person.
//!
//! The same seed does the same, always: there is one thread, no clock and no randomness but the
//! seed's. So a run keeps no trace; a seed that fails is run again with one.

#![allow(clippy::expect_used, reason = "a simulation fails by panicking, as tests do")]

mod agenda;
mod broken;
mod chance;
mod charge_walk;
mod claims;
mod compare;
mod device;
mod disk;
mod edge;
mod enrolling;
mod faults;
mod fixture;
mod gateway;
mod invariants;
mod ledger;
mod link;
mod looks;
mod office;
mod officer;
mod payer;
mod peace;
mod plan;
mod platter;
mod redb_disk;
mod shared;
mod stripe;
mod tasks;
mod trouble;
mod webhooks;
mod world;

pub use broken::Broken;
pub use charge_walk::{Walk, walk_charges_on_sql};
pub use disk::{Commit, Disk, Harm, MemoryDisk};
pub use faults::{Fault, Tally};
pub use invariants::Violation;
pub use plan::{Plan, Schedule};
pub use platter::{Forgets, Operation, Platter, Remains};
pub use redb_disk::{RedbDisk, opened, opened_with};
pub use world::{Ended, World};

use std::path::Path;

/// Runs one seed. The error has the trace of the run, for a person to read.
pub fn run(plan: &Plan) -> Result<Ended, Box<Failed>> {
    match World::new(plan, false).run() {
        Ok(ended) => Ok(ended),
        Err(_) => Err(Box::new(replay(plan).expect_err("the same seed fails again"))),
    }
}

/// Runs one seed with a trace, whatever comes of it.
pub fn replay(plan: &Plan) -> Result<(Ended, Vec<String>), Failed> {
    let mut world = World::new(plan, true);
    let outcome = world.run();
    let trace = world.trace();
    match outcome {
        Ok(ended) => Ok((ended, trace)),
        Err(violation) => Err(Failed { plan: *plan, violation, trace }),
    }
}

/// Runs one seed with the real SQLite ledger beside the one in memory.
pub fn run_on_sql(plan: &Plan) -> Result<Ended, Box<Failed>> {
    run_on_tampered_sql(plan, &|_| {})
}

/// The same with a database that a test has tampered with before the run.
pub fn run_on_tampered_sql(plan: &Plan, tamper: &dyn Fn(&Path)) -> Result<Ended, Box<Failed>> {
    let run = |traced| {
        let mut world = World::new(plan, traced);
        world.open_database();
        world.database_file().iter().for_each(|file| tamper(file));
        let outcome = world.run().and_then(|ended| world.same_in_sql().map(|()| ended));
        (outcome, world.trace())
    };
    match run(false).0 {
        Ok(ended) => Ok(ended),
        Err(_) => {
            let (outcome, trace) = run(true);
            let violation = outcome.expect_err("the same seed fails again");
            Err(Box::new(Failed { plan: *plan, violation, trace }))
        }
    }
}

/// Runs one seed over disks of the caller's. The error has the trace, as above.
pub fn run_on(plan: &Plan, disk: &dyn Fn(usize) -> Box<dyn Disk>) -> Result<Ended, Box<Failed>> {
    if let Ok(ended) = World::on(plan, false, &mut |index| disk(index)).run() {
        return Ok(ended);
    }
    let mut world = World::on(plan, true, &mut |index| disk(index));
    let violation = world.run().expect_err("the same seed fails again");
    Err(Box::new(Failed { plan: *plan, violation, trace: world.trace() }))
}

/// A seed that broke a rule.
#[derive(Debug)]
pub struct Failed {
    /// Which.
    pub plan: Plan,
    /// The rule, and how it was broken.
    pub violation: Violation,
    /// Everything that happened before.
    pub trace: Vec<String>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const TAIL: usize = 60;
        let from = self.trace.len().saturating_sub(TAIL);
        for line in self.trace.iter().skip(from) {
            writeln!(f, "{line}")?;
        }
        let Plan { seed, schedule, broken } = self.plan;
        writeln!(f, "seed {seed}: {}", self.violation)?;
        write!(f, "the whole of it: scripts/simulate --seed {seed}")?;
        if schedule == Schedule::Drain {
            f.write_str(" --drain")?;
        }
        broken.map_or(Ok(()), |broken| write!(f, " --broken {}", broken.name()))
    }
}
