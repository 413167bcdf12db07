//! `simulate COUNT [--from N] [--drain] [--broken NAME]` runs seeds; `simulate --seed N` replays one.

use holdfast_tests::simulation::{self, Broken, Ended, Plan, Tally};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// A run is hundreds of thousands of small pieces of memory, soon given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let (began, cpu_began_us) = (Instant::now(), cpu_us());
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
    writeln!(
        out,
        "{} refunds, {} payments of what was paid already, {} reports of damaged records",
        sum.refunds, sum.already_paid, sum.reports
    )?;
    let per_s = wanted.count.saturating_mul(1_000) / ms;
    let cpu_us = cpu_us().saturating_sub(cpu_began_us).max(1);
    let per_cpu_s = wanted.count.saturating_mul(1_000_000) / cpu_us;
    writeln!(
        out,
        "{} seeds, {per_s} a second, {per_cpu_s} a second of CPU: nothing was broken",
        wanted.count
    )?;
    let seed_us = cpu_us / wanted.count.max(1);
    let signature_us = signature_us().max(1);
    writeln!(
        out,
        "a seed takes {seed_us} us of CPU, a signature made and checked {signature_us} us: {} of them",
        seed_us / signature_us
    )?;
    Ok(true)
}

/// The time that this process was on a processor, in microseconds.
fn cpu_us() -> u64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (s, ns) = (u64::try_from(spent.tv_sec), u64::try_from(spent.tv_nsec));
    s.unwrap_or(0).saturating_mul(1_000_000).saturating_add(ns.unwrap_or(0) / 1_000)
}

/// What it costs here, in microseconds, to sign an order on the curve and to check it: a measure of
/// this machine, so that numbers of different machines and hours can be compared.
fn signature_us() -> u64 {
    const ROUNDS: u64 = 200;
    let Ok(key) = SigningKey::from_slice(&[7; 32]) else { return 0 };
    let began_us = cpu_us();
    for round in 0..ROUNDS {
        let message = [round.to_be_bytes(); 32].concat();
        let signature: Signature = key.sign(&message);
        if key.verifying_key().verify(&message, &signature).is_err() {
            return 0;
        }
    }
    cpu_us().saturating_sub(began_us) / ROUNDS
}

fn add(sum: &mut Ended, ended: &Ended) {
    sum.tally.add(&ended.tally);
    sum.steps = sum.steps.saturating_add(ended.steps);
    sum.promised = sum.promised.saturating_add(ended.promised);
    sum.orders = sum.orders.saturating_add(ended.orders);
    sum.charges = sum.charges.saturating_add(ended.charges);
    sum.to_a_person = sum.to_a_person.saturating_add(ended.to_a_person);
    sum.refunds = sum.refunds.saturating_add(ended.refunds);
    sum.already_paid = sum.already_paid.saturating_add(ended.already_paid);
    sum.reports = sum.reports.saturating_add(ended.reports);
}

fn report(out: &mut impl Write, tally: &Tally) -> std::io::Result<()> {
    for (fault, count) in tally.iter() {
        writeln!(out, "{count:>10}  {}", fault.words())?;
    }
    Ok(())
}
