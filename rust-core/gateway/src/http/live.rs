//! Server-sent events: pages that follow a payment, or all of them.
//!
//! A stream listens before it looks, so nothing falls between; a listener that was too slow for the
//! news looks into the database. Streams end after a while, and browsers open them again by
//! themselves, telling the last revision they saw.

use super::error::Problem;
use super::office::Desk;
use super::office::deliveries::{row_html as delivery_html, trouble_html};
use super::office::payment::{self as office_page, MoneyBack};
use super::office::payments::row_html;
use super::payer::{find, standing_part};
use super::{App, HostOwner};
use crate::serve::stopped;
use crate::store::Change;
use crate::users::Role;
use crate::{deliveries, payments};
use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use holdfast_domain::{PaymentId, TenantSlug};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// How long a stream stays open: a session that ended is noticed then, and so is a client that
/// went away silently.
const STREAM_AGE_MAX: Duration = Duration::from_secs(10 * 60);
/// A sign of life, so that proxies do not cut an idle stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often the database is looked at without news.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// What a stream follows.
enum Follows {
    /// One payment, as its payer sees it.
    Payment(Box<(TenantSlug, PaymentId)>),
    /// One payment, as the office sees it; true for whoever may refund.
    Office(Box<(TenantSlug, PaymentId)>, bool),
    /// All payments of a tenant, as rows of the office's list.
    Tenant(TenantSlug),
    /// All deliveries to a tenant, as rows of the office's list, with what is wrong.
    Deliveries(TenantSlug),
}

struct Following {
    app: Arc<App>,
    follows: Follows,
    /// The last revision that was sent.
    seen: u64,
    waiting: VecDeque<Event>,
    /// What was last said to be wrong.
    told: String,
    news: broadcast::Receiver<Change>,
    delivered: broadcast::Receiver<TenantSlug>,
    stop: watch::Receiver<bool>,
    ends_at: Instant,
    _place: OwnedSemaphorePermit,
}

/// The payer's page.
pub(super) async fn payment(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(id): Path<String>,
    Query(position): Query<Position>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let payment = find(&app, &owner, &id).await?;
    let follows = Follows::Payment(Box::new((payment.tenant, payment.payment)));
    open(app, follows, position.last_seen(&headers))
}

/// The office's list.
pub(super) async fn office(
    desk: Desk,
    Query(position): Query<Position>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Desk { app, tenant, .. } = desk;
    open(app, Follows::Tenant(tenant.slug), position.last_seen(&headers))
}

/// A payment's page in the office.
pub(super) async fn office_payment(
    Path(id): Path<String>,
    desk: Desk,
    Query(position): Query<Position>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let payment = office_page::find(&desk, &id).await?;
    let may_refund = desk.session.may(Role::Finance);
    let follows = Follows::Office(Box::new((payment.tenant, payment.payment)), may_refund);
    open(desk.app, follows, position.last_seen(&headers))
}

/// The office's list of deliveries.
pub(super) async fn deliveries(
    desk: Desk,
    Query(position): Query<Position>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let Desk { app, tenant, .. } = desk;
    open(app, Follows::Deliveries(tenant.slug), position.last_seen(&headers))
}

/// From where a stream goes on.
#[derive(Deserialize)]
pub(super) struct Position {
    #[serde(default)]
    after: u64,
}

impl Position {
    /// What the browser saw last outranks what its page was made with.
    fn last_seen(&self, headers: &HeaderMap) -> u64 {
        let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
        header.and_then(|text| text.parse().ok()).unwrap_or(self.after)
    }
}

fn open(app: Arc<App>, follows: Follows, seen: u64) -> Result<Response, Problem> {
    let place = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many listeners",
            "Too many pages follow their payments just now.",
            "Refresh the page by hand; it is up to date then.",
        )
    })?;
    let following = Following {
        news: app.core.store.news.subscribe(),
        delivered: app.core.store.delivered.subscribe(),
        stop: app.stop.clone(),
        follows,
        seen,
        waiting: VecDeque::new(),
        told: String::new(),
        ends_at: Instant::now() + STREAM_AGE_MAX,
        app,
        _place: place,
    };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events(following)).keep_alive(keep_alive).into_response())
}

fn events(following: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(following, |mut following| async move {
        loop {
            if let Some(event) = following.waiting.pop_front() {
                return Some((Ok(event), following));
            }
            if let Err(problem) = following.look().await {
                tracing::warn!(what = problem.what, "a live stream ended");
                return None;
            }
            if following.waiting.is_empty() && !following.wait().await {
                return None;
            }
        }
    })
}

impl Following {
    /// Puts what is newer than the last look into the queue.
    async fn look(&mut self) -> Result<(), Problem> {
        let core = &self.app.core;
        match &self.follows {
            Follows::Payment(key) => {
                let found = payments::payment(core, &key.0, key.1).await?;
                if let Some(payment) = found.filter(|payment| payment.revision > self.seen) {
                    self.seen = payment.revision;
                    let html = standing_part(&self.app, &payment).await?;
                    self.waiting.push_back(event("standing", payment.revision, &html));
                }
            }
            Follows::Office(key, may_refund) => {
                let found = payments::payment(core, &key.0, key.1).await?;
                if let Some(payment) = found.filter(|payment| payment.revision > self.seen) {
                    self.seen = payment.revision;
                    let money = MoneyBack::read(core, &payment).await?;
                    let html = money.part(&payment, *may_refund).render()?;
                    self.waiting.push_back(event("standing", payment.revision, &html));
                }
            }
            Follows::Tenant(tenant) => {
                for listed in payments::changed(core, tenant, self.seen).await? {
                    self.seen = listed.payment.revision;
                    self.waiting.push_back(event("payment", self.seen, &row_html(&listed)?));
                }
            }
            Follows::Deliveries(tenant) => {
                let seen = i64::try_from(self.seen).unwrap_or(i64::MAX);
                for delivery in deliveries::after(core, tenant, seen).await? {
                    self.seen = u64::try_from(delivery.number).unwrap_or(self.seen);
                    let html = delivery_html(delivery)?;
                    self.waiting.push_back(event("delivery", self.seen, &html));
                }
                let html = trouble_html(&self.app, tenant).await?;
                if html != self.told {
                    self.waiting.push_back(event("trouble", self.seen, &html));
                    self.told = html;
                }
            }
        }
        Ok(())
    }

    /// Waits for news of what is followed; false when the stream is over.
    async fn wait(&mut self) -> bool {
        let Self { follows, news, delivered, stop, ends_at, .. } = self;
        let follows: &Follows = follows;
        let concerns = |change: &Change| match follows {
            Follows::Payment(key) | Follows::Office(key, _) => change.payment == key.1,
            Follows::Tenant(tenant) => change.tenant == *tenant,
            Follows::Deliveries(_) => false,
        };
        if let Follows::Deliveries(tenant) = follows {
            return tokio::select! {
                goes_on = delivery(delivered, tenant) => goes_on,
                () = tokio::time::sleep(LOOK_AGAIN) => true,
                () = stopped(stop) => false,
                () = tokio::time::sleep_until(*ends_at) => false,
            };
        }
        let ours = async {
            loop {
                match news.recv().await {
                    Ok(change) if concerns(&change) => return true,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                }
            }
        };
        tokio::select! {
            goes_on = ours => goes_on,
            // Another process on the same database gives no news here.
            () = tokio::time::sleep(LOOK_AGAIN) => true,
            () = stopped(stop) => false,
            () = tokio::time::sleep_until(*ends_at) => false,
        }
    }
}

/// Waits for a delivery to the tenant; false when there will be none any more.
async fn delivery(news: &mut broadcast::Receiver<TenantSlug>, tenant: &TenantSlug) -> bool {
    loop {
        match news.recv().await {
            Ok(to) if to == *tenant => return true,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}

fn event(name: &str, revision: u64, html: &str) -> Event {
    // A carriage return would end the field; HTML needs none.
    Event::default().event(name).id(revision.to_string()).data(html.replace('\r', ""))
}
