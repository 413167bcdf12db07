//! Numbers for Prometheus, in its text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! What happens in this process is counted here; what stands in the database is read when somebody
//! asks. Labels are routes, states and kinds, never an ID: their number is bounded.

use crate::core::Core;
use crate::store::{StoreError, rows};
use sqlx::query;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of a duration's buckets, in milliseconds: from one commit to the longest wait for
/// Stripe.
const BUCKETS_MS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000];

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    /// Requests by route, method and status.
    Requests,
    /// Webhook deliveries by result.
    Webhooks,
    /// Jobs carried out, by kind and result.
    Jobs,
    /// Calls to Stripe, by call and result.
    StripeCalls,
}

/// What takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Answering a request, by route.
    Requests,
    /// A call to Stripe with all its retries, by call.
    StripeCalls,
}

impl Counter {
    fn head(self) -> (&'static str, &'static str) {
        match self {
            Self::Requests => ("holdfast_http_requests_total", "Requests that were answered."),
            Self::Webhooks => ("holdfast_webhooks_total", "Webhook deliveries, by result."),
            Self::Jobs => ("holdfast_jobs_done_total", "Jobs that were carried out, by result."),
            Self::StripeCalls => ("holdfast_stripe_calls_total", "Calls to Stripe, by result."),
        }
    }
}

impl Timer {
    fn head(self) -> (&'static str, &'static str) {
        match self {
            Self::Requests => {
                ("holdfast_http_request_duration_seconds", "Time to answer a request.")
            }
            Self::StripeCalls => {
                ("holdfast_stripe_call_duration_seconds", "Time of a call, retries included.")
            }
        }
    }
}

/// A label's name with its value.
pub(crate) type Label<'l> = (&'static str, &'l str);

/// How often something took up to so long.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    buckets: [u64; BUCKETS_MS.len()],
    count: u64,
    sum_us: u64,
}

/// The numbers of one gateway.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    counters: Mutex<BTreeMap<(Counter, String), u64>>,
    times: Mutex<BTreeMap<(Timer, String), Times>>,
}

impl Metrics {
    /// One more.
    pub(crate) fn count(&self, counter: Counter, labels: &[Label<'_>]) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let number = counters.entry((counter, written(labels))).or_default();
        *number = number.saturating_add(1);
    }

    /// It took so long.
    pub(crate) fn took(&self, timer: Timer, labels: &[Label<'_>], took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry((timer, written(labels))).or_default();
        for (bucket, end_ms) in times.buckets.iter_mut().zip(BUCKETS_MS) {
            *bucket = bucket.saturating_add(u64::from(us <= end_ms.saturating_mul(1000)));
        }
        times.count = times.count.saturating_add(1);
        times.sum_us = times.sum_us.saturating_add(us);
    }

    fn write(&self, text: &mut String) {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut last = None;
        for ((counter, labels), number) in counters {
            let (name, help) = counter.head();
            head(text, &mut last, name, help, "counter");
            line(text, name, &labels, &number.to_string());
        }
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut last = None;
        for ((timer, labels), times) in times {
            let (name, help) = timer.head();
            head(text, &mut last, name, help, "histogram");
            histogram(text, name, &labels, &times);
        }
    }
}

fn histogram(text: &mut String, name: &str, labels: &str, times: &Times) {
    let comma = if labels.is_empty() { "" } else { "," };
    let bucket = format!("{name}_bucket");
    for (end_ms, number) in BUCKETS_MS.iter().zip(times.buckets) {
        let le = seconds(end_ms.saturating_mul(1000));
        line(text, &bucket, &format!("{labels}{comma}le=\"{le}\""), &number.to_string());
    }
    let count = times.count.to_string();
    line(text, &bucket, &format!("{labels}{comma}le=\"+Inf\""), &count);
    line(text, &format!("{name}_sum"), labels, &seconds(times.sum_us));
    line(text, &format!("{name}_count"), labels, &count);
}

/// Microseconds as seconds, without floating point.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

fn head<'n>(text: &mut String, last: &mut Option<&'n str>, name: &'n str, help: &str, kind: &str) {
    if last.replace(name) != Some(name) {
        // Writing to a String does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }
}

fn line(text: &mut String, name: &str, labels: &str, value: &str) {
    let _ = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{labels}}} {value}")
    };
}

fn written(labels: &[Label<'_>]) -> String {
    let escaped =
        |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    labels.collect::<Vec<_>>().join(",")
}

/// Everything, as Prometheus reads it.
pub(crate) async fn scrape(
    core: &Core,
    certificate_ends_at_s: Option<i64>,
) -> Result<String, StoreError> {
    let mut text = String::new();
    payments(core, &mut text).await?;
    jobs(core, &mut text).await?;
    let unread = query("SELECT COUNT(*) AS n FROM finance_alerts WHERE acknowledged_by = ''");
    let unread = rows::number(&unread.fetch_one(&core.store.reads).await?, "n")?;
    gauge(&mut text, "holdfast_finance_alerts_unread", "Refunds and disputes nobody has read.");
    line(&mut text, "holdfast_finance_alerts_unread", "", &unread.to_string());
    if let Some(free) = core.world.free_bytes(core.folder()) {
        gauge(&mut text, "holdfast_disk_free_bytes", "Room that is left for the database.");
        line(&mut text, "holdfast_disk_free_bytes", "", &free.to_string());
    }
    if let Some(ends_at_s) = certificate_ends_at_s {
        let name = "holdfast_tls_certificate_ends_timestamp_seconds";
        gauge(&mut text, name, "When the served certificate ends, in Unix time.");
        line(&mut text, name, "", &ends_at_s.to_string());
    }
    core.metrics.write(&mut text);
    Ok(text)
}

fn gauge(text: &mut String, name: &str, help: &str) {
    head(text, &mut None, name, help, "gauge");
}

/// Counts payments; an index has all that it reads, so that a million of them are counted in no time.
pub(crate) const PAYMENTS_BY_STATE: &str =
    "SELECT tenant, state, COUNT(*) AS n FROM payments GROUP BY tenant, state";

async fn payments(core: &Core, text: &mut String) -> Result<(), StoreError> {
    let name = "holdfast_payments";
    gauge(text, name, "Payments by tenant and state.");
    for row in query(PAYMENTS_BY_STATE).fetch_all(&core.store.reads).await? {
        let (tenant, state) = (rows::text(&row, "tenant")?, rows::text(&row, "state")?);
        let labels = written(&[("tenant", &tenant), ("state", &state)]);
        line(text, name, &labels, &rows::number(&row, "n")?.to_string());
    }
    Ok(())
}

/// How much work waits, and for how long the longest due has.
async fn jobs(core: &Core, text: &mut String) -> Result<(), StoreError> {
    let sql = query(
        "SELECT kind, COUNT(*) AS n, COALESCE(MIN(due_at_ms), 0) AS due FROM jobs GROUP BY kind",
    );
    let now_ms = core.now_ms();
    let found = sql.fetch_all(&core.store.reads).await?;
    gauge(text, "holdfast_jobs", "Jobs that are due or will be, by kind.");
    for row in &found {
        let kind = rows::text(row, "kind")?;
        let number = rows::number(row, "n")?.to_string();
        line(text, "holdfast_jobs", &written(&[("kind", &kind)]), &number);
    }
    let name = "holdfast_jobs_overdue_seconds";
    gauge(text, name, "For how long the longest due job of a kind has been waiting.");
    for row in &found {
        let late_ms = now_ms.saturating_sub(rows::number(row, "due")?).max(0);
        let late_us = u64::try_from(late_ms).unwrap_or(0).saturating_mul(1000);
        let kind = rows::text(row, "kind")?;
        line(text, name, &written(&[("kind", &kind)]), &seconds(late_us));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_times_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.count(Counter::Webhooks, &[("result", "new")]);
        metrics.count(Counter::Webhooks, &[("result", "new")]);
        metrics.count(Counter::Webhooks, &[("result", "a \"b\"\n\\")]);
        metrics.took(Timer::StripeCalls, &[("call", "refund")], Duration::from_millis(30));
        let mut text = String::new();
        metrics.write(&mut text);
        for part in [
            "# TYPE holdfast_webhooks_total counter\n",
            "holdfast_webhooks_total{result=\"new\"} 2\n",
            "holdfast_webhooks_total{result=\"a \\\"b\\\"\\n\\\\\"} 1\n",
            "holdfast_stripe_call_duration_seconds_bucket{call=\"refund\",le=\"0.025000\"} 0\n",
            "holdfast_stripe_call_duration_seconds_bucket{call=\"refund\",le=\"0.050000\"} 1\n",
            "holdfast_stripe_call_duration_seconds_bucket{call=\"refund\",le=\"+Inf\"} 1\n",
            "holdfast_stripe_call_duration_seconds_sum{call=\"refund\"} 0.030000\n",
            "holdfast_stripe_call_duration_seconds_count{call=\"refund\"} 1\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("# HELP holdfast_webhooks_total").count(), 1);
    }
}
