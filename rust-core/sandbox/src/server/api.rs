//! HTTP in and out of the core: everything that is no page is an API call.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use super::Shared;
use super::connections::HangUp;
use crate::core::{ApiFault, ApiRequest, ApiResponse, Arrival};

/// The longest body that is read, in bytes; a hundred lines with full notes stay below it.
const BODY_LENGTH_MAX: usize = 1024 * 1024;

pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let read = to_bytes(body, BODY_LENGTH_MAX).await;
    let request = api_request(&parts, read.as_ref().unwrap_or(&Bytes::new()));
    let response = match read {
        Ok(_) => handle(&shared, &request).await,
        Err(_) => shared.with_core(|core, now_ms| core.refuse_oversized(&request, now_ms)),
    };
    wait_until(&shared, response.ready_at_ms).await;
    tracing::info!(
        method = %parts.method, path = parts.uri.path(), status = response.status,
        request_id = response.header("Request-Id"), arrival = ?response.arrival, "api call"
    );
    written(response)
}

/// A request that is late arrives late: nothing of it happens before.
async fn handle(shared: &Shared, request: &ApiRequest) -> ApiResponse {
    let fault = shared.with_core(|core, _| core.next_fault(request));
    if let Some(ApiFault::Delay(ms)) = fault {
        tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
    }
    shared.with_core(|core, now_ms| core.handle_with(request, fault, now_ms))
}

fn api_request(parts: &Parts, body: &Bytes) -> ApiRequest {
    // Bytes that are no text must not make a header look absent.
    let header = |name: &str| {
        let value = parts.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    ApiRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.to_vec(),
        authorization: header("authorization"),
        content_type: header("content-type"),
        idempotency_key: header("idempotency-key"),
        stripe_version: header("stripe-version"),
    }
}

/// The sandbox takes its time only when it was told to.
async fn wait_until(shared: &Shared, ready_at_ms: i64) {
    let wait_ms = ready_at_ms.saturating_sub(shared.clock.now_ms());
    if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

fn written(response: ApiResponse) -> Response<Body> {
    let mut written = match response.arrival {
        Arrival::Whole => Response::new(Body::from(response.body)),
        Arrival::Truncated => broken_off(&response.body),
        Arrival::Dropped => {
            let mut nothing = Response::new(Body::empty());
            nothing.extensions_mut().insert(HangUp);
            return nothing;
        }
    };
    *written.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        // An idempotency key is echoed only as far as a header can carry it.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            written.headers_mut().insert(name, value);
        }
    }
    written
}

/// Promises the whole body, sends half of it, and breaks the connection.
fn broken_off(body: &[u8]) -> Response<Body> {
    let half = Bytes::copy_from_slice(body.get(..body.len() / 2).unwrap_or_default());
    let end = std::io::Error::other("asked to break off");
    let mut response =
        Response::new(Body::from_stream(futures_util::stream::iter([Ok(half), Err(end)])));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}
