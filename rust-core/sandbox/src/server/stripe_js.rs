//! The stand-in for Stripe.js. The script runs in the merchant's page; the card is typed into a
//! frame of ours, which alone talks to the API. No answer of the API carries a CORS header, so no
//! page can read one; and only a page of this machine, or one that came over https, may embed the
//! frame.

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response};
use axum::routing::get;
use std::sync::Arc;

use super::Shared;

/// Who may embed a frame of ours.
pub(super) const EMBEDDERS: &str = "https: http://localhost:* http://127.0.0.1:* http://[::1]:*";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v3", get(script))
        .route("/v3/", get(script))
        .route("/v3/frame", get(frame))
        .route("/v3/frame.js", get(frame_script))
}

async fn script() -> Response<Body> {
    file(include_str!("../../assets/stripe.js"), "text/javascript; charset=utf-8")
}

async fn frame_script() -> Response<Body> {
    file(include_str!("../../assets/frame.js"), "text/javascript; charset=utf-8")
}

async fn frame() -> Response<Body> {
    let mut response = file(include_str!("../../templates/frame.html"), "text/html; charset=utf-8");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         form-action 'none'; base-uri 'none'; frame-ancestors {EMBEDDERS}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn file(text: &'static str, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
