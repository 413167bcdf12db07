//! Stripe's webhooks, many at once: each an event of its own, signed as Stripe signs.

use crate::Outcome;
use crate::http::Connection;
use crate::server::{TENANT, WEBHOOK_SECRET};
use holdfast_sandbox::core::{Config, Core, WebhookTarget};
use holdfast_stripe::WebhookSecret;
use holdfast_stripe::webhook::sign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long events are counted.
const COUNTED: Duration = Duration::from_secs(5);
/// Before that, so that connections are open and pages of the database read.
const WARM: Duration = Duration::from_secs(1);

/// No two events of a run have one ID.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Events a second that are acknowledged over so many connections, each waiting for its answer.
pub(crate) fn events_a_second(address: &str, connections: usize) -> Outcome<u64> {
    let (from, until) = (Instant::now() + WARM, Instant::now() + WARM + COUNTED);
    let counted = over(connections, |_| {
        let mut sender = Sender::to(address)?;
        let mut count = 0_u64;
        while Instant::now() < until {
            sender.send()?;
            count += u64::from(Instant::now() > from);
        }
        Ok(count)
    })?;
    Ok(counted.iter().sum::<u64>() / COUNTED.as_secs())
}

/// How long all but one in a hundred wait when so many come a second, counted from when each should
/// have left: a wait before the sending is a wait as well.
pub(crate) fn p99_at(address: &str, connections: usize, a_second: u64) -> Outcome<Duration> {
    let each = u32::try_from(connections)?;
    let apart = Duration::from_secs(1) * each / u32::try_from(a_second.max(1))?;
    let began = Instant::now();
    let waits = over(connections, |place| {
        let mut sender = Sender::to(address)?;
        let mut due = began + apart * u32::try_from(place)? / each;
        let mut waits = Vec::new();
        while due < began + WARM + COUNTED {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            sender.send()?;
            if due > began + WARM {
                waits.push(due.elapsed());
            }
            due += apart;
        }
        Ok(waits)
    })?;
    let mut waits: Vec<Duration> = waits.into_iter().flatten().collect();
    waits.sort_unstable();
    waits.get(waits.len() * 99 / 100).copied().ok_or_else(|| "nothing was sent".into())
}

/// Runs this in so many threads at once.
fn over<T: Send>(count: usize, act: impl Fn(usize) -> Outcome<T> + Sync) -> Outcome<Vec<T>> {
    std::thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> = (0..count).map(|place| scope.spawn(move || act(place))).collect();
        threads.into_iter().map(|it| it.join().map_err(|_| "a thread ended badly")?).collect()
    })
}

struct Sender {
    connection: Connection,
    secret: [WebhookSecret; 1],
    path: String,
    /// The event's text before and after its ID.
    around_id: (String, String),
}

impl Sender {
    fn to(address: &str) -> Outcome<Self> {
        let text = event_text()?;
        let id = serde_json::from_str::<serde_json::Value>(&text)?;
        let id = id.get("id").and_then(serde_json::Value::as_str).ok_or("no ID")?.to_owned();
        let (before, after) = text.split_once(&id).ok_or("no ID")?;
        Ok(Self {
            connection: Connection::open(address)?,
            secret: [WebhookSecret::parse(WEBHOOK_SECRET)?],
            path: format!("/api/{TENANT}/qr/payment/webhook"),
            around_id: (before.to_owned(), after.to_owned()),
        })
    }

    fn send(&mut self) -> Outcome<()> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (before, after) = &self.around_id;
        let body = format!("{before}evt_1{now_s:012}{number:011}{after}");
        let signature = sign(body.as_bytes(), &self.secret, i64::try_from(now_s)?);
        let headers =
            format!("Content-Type: application/json\r\nStripe-Signature: {signature}\r\n");
        self.connection.ask("POST", &self.path, &headers, body.as_bytes())?.good()?;
        Ok(())
    }
}

/// An event as the sandbox sends it.
fn event_text() -> Outcome<String> {
    let mut core = Core::new(Config::new(7, "http://127.0.0.1:4010"), 1_795_392_000_000);
    let target: WebhookTarget = format!("http://127.0.0.1:9/hook={WEBHOOK_SECRET}").parse()?;
    core.set_targets(&[target], 1_795_392_000_000);
    core.trigger("payment_intent.created", 1_795_392_000_000).map_err(|_| "no such event")?;
    let due = core.due_deliveries(1_795_392_000_000).pop().ok_or("nothing is due")?;
    Ok(String::from_utf8(due.body)?)
}
