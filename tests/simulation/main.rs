//! `simulate COUNT [--from N] [--drain] [--broken NAME]` runs seeds; `simulate --seed N` replays one.

use holdfast_tests::simulation::{self, Broken, Ended, Plan, Tally};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

struct Wanted {
    count: u64,
    from: u64,
    seed: Option<u64>,
    drain: bool,
    broken: Option<Broken>,
}

const USAGE: &str =
    "usage: simulate COUNT [--from N] [--drain] [--broken NAME] | --seed N [--drain]";

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let Some(wanted) = wanted(std::env::args().skip(1)) else {
        let _ = writeln!(std::io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match wanted.seed {
        Some(seed) => replay(&mut out, &wanted, seed),
        None => run(&mut out, &wanted),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
    let mut wanted = Wanted { count: 0, from: 0, seed: None, drain: false, broken: None };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => wanted.seed = Some(arguments.next()?.parse().ok()?),
            "--from" => wanted.from = arguments.next()?.parse().ok()?,
            "--drain" => wanted.drain = true,
            "--broken" => {
                let name = arguments.next()?;
                let found = Broken::ALL.into_iter().find(|broken| broken.name() == name);
                wanted.broken = Some(found?);
            }
            count => wanted.count = count.parse().ok()?,
        }
    }
    (wanted.seed.is_some() || wanted.count > 0).then_some(wanted)
}

impl Wanted {
    fn plan(&self, seed: u64) -> Plan {
        let plan = if self.drain { Plan::drain(seed) } else { Plan::ordinary(seed) };
        Plan { broken: self.broken, ..plan }
    }
}

fn replay(out: &mut impl Write, wanted: &Wanted, seed: u64) -> std::io::Result<bool> {
    let (trace, end) = match simulation::replay(&wanted.plan(seed)) {
        Ok((ended, trace)) => (trace, Ok(ended)),
        Err(failed) => (failed.trace, Err(failed.violation)),
    };
    for line in trace {
        writeln!(out, "{line}")?;
    }
    match end {
        Ok(ended) => {
            writeln!(out, "seed {seed}: {} steps, nothing was broken", ended.steps)?;
            Ok(true)
        }
        Err(violation) => {
            writeln!(out, "seed {seed}: {violation}")?;
            Ok(false)
        }
    }
}

fn run(out: &mut impl Write, wanted: &Wanted) -> std::io::Result<bool> {
    let began = Instant::now();
    let mut sum = Ended::default();
    for done in 0..wanted.count {
        let seed = wanted.from.wrapping_add(done);
        match simulation::run(&wanted.plan(seed)) {
            Ok(ended) => add(&mut sum, &ended),
            Err(failed) => {
                writeln!(out, "{failed}")?;
                return Ok(false);
            }
        }
        if done % 10_000 == 9_999 {
            let s = began.elapsed().as_secs().max(1);
            writeln!(std::io::stderr(), "{} seeds, {} a second", done + 1, (done + 1) / s)?;
        }
    }
    report(out, &sum.tally)?;
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    writeln!(
        out,
        "{} promises, {} orders, {} charges, {} to a person; {} steps",
        sum.promised, sum.orders, sum.charges, sum.to_a_person, sum.steps
    )?;
    let per_s = wanted.count.saturating_mul(1_000) / ms;
    writeln!(out, "{} seeds, {per_s} a second: nothing was broken", wanted.count)?;
    Ok(true)
}

fn add(sum: &mut Ended, ended: &Ended) {
    sum.tally.add(&ended.tally);
    sum.steps = sum.steps.saturating_add(ended.steps);
    sum.promised = sum.promised.saturating_add(ended.promised);
    sum.orders = sum.orders.saturating_add(ended.orders);
    sum.charges = sum.charges.saturating_add(ended.charges);
    sum.to_a_person = sum.to_a_person.saturating_add(ended.to_a_person);
}

fn report(out: &mut impl Write, tally: &Tally) -> std::io::Result<()> {
    for (fault, count) in tally.iter() {
        writeln!(out, "{count:>10}  {}", fault.words())?;
    }
    Ok(())
}
