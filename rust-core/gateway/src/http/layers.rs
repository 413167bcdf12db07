//! What every request passes through: an ID, a log line, the host check, a look at the disk, a
//! deadline, and the headers that keep browsers from doing more than the pages mean.

use super::App;
use super::error::ApiError;
use super::error::{Dressed, Problem, Told, of_status};
use super::hosts::RequestHost;
use super::webhook::Misaddressed;
use crate::metrics::{Counter, Timer};
use crate::pages::ProblemPage;
use askama::Template;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use data_encoding::HEXLOWER;
use holdfast_domain::PaymentId;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;
use tracing::field::Empty;

/// How long a request may take, answer included: above the longest long poll (25 s) and the
/// longest wait for Stripe.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Header that carries the request's ID back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where payers come by TLS, their browsers come by nothing else for a year.
const ALWAYS_TLS: &str = "max-age=31536000";
/// Nothing but our own stylesheet, script and images; no frames, no plugins, no inline code.
/// Forms may lead to Stripe's page, because browsers hold a redirect after a form to this rule.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
    form-action 'self'";

/// Where a form of this page may lead besides here, for its Content-Security-Policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormTargets(pub(crate) &'static str);

/// ID, log line, and answers that say what to do.
///
/// The log names the route, never the path: a pay address holds a signed order, a sign-in link a
/// token.
pub(crate) async fn trace(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = new_request_id(&app);
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_api = is_api(&request);
    // Every line that is logged on the way carries the request's ID, and the payment's once it is known;
    // as an error's span it is there whatever else is left out of the log.
    let span = tracing::error_span!("request", request = %id, payment = Empty);
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = with_id(dress(response, is_api, &id), &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (route_name, status) = (route.as_deref().unwrap_or("(none)"), response.status());
    let labels =
        [("route", route_name), ("method", method_name(&method)), ("status", status.as_str())];
    app.core.metrics.count(Counter::Requests, &labels);
    app.core.metrics.took(Timer::Requests, &[("route", route_name)], began.elapsed());
    let took_ms = began.elapsed().as_millis();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(%method, route = route_name, status, took_ms, "request"));
    response
}

/// From here on the request's lines in the log name the payment that it is about.
pub(super) fn about(payment: PaymentId) {
    tracing::Span::current().record("payment", tracing::field::display(payment));
}

/// True for programs, which read JSON.
fn is_api(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/api" || path.starts_with("/api/")
}

/// Anybody may invent a method; a label's values are few.
fn method_name(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST") => known,
        _ => "other",
    }
}

fn new_request_id(app: &App) -> String {
    // Without randomness the request still gets an answer; its ID is then not unique.
    let bytes = crate::world::random::<8>(app.world.as_ref()).unwrap_or_default();
    HEXLOWER.encode(&bytes)
}

/// Gives every refusal its words, and every [`Problem`] its page.
fn dress(mut response: Response, is_api: bool, id: &str) -> Response {
    let status = response.status();
    let told = response.extensions().get::<Problem>().is_some();
    let refused = status.is_client_error() || status.is_server_error();
    if !(refused || told) || response.extensions().get::<Dressed>().is_some() {
        return response;
    }
    let (code, heading, what, todo) = of_status(status);
    let allowed = response.headers_mut().remove(header::ALLOW);
    let mut dressed = if is_api {
        ApiError::new(code, format!("{what} {todo}")).into_response()
    } else {
        let problem = response.extensions_mut().remove::<Problem>();
        page(problem.unwrap_or_else(|| Problem::new(status, heading, what, todo)), id)
    };
    *dressed.status_mut() = status;
    if let Some(allowed) = allowed {
        dressed.headers_mut().insert(header::ALLOW, allowed);
    }
    dressed
}

/// Whoever calls about a refusal that a program got can name its request: the answer itself does.
fn with_id(mut response: Response, id: &str) -> Response {
    let Some(Told(mut fields)) = response.extensions_mut().remove::<Told>() else {
        return response;
    };
    fields.insert("request_id".to_owned(), Value::from(id));
    *response.body_mut() = Body::from(Value::Object(fields).to_string());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

fn page(problem: Problem, request_id: &str) -> Response {
    let page = ProblemPage {
        heading: problem.heading,
        what: &problem.what,
        todo: &problem.todo,
        next: problem.next,
        request_id,
    };
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => problem.what.into_response(),
    }
}

/// Headers that every answer carries.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_asset = path.starts_with("/assets/");
    // Pay addresses and links are secrets of their own. Between the office's pages a browser may tell where
    // it comes from; without that it would call the sender of every form "null".
    let is_office = path == "/sign-in" || path == "/admin" || path.starts_with("/admin/");
    let referrer = if is_office { "same-origin" } else { "no-referrer" };
    let mut response = next.run(request).await;
    let policy = match response.extensions().get::<FormTargets>() {
        Some(targets) => HeaderValue::from_str(&format!("{CONTENT_POLICY} {}", targets.0)).ok(),
        None => None,
    };
    let headers = response.headers_mut();
    let policy = policy.unwrap_or(HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, referrer),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.public_url.is_https() {
        let always = HeaderValue::from_static(ALWAYS_TLS);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    if !is_asset {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Refuses a host name that is not registered, and remembers whose it is.
pub(crate) async fn host(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(named) = RequestHost::of(&request) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match app.served_under(&named).await {
        Ok(Some(owner)) => {
            request.extensions_mut().insert(named);
            request.extensions_mut().insert(owner);
            next.run(request).await
        }
        Ok(None) => {
            // Stripe may be meant to reach a tenant of ours under another name.
            if let Some(delivery) = Misaddressed::of(&request)
                && let Err(error) = delivery.note(&app, None).await
            {
                super::log_failure(&error);
            }
            StatusCode::MISDIRECTED_REQUEST.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the host names could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// While the disk is nearly full nothing new is taken: what cannot be kept is not acknowledged. Looking
/// goes on, and so does the work on what was taken before.
pub(crate) async fn room(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let Err(why) = crate::readiness::room(&app.core) else { return next.run(request).await };
    tracing::warn!(%why, "refused: there is no room for anything new");
    if is_api(&request) {
        ApiError::no_room().into_response()
    } else {
        Problem::no_room().into_response()
    }
}

/// Ends a request that takes too long: a body that trickles in, for instance.
pub(crate) async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
