//! `holdfast`, the one binary: serves the gateway, sets it up, and plays Stripe for tests.
//!
//! Exit status 0 is success, 1 failure, 2 wrong use. What is asked for goes to standard output, all
//! else to standard error; every failure says in one line what to do.

mod args;
mod commands;
mod logs;
mod sandbox;
mod serving;

use args::Args;
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    keep_memory_private();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(commands::run(args.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    }
}

/// Keys are in memory: a crash must not write them to a file, nor may another program of the same user
/// read them there. A system that refuses either is no reason not to serve.
fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// One line with everything that is known: what happened, what to do, and why.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    let mut line = format!("holdfast: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(" (because: {error})"));
        cause = error.source();
    }
    // When even standard error is gone, the exit status still tells.
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
