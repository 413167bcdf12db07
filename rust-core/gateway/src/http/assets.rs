//! The static files.

use crate::pages::assets::{CSS, ICON, JS};
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Their addresses change with their content, so they may be kept for a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The icon's address does not change: kept for a day.
const FOR_A_DAY: &str = "public, max-age=86400";

pub(super) async fn css() -> Response {
    file("text/css; charset=utf-8", CSS, FOR_EVER)
}

pub(super) async fn js() -> Response {
    file("text/javascript; charset=utf-8", JS, FOR_EVER)
}

pub(super) async fn icon() -> Response {
    file("image/svg+xml", ICON, FOR_A_DAY)
}

fn file(kind: &'static str, content: &'static str, keep: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], content).into_response()
}
