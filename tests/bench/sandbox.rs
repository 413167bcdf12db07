//! What the sandbox costs: memory for each payment, look-ups among many, and PaymentIntents a second
//! beside localstripe, over HTTP in the same run.
//!
//! Each figure stands beside its target; a ratio is taken within one run, so that it means the same
//! on every machine. The exit status is 1 if a target is missed.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "sandbox/localstripe.rs"]
mod localstripe;

use holdfast_sandbox::core::{ApiRequest, CardForm, Config, Core};
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const KEY: &str = "sk_test_bench";
const START_MS: i64 = 1_795_392_000_000;
const PAYMENTS: usize = 100_000;
/// 100,000 payments within 300 MB.
const MEMORY_MB_MAX: usize = 300;
/// A look-up among 100,000 payments, as a multiple of one among 1,000; times ten.
const LOOK_UP_TENTHS_MAX: u128 = 20;
/// How long creations are counted, beside localstripe.
const COUNT_S: u64 = 3;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    if let (Some("--weigh"), Some(kind)) = (args.next().as_deref(), args.next()) {
        return weigh(&kind);
    }
    let mut good = Vec::new();
    for kind in ["intent", "session"] {
        let (mb, ns_few, ns_many) = weighed_elsewhere(kind)?;
        let each = mb * 1_000_000 / PAYMENTS;
        good.push(tell(
            &format!("100,000 payments by {kind} (<= {MEMORY_MB_MAX} MB)"),
            &format!("{mb} MB, {each} bytes each"),
            mb <= MEMORY_MB_MAX,
        ));
        let tenths = ns_many * 10 / ns_few.max(1);
        good.push(tell(
            "look-up among 100,000 / among 1,000 (<= 2 x)",
            &format!("{ns_many} ns / {ns_few} ns = {}.{} x", tenths / 10, tenths % 10),
            tenths <= LOOK_UP_TENTHS_MAX,
        ));
    }
    good.push(beside_localstripe()?);
    if good.contains(&false) {
        std::process::exit(1);
    }
    Ok(())
}

fn tell(what: &str, figure: &str, good: bool) -> bool {
    println!("{what:<50} {figure:<38} {}", if good { "ok" } else { "MISSED" });
    good
}

fn beside_localstripe() -> Outcome<bool> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let running =
        runtime.block_on(holdfast_sandbox::start(holdfast_sandbox::Options::default()))?;
    let ours = localstripe::creations(&running.address().to_string(), COUNT_S)?;
    runtime.block_on(running.shutdown());
    let other = localstripe::Server::start()?;
    let theirs = localstripe::creations(other.address(), COUNT_S)?;
    let tenths = ours * 10 / theirs.max(1);
    Ok(tell(
        "PaymentIntents a second / localstripe (>= 1 x)",
        &format!("{ours} / {theirs} = {}.{} x", tenths / 10, tenths % 10),
        ours >= theirs,
    ))
}

/// In a process of its own, so that one weighing does not disturb the next.
fn weighed_elsewhere(kind: &str) -> Outcome<(usize, u128, u128)> {
    let told =
        std::process::Command::new(std::env::current_exe()?).args(["--weigh", kind]).output()?;
    let told = String::from_utf8(told.stdout)?;
    let figures: Vec<u128> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match figures.as_slice() {
        [mb, few, many] => Ok((usize::try_from(*mb)?, *few, *many)),
        _ => Err(format!("weighing {kind} failed: {told}").into()),
    }
}

fn weigh(kind: &str) -> Outcome<()> {
    let mut core = Core::new(Config::new(7, "http://127.0.0.1:4010"), START_MS);
    let before = resident_bytes();
    let mut ns_few = 0;
    for n in 0..PAYMENTS {
        let now_ms = START_MS + i64::try_from(n)?;
        if kind == "session" {
            by_session(&mut core, n, now_ms)?;
        } else {
            by_intent(&mut core, n, now_ms)?;
        }
        if n + 1 == 1_000 {
            ns_few = look_up_ns(&mut core, now_ms)?;
        }
    }
    let mb = resident_bytes().saturating_sub(before) / 1_000_000;
    let ns_many = look_up_ns(&mut core, START_MS + i64::try_from(PAYMENTS)?)?;
    println!("{mb} {ns_few} {ns_many}");
    Ok(())
}

fn post(
    core: &mut Core,
    path: &str,
    body: &str,
    n: usize,
    now_ms: i64,
) -> Outcome<serde_json::Value> {
    let key = format!("0199c0de-7a2b-7000-8000-{n:012}/1");
    let response = core.handle(&ApiRequest::post(path, body, KEY, &key), now_ms);
    let value = serde_json::from_slice(&response.body)?;
    if response.status == 200 { Ok(value) } else { Err(format!("refused: {value}").into()) }
}

fn by_intent(core: &mut Core, n: usize, now_ms: i64) -> Outcome<()> {
    let body = format!(
        "amount=1000&currency=usd&confirm=true&payment_method=pm_card_visa\
         &payment_method_types[]=card&metadata[payment]=0199c0de-7a2b-7000-8000-{n:012}"
    );
    post(core, "/v1/payment_intents", &body, n, now_ms).map(|_| ())
}

fn by_session(core: &mut Core, n: usize, now_ms: i64) -> Outcome<()> {
    let payment = format!("0199c0de-7a2b-7000-8000-{n:012}");
    let body = format!(
        "mode=payment&success_url=https%3A%2F%2Fpay.example%2Freturn%3Fs%3D{{CHECKOUT_SESSION_ID}}\
         &cancel_url=https%3A%2F%2Fpay.example%2Fp&client_reference_id={payment}\
         &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=1250\
         &line_items[0][price_data][product_data][name]=Parking+fine&line_items[0][quantity]=2\
         &metadata[payment]={payment}&payment_intent_data[metadata][payment]={payment}"
    );
    let session = post(core, "/v1/checkout/sessions", &body, n, now_ms)?;
    let id = session.get("id").and_then(serde_json::Value::as_str).ok_or("no ID")?;
    core.pay_session(id, &CardForm::test("4242424242424242"), now_ms);
    Ok(())
}

/// The mean of retrieving, and of listing by PaymentIntent, over all that there are.
fn look_up_ns(core: &mut Core, now_ms: i64) -> Outcome<u128> {
    let ids: Vec<String> = core.intents().map(|intent| intent.id.to_string()).collect();
    let mut looked: u128 = 0;
    let began = Instant::now();
    for id in ids.iter().step_by((ids.len() / 1_000).max(1)) {
        let list = format!("payment_intent={id}&limit=3");
        let one = format!("/v1/payment_intents/{id}");
        for (path, query) in [(one.as_str(), ""), ("/v1/charges", &list), ("/v1/refunds", &list)] {
            if core.handle(&ApiRequest::get(path, query, KEY), now_ms).status != 200 {
                return Err("a look-up was refused".into());
            }
            looked += 1;
        }
    }
    Ok(began.elapsed().as_nanos() / looked.max(1))
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.unwrap_or_default() * 1_024
}
