//! The sandbox's own levers, under `/_sandbox`: clock, faults, triggers, listeners, inbox. A page
//! from elsewhere must not pull them, so a browser is let in from our own pages alone.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use holdfast_stripe::objects::EventType;
use serde_json::{Value, json};

use super::Shared;
use super::forms::field;
use crate::core::{Channel, FaultRule, Id, Message};

/// The longest that a listener waits for deliveries in one request.
const WAIT_MAX: Duration = Duration::from_secs(25);

/// The furthest that the clock is moved in one step, in milliseconds: ten years.
const ADVANCE_MS_MAX: i64 = 10 * 366 * 24 * 60 * 60 * 1_000;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/clock", get(clock).post(advance))
        .route("/_sandbox/faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/_sandbox/trigger", post(trigger))
        .route("/_sandbox/listeners", post(listen))
        .route("/_sandbox/listeners/{id}", get(heard).delete(stop_listening))
        .route("/_sandbox/inbox", get(inbox).post(hand_over))
        .layer(from_fn(ours_only))
}

/// Refuses what a page from elsewhere sends with somebody's browser.
pub(super) async fn ours_only(request: Request, next: Next) -> Response<Body> {
    if comes_from_elsewhere(request.headers()) {
        let why = "This belongs to the sandbox's own pages and tools.";
        return refusal(StatusCode::FORBIDDEN, why);
    }
    next.run(request).await
}

/// Browsers say where a request comes from; tools say nothing.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header("origin") else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_none() || host != header("host")
}

pub(super) fn answer(status: StatusCode, value: &Value) -> Response<Body> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    (status, [("content-type", "application/json")], body).into_response()
}

fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    answer(status, &json!({ "error": { "message": why } }))
}

async fn clock(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let now_ms = shared.clock.now_ms();
    answer(StatusCode::OK, &json!({ "now_ms": now_ms, "by_hand": shared.clock.is_by_hand() }))
}

async fn advance(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let ms = field(&body, "advance_ms").parse::<i64>().ok();
    let s = field(&body, "advance_s").parse::<i64>().ok().and_then(|s| s.checked_mul(1_000));
    let Some(by_ms) = ms.or(s).filter(|ms| (0..=ADVANCE_MS_MAX).contains(ms)) else {
        return refusal(StatusCode::BAD_REQUEST, "Say advance_s or advance_ms, a whole number.");
    };
    shared.skip_ahead(Duration::from_millis(by_ms.unsigned_abs()));
    clock(State(shared)).await
}

async fn faults(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let rules: Vec<String> =
        shared.with_core(|core, _| core.faults().iter().map(ToString::to_string).collect());
    answer(StatusCode::OK, &json!({ "rules": rules }))
}

/// One rule a line, in place of those before.
async fn set_faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let text = String::from_utf8_lossy(&body);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.map(str::parse).collect::<Result<Vec<FaultRule>, _>>() {
        Ok(rules) => shared.with_core(|core, now_ms| core.set_faults(rules, now_ms)),
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
    faults(State(shared)).await
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> Response<Body> {
    shared.with_core(|core, now_ms| core.set_faults(Vec::new(), now_ms));
    faults(State(shared)).await
}

async fn trigger(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let kind = field(&body, "type");
    let made = shared.with_core(|core, now_ms| {
        core.trigger(&kind, now_ms).map(|made| {
            let told = |id: Id| {
                let event = core.event(&id);
                json!({ "id": id, "type": event.map(|event| event.kind.to_string()) })
            };
            made.into_iter().map(told).collect::<Vec<Value>>()
        })
    });
    match made {
        Ok(events) => answer(StatusCode::OK, &json!({ "events": events })),
        Err(_) => {
            let known = crate::core::TRIGGERS.join(", ");
            let why = format!("{kind:?} cannot be triggered. These can: {known}");
            refusal(StatusCode::BAD_REQUEST, &why)
        }
    }
}

async fn listen(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let wanted = field(&body, "events");
    let wanted = wanted.split(',').map(str::trim).filter(|kind| !kind.is_empty());
    let wanted: Vec<EventType> = wanted.map(EventType::from).collect();
    let listening = shared.with_core(|core, now_ms| {
        let (id, secret) = core.listen(&wanted, now_ms)?;
        shared.listeners.add(id.clone());
        Some(json!({ "id": id, "secret": secret.expose() }))
    });
    match listening {
        Some(value) => answer(StatusCode::OK, &value),
        None => refusal(StatusCode::INTERNAL_SERVER_ERROR, "No signing secret could be made."),
    }
}

async fn heard(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let wait = field(query.unwrap_or_default().as_bytes(), "wait_s").parse().unwrap_or(0);
    let wait = Duration::from_secs(wait).min(WAIT_MAX);
    match shared.listeners.take(&id, wait).await {
        Some(heard) => answer(StatusCode::OK, &json!({ "heard": heard })),
        None => refusal(StatusCode::NOT_FOUND, "Nobody listens under this ID; begin again."),
    }
}

async fn stop_listening(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Response<Body> {
    if !shared.with_core(|core, _| core.listeners().iter().any(|known| **known == *id)) {
        return refusal(StatusCode::NOT_FOUND, "Nobody listens under this ID.");
    }
    shared.listeners.remove(&id);
    shared.with_core(|core, now_ms| core.stop_listening(&id, now_ms));
    answer(StatusCode::OK, &json!({}))
}

async fn inbox(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let messages: Vec<Value> =
        shared.with_core(|core, _| core.messages().map(|message| json!(message)).collect());
    answer(StatusCode::OK, &json!({ "messages": messages }))
}

/// A message that a sender of the gateway hands over: SMS or e-mail, to whom, and its text.
async fn hand_over(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    match read_message(&body) {
        Some(message) => {
            shared.with_core(|core, now_ms| core.hand_over(message, now_ms));
            answer(StatusCode::OK, &json!({}))
        }
        None => refusal(StatusCode::BAD_REQUEST, "Say channel (sms or email), to and text."),
    }
}

fn read_message(body: &[u8]) -> Option<Message> {
    let channel = match field(body, "channel").as_str() {
        "sms" => Channel::Sms,
        "email" => Channel::Email,
        _ => return None,
    };
    Message::new(channel, &field(body, "to"), &field(body, "subject"), &field(body, "text"))
}
