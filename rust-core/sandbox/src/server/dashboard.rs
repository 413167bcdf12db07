//! A small dashboard, as far as people who set up payments need Stripe's: payments with their
//! decline reasons, endpoints with their deliveries and secrets, keys, events, and the inbox.

mod rows;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{Response, StatusCode};
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::Shared;
use super::control::ours_only;
use super::forms::field;
use super::pages::{html, missing, see_other};
use crate::core::{Core, DeliveryId, Endpoint, utc};
use rows::{DeliveryRow, EndpointRow, EventRow, MessageRow, PaymentRow};

/// Rows of one page.
const ROWS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "desk_payments.html")]
struct Payments {
    rows: Vec<PaymentRow>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "desk_events.html")]
struct Events {
    rows: Vec<EventRow>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "desk_webhooks.html")]
struct Webhooks {
    rows: Vec<EndpointRow>,
}

#[derive(Template)]
#[template(path = "desk_webhook.html")]
struct Webhook {
    id: String,
    url: String,
    status: &'static str,
    events: String,
    secret: String,
    revealed: bool,
    old_until: Option<String>,
    rows: Vec<DeliveryRow>,
}

#[derive(Template)]
#[template(path = "desk_keys.html")]
struct Keys {
    rows: Vec<(String, String)>,
    url: String,
}

#[derive(Template)]
#[template(path = "desk_inbox.html")]
struct InboxPage {
    rows: Vec<MessageRow>,
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(async || see_other("/dashboard")))
        .route("/dashboard", get(payments))
        .route("/dashboard/events", get(events))
        .route("/dashboard/webhooks", get(webhooks))
        .route("/dashboard/webhooks/{id}", get(webhook))
        .route("/dashboard/apikeys", get(keys))
        .route("/dashboard/inbox", get(inbox))
        .merge(levers())
}

/// What changes something, or shows a secret: never for a page from elsewhere.
fn levers() -> Router<Arc<Shared>> {
    Router::new()
        .route("/dashboard/webhooks/{id}/reveal", post(reveal))
        .route("/dashboard/webhooks/{id}/roll", post(roll))
        .route("/dashboard/webhooks/{id}/resend", post(resend))
        .layer(from_fn(ours_only))
}

fn page(page: &impl Template) -> Response<Body> {
    html(StatusCode::OK, page, None)
}

/// So many of the newest rows after the one that is named, and the last of them when more follow.
fn newest<T, R>(
    all: impl Iterator<Item = T>,
    id: impl Fn(&T) -> String,
    query: Option<String>,
    row: impl Fn(T) -> R,
) -> (Vec<R>, Option<String>) {
    let before = field(query.unwrap_or_default().as_bytes(), "before");
    let mut passed = before.is_empty();
    let mut rows = all.filter(|it| {
        passed || {
            passed = id(it) == before;
            false
        }
    });
    let (mut shown, mut last) = (Vec::new(), None);
    for it in rows.by_ref().take(ROWS_MAX) {
        last = Some(id(&it));
        shown.push(row(it));
    }
    let more = rows.next().is_some();
    (shown, last.filter(|_| more))
}

async fn payments(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response<Body> {
    let (rows, older) = shared.with_core(|core, _| {
        let id = |intent: &&Arc<crate::core::Intent>| intent.id.to_string();
        newest(core.intents().rev(), id, query, |intent| PaymentRow::of(core, intent))
    });
    page(&Payments { rows, older })
}

async fn events(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response<Body> {
    let (rows, older) = shared.with_core(|core, _| {
        let id = |event: &crate::core::Event| event.id.to_string();
        newest(core.events().rev(), id, query, |event| EventRow::of(&event))
    });
    page(&Events { rows, older })
}

async fn webhooks(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let rows = shared
        .with_core(|core, _| core.webhook_endpoints().map(|it| EndpointRow::of(it)).collect());
    page(&Webhooks { rows })
}

async fn webhook(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response<Body> {
    one_webhook(&shared, &id, false)
}

async fn reveal(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response<Body> {
    one_webhook(&shared, &id, true)
}

fn one_webhook(shared: &Shared, id: &str, revealed: bool) -> Response<Body> {
    let found = shared.with_core(|core, now_ms| {
        let endpoint = core.webhook_endpoints().find(|endpoint| &*endpoint.id == id)?;
        Some(webhook_page(core, endpoint, revealed, now_ms))
    });
    found.map_or_else(missing, |webhook| page(&webhook))
}

fn webhook_page(core: &Core, endpoint: &Endpoint, revealed: bool, now_ms: i64) -> Webhook {
    let row = EndpointRow::of(endpoint);
    let old = endpoint.old_secret.as_ref().map(|(_, until_s)| until_s.saturating_mul(1_000));
    let secret =
        if revealed { endpoint.secret.expose().to_owned() } else { endpoint.secret.masked() };
    let ours = core.deliveries().iter().enumerate().rev();
    let ours = ours.filter(|(_, delivery)| delivery.endpoint == endpoint.id);
    Webhook {
        id: row.id,
        url: row.url,
        status: row.status,
        events: row.events,
        secret,
        revealed,
        old_until: old.filter(|until_ms| now_ms < *until_ms).map(utc),
        rows: ours.take(ROWS_MAX).map(|(at, it)| DeliveryRow::of(core, at, it)).collect(),
    }
}

async fn roll(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let overlap_s = field(&body, "overlap_s").parse().unwrap_or(0);
    if shared.with_core(|core, now_ms| core.roll_secret(&id, overlap_s, now_ms)) {
        see_other(&format!("/dashboard/webhooks/{id}"))
    } else {
        missing()
    }
}

async fn resend(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    if let Ok(number) = field(&body, "delivery").parse() {
        // One that is on its way already needs no second.
        shared.with_core(|core, now_ms| core.resend(DeliveryId(number), now_ms));
    }
    see_other(&format!("/dashboard/webhooks/{id}"))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let (rows, url) = shared.with_core(|core, _| {
        let config = core.config();
        let grant = |grant: &crate::core::KeyGrant| {
            let may = grant.may.as_ref().map_or("everything".to_owned(), |may| may.join(", "));
            (grant.masked().to_owned(), may)
        };
        (config.api_keys.iter().map(grant).collect(), config.public_url.clone())
    });
    page(&Keys { rows, url })
}

async fn inbox(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let rows = shared.with_core(|core, _| core.messages().map(MessageRow::of).collect());
    page(&InboxPage { rows })
}
