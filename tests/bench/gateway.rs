//! What the gateway costs: durable webhook intake, checking a signature, and memory with a million
//! payments.
//!
//! Each figure stands beside its target; a ratio is taken within one run on one machine and one
//! disk, so that it means the same on every machine. The exit status is 1 if a target is missed.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "lib/http.rs"]
mod http;
#[path = "gateway/load.rs"]
mod load;
#[path = "gateway/million.rs"]
mod million;
#[path = "gateway/server.rs"]
mod server;
#[path = "gateway/signature.rs"]
mod signature;

use load::About;
use server::Server;
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Connections of a busy hour.
const CONNECTIONS: usize = 64;
/// Payments that events are about, in turn: a busy day's.
pub(crate) const FOLLOWED: u32 = 10_000;
/// Events a second at so many connections, as a multiple of at one; times ten.
const GROUPED_TENTHS_MIN: u64 = 50;
/// At half of that rate, the wait of all but one in a hundred.
const P99_MAX: Duration = Duration::from_millis(50);
/// Checks a second, in hundredths of the raw rate of HMAC-SHA256 over the same bytes.
const CHECK_PERCENT_MIN: u128 = 80;
/// With a million payments, in megabytes.
const RESIDENT_MB_MAX: u64 = 100;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("--serve"), Some(folder)) => server::serve(folder.as_ref()),
        _ => measure(),
    }
}

fn measure() -> Outcome<()> {
    let mut good = vec![check_of_a_signature()?];
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    for about in [About::Nothing, About::Payments] {
        let data = folder.path().join(about.words());
        server::furnish(&data)?;
        million::fill(&data, FOLLOWED)?;
        good.extend(intake(&data, about)?);
        std::fs::remove_dir_all(&data)?;
    }
    let data = folder.path().join("data");
    server::furnish(&data)?;
    good.push(with_a_million(&data)?);
    // An exit drops nothing, and a million payments are a gigabyte.
    folder.close()?;
    if good.contains(&false) {
        std::process::exit(1);
    }
    Ok(())
}

fn tell(what: &str, figure: &str, good: bool) -> bool {
    println!("{what:<52} {figure:<40} {}", if good { "ok" } else { "MISSED" });
    good
}

fn check_of_a_signature() -> Outcome<bool> {
    let (checked_ns, raw_ns) = signature::check_and_raw_ns()?;
    let percent = raw_ns * 100 / checked_ns.max(1);
    Ok(tell(
        "checking a signature / raw HMAC (>= 0.8 x)",
        &format!("{raw_ns} ns / {checked_ns} ns = 0.{percent:02} x"),
        percent >= CHECK_PERCENT_MIN,
    ))
}

/// Intake of events: of nothing that is known here, and of payments, whose look at Stripe is part of the
/// load (nobody answers there).
fn intake(data: &std::path::Path, about: About) -> Outcome<[bool; 2]> {
    println!("events about {}:", about.words());
    let server = Server::start(data)?;
    let one = load::events_a_second(&server.address, 1, about)?;
    let many = load::events_a_second(&server.address, CONNECTIONS, about)?;
    let tenths = many * 10 / one.max(1);
    let grouped = tell(
        &format!("events a second at {CONNECTIONS} connections / at 1 (>= 5 x)"),
        &format!("{many} / {one} = {}.{} x", tenths / 10, tenths % 10),
        tenths >= GROUPED_TENTHS_MIN,
    );
    let p99 = load::p99_at(&server.address, CONNECTIONS, many / 2, about)?;
    let prompt = tell(
        "p99 at half that rate (< 50 ms)",
        &format!("{} ms at {} a second", p99.as_millis(), many / 2),
        p99 < P99_MAX,
    );
    server.stop()?;
    Ok([grouped, prompt])
}

fn with_a_million(data: &std::path::Path) -> Outcome<bool> {
    million::fill(data, million::MILLION)?;
    let server = Server::start(data)?;
    million::look_around(&server.address, &server::sign_in_link(data)?)?;
    load::events_a_second(&server.address, CONNECTIONS, About::Payments)?;
    let mb = server.resident_mb()?;
    server.stop()?;
    Ok(tell(
        "resident with a million payments (< 100 MB)",
        &format!("{mb} MB at its highest"),
        mb < RESIDENT_MB_MAX,
    ))
}
