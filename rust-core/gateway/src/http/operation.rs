//! For operators' programs: health, readiness, and numbers. The numbers stand on an address of their
//! own (`--metrics-listen`), which is not for the world; that address stays open while the gateway
//! drains, so that its last words can be read.

use super::error::Dressed;
use super::{App, log_failure};
use crate::metrics::scrape;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Media type of Prometheus's text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// True while the database answers.
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    match app.core.installation().await {
        Ok(_) => "ok\n".into_response(),
        Err(error) => {
            log_failure(&error);
            said(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned())
        }
    }
}

/// True while this gateway can keep what it is given.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let draining = *app.stop.borrow();
    match app.readiness.ask(&app.core, draining).await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => said(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let ends_at_s = app.tls.as_ref().and_then(|tls| tls.ends_at_s());
    match scrape(&app.core, ends_at_s).await {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            log_failure(&error);
            said(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned())
        }
    }
}

/// An answer to a program, which needs no page.
fn said(status: StatusCode, words: String) -> Response {
    let mut response = (status, words).into_response();
    response.extensions_mut().insert(Dressed);
    response
}

/// Serves the operators' address until `stop` turns true.
pub(crate) async fn serve_operators(
    listener: TcpListener,
    app: Arc<App>,
    mut stop: watch::Receiver<bool>,
) {
    let routes = Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app);
    let stopped = async move { crate::serve::stopped(&mut stop).await };
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped);
    if let Err(error) = serving.await {
        tracing::error!(%error, "the operators' address is not served any more");
    }
}
