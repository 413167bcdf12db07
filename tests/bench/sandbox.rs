//! What the sandbox costs: memory for each payment, look-ups among many, and PaymentIntents a second
//! beside localstripe, over HTTP in the same run.
//!
//! Each figure stands beside its target; a ratio is taken within one run, so that it means the same
//! on every machine. The exit status is 1 if a target is missed.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "lib/http.rs"]
mod http;
#[path = "sandbox/localstripe.rs"]
mod localstripe;

use holdfast_sandbox::core::{ApiRequest, CardForm, Config, Core};
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const KEY: &str = "sk_test_bench";
const START_MS: i64 = 1_795_392_000_000;
const PAYMENTS: usize = 100_000;
/// What looking up among them is compared with.
const FEW: usize = 1_000;
/// 100,000 payments within 300 MB.
const MEMORY_MB_MAX: usize = 300;
/// The same among 100,000 payments, as a multiple of among 1,000; times ten.
const SLOWER_TENTHS_MAX: u128 = 20;
/// Each figure is the best of so many rounds: what else the machine does only adds to it.
const ROUNDS: usize = 15;
/// How many are retrieved in a round.
const RETRIEVED: usize = 200;
/// How long creations are counted, beside localstripe.
const COUNT_S: u64 = 3;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    if let (Some("--weigh"), Some(kind)) = (args.next().as_deref(), args.next()) {
        return weigh(&kind);
    }
    let mut good = Vec::new();
    for kind in ["intent", "session"] {
        let weighed = weighed_elsewhere(kind)?;
        let (mb, each) = (weighed.mb, weighed.mb * 1_000_000 / PAYMENTS);
        good.push(tell(
            &format!("100,000 payments by {kind} (<= {MEMORY_MB_MAX} MB)"),
            &format!("{mb} MB, {each} bytes each"),
            mb <= MEMORY_MB_MAX,
        ));
        let times = weighed.few.into_iter().zip(weighed.many);
        for (what, (few, many)) in ["retrieve", "page of a list"].into_iter().zip(times) {
            let tenths = many * 10 / few.max(1);
            good.push(tell(
                &format!("{what} among 100,000 / among 1,000 (<= 2 x)"),
                &format!("{many} ns / {few} ns = {}.{} x", tenths / 10, tenths % 10),
                tenths <= SLOWER_TENTHS_MAX,
            ));
        }
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

/// What 100,000 payments take: megabytes, and nanoseconds to retrieve one and to list a page.
struct Weighed {
    mb: usize,
    few: [u128; 2],
    many: [u128; 2],
}

/// In a process of its own, so that one weighing does not disturb the next.
fn weighed_elsewhere(kind: &str) -> Outcome<Weighed> {
    let told =
        std::process::Command::new(std::env::current_exe()?).args(["--weigh", kind]).output()?;
    let told = String::from_utf8(told.stdout)?;
    let figures: Vec<u128> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match *figures.as_slice() {
        [mb, few_one, few_page, many_one, many_page] => Ok(Weighed {
            mb: usize::try_from(mb)?,
            few: [few_one, few_page],
            many: [many_one, many_page],
        }),
        _ => Err(format!("weighing {kind} failed: {told}").into()),
    }
}

fn weigh(kind: &str) -> Outcome<()> {
    let mut small = filled(kind, FEW)?;
    let before = resident_bytes();
    let mut large = filled(kind, PAYMENTS)?;
    let mb = resident_bytes().saturating_sub(before) / 1_000_000;
    let now_ms = START_MS + i64::try_from(PAYMENTS)?;
    let (few_calls, many_calls) = (LookUps::of(&small), LookUps::of(&large));
    let (mut few, mut many) = ([u128::MAX; 2], [u128::MAX; 2]);
    // By turns, so that whatever else the machine does meets both.
    for _ in 0..ROUNDS {
        few_calls.time(&mut small, now_ms, &mut few)?;
        many_calls.time(&mut large, now_ms, &mut many)?;
    }
    println!("{mb} {} {} {} {}", few[0], few[1], many[0], many[1]);
    Ok(())
}

fn filled(kind: &str, payments: usize) -> Outcome<Core> {
    let mut core = Core::new(Config::new(7, "http://127.0.0.1:4010"), START_MS);
    for n in 0..payments {
        let now_ms = START_MS + i64::try_from(n)?;
        if kind == "session" {
            by_session(&mut core, n, now_ms)?;
        } else {
            by_intent(&mut core, n, now_ms)?;
        }
    }
    Ok(core)
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

/// What is asked among all that there are.
struct LookUps {
    retrieved: Vec<(String, String)>,
    pages: Vec<(String, String)>,
}

impl LookUps {
    fn of(core: &Core) -> Self {
        let ids: Vec<String> = core.intents().map(|intent| intent.id.to_string()).collect();
        let one = |id: &String| (format!("/v1/payment_intents/{id}"), String::new());
        let step = (ids.len() / RETRIEVED).max(1);
        let middle = ids.get(ids.len() / 2).map_or("", String::as_str);
        let from_s = START_MS / 1_000;
        let pages = [
            ("/v1/payment_intents", String::new()),
            ("/v1/payment_intents", format!("starting_after={middle}")),
            ("/v1/payment_intents", format!("ending_before={middle}&limit=10")),
            ("/v1/charges", format!("payment_intent={middle}")),
            ("/v1/refunds", format!("payment_intent={middle}")),
            ("/v1/checkout/sessions", format!("created[gte]={from_s}&created[lte]={}", from_s + 1)),
            ("/v1/checkout/sessions", "status=complete".to_owned()),
            ("/v1/events", "type=payment_intent.succeeded".to_owned()),
            ("/v1/balance_transactions", "type=charge".to_owned()),
        ];
        Self {
            retrieved: ids.iter().step_by(step).map(one).collect(),
            pages: pages.map(|(path, query)| (path.to_owned(), query)).into(),
        }
    }

    /// Keeps the better of each figure.
    fn time(&self, core: &mut Core, now_ms: i64, best: &mut [u128; 2]) -> Outcome<()> {
        for (best, calls) in best.iter_mut().zip([&self.retrieved, &self.pages]) {
            *best = (*best).min(mean_ns(core, calls, now_ms)?);
        }
        Ok(())
    }
}

fn mean_ns(core: &mut Core, calls: &[(String, String)], now_ms: i64) -> Outcome<u128> {
    let began = Instant::now();
    for (path, query) in calls {
        if core.handle(&ApiRequest::get(path, query, KEY), now_ms).status != 200 {
            return Err(format!("{path}?{query} was refused").into());
        }
    }
    Ok(began.elapsed().as_nanos() / calls.len().max(1) as u128)
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.unwrap_or_default() * 1_024
}
