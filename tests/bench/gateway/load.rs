//! Stripe's webhooks, many at once: each an event of its own, signed as Stripe signs.

use crate::Outcome;
use crate::http::Connection;
use crate::server::{TENANT, WEBHOOK_SECRET};
use crate::{FOLLOWED, million};
use holdfast_ledger::work::META_PAYMENT;
use holdfast_sandbox::core::{Config, Core, WebhookTarget};
use holdfast_stripe::WebhookSecret;
use holdfast_stripe::webhook::sign;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The sandbox's clock while it makes the event.
const NOW_MS: i64 = 1_795_392_000_000;
/// How long events are counted.
const COUNTED: Duration = Duration::from_secs(5);
/// Before that, so that connections are open and pages of the database read.
const WARM: Duration = Duration::from_secs(1);

/// No two events of a run have one ID.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// What the events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// Objects of nobody here: stored, and ignored.
    Nothing,
    /// Payments of ours: each makes a delivery row with its payment, and a job that looks at it.
    Payments,
}

impl About {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing of ours",
            Self::Payments => "payments",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Nothing => "payment_intent.created",
            Self::Payments => "payment_intent.succeeded",
        }
    }
}

/// Events a second that are acknowledged over so many connections, each waiting for its answer.
pub(crate) fn events_a_second(address: &str, connections: usize, about: About) -> Outcome<u64> {
    let (from, until) = (Instant::now() + WARM, Instant::now() + WARM + COUNTED);
    let counted = over(connections, |_| {
        let mut sender = Sender::to(address, about)?;
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
pub(crate) fn p99_at(
    address: &str,
    connections: usize,
    a_second: u64,
    about: About,
) -> Outcome<Duration> {
    let each = u32::try_from(connections)?;
    let apart = Duration::from_secs(1) * each / u32::try_from(a_second.max(1))?;
    let began = Instant::now();
    let waits = over(connections, |place| {
        let mut sender = Sender::to(address, about)?;
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
    /// The event's text, with [`EVENT`] where its ID stands and [`PAYMENT`] where its payment's does.
    text: String,
}

/// As long as the IDs of Stripe's events.
const EVENT: &str = "evt_eventeventeventevent";
/// As long as the IDs of payments.
const PAYMENT: &str = "paymentpaymentpaymentpaymentpayment0";

impl Sender {
    fn to(address: &str, about: About) -> Outcome<Self> {
        Ok(Self {
            connection: Connection::open(address)?,
            secret: [WebhookSecret::parse(WEBHOOK_SECRET)?],
            path: format!("/api/{TENANT}/qr/payment/webhook"),
            text: event_text(about)?,
        })
    }

    fn send(&mut self) -> Outcome<()> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let event = format!("evt_1{now_s:012}{number:011}");
        let payment = million::id(1 + u32::try_from(number % u64::from(FOLLOWED))?);
        let body = self.text.replacen(EVENT, &event, 1).replacen(PAYMENT, &payment, 1);
        let signature = sign(body.as_bytes(), &self.secret, i64::try_from(now_s)?);
        let headers =
            format!("Content-Type: application/json\r\nStripe-Signature: {signature}\r\n");
        self.connection.ask("POST", &self.path, &headers, body.as_bytes())?.good()?;
        Ok(())
    }
}

/// An event as the sandbox sends it.
fn event_text(about: About) -> Outcome<String> {
    let mut core = Core::new(Config::new(7, "http://127.0.0.1:4010"), NOW_MS);
    let target: WebhookTarget = format!("http://127.0.0.1:9/hook={WEBHOOK_SECRET}").parse()?;
    core.set_targets(&[target], NOW_MS);
    core.trigger(about.kind(), NOW_MS).map_err(|_| "no such event")?;
    let bodies = core.due_deliveries(NOW_MS).into_iter().map(|due| due.body);
    let mut events = bodies.map(|body| serde_json::from_slice::<Value>(&body));
    let is_it = |event: &Value| event.get("type").and_then(Value::as_str) == Some(about.kind());
    let found = events.find(|it| it.as_ref().is_ok_and(is_it));
    let mut event = found.ok_or("nothing is due")??;
    if let Some(id) = event.get_mut("id") {
        *id = EVENT.into();
    }
    let notes = event.pointer_mut("/data/object/metadata").and_then(Value::as_object_mut);
    let notes = notes.filter(|_| about == About::Payments);
    if let Some(notes) = notes {
        notes.insert(META_PAYMENT.to_owned(), PAYMENT.into());
    }
    // Written as Stripe writes it, with its line breaks.
    Ok(serde_json::to_string_pretty(&event)?)
}
