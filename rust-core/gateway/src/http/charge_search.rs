//! The handheld's search for charges: few answers, a limit, and an entry in the audit log for each.

use super::error::ApiError;
use super::handheld::authorised;
use super::{App, HostOwner};
use crate::audit;
use crate::charges::habit;
use crate::charges::list::{self, Found, Wanted};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use holdfast_ledger::DeviceStatus;
use holdfast_protocol::wire::{
    CHARGES_FOUND_MAX, ChargeFound, ChargesResponse, ErrorCode, FIND_CHARS_MAX, FIND_CHARS_MIN,
};
use serde::Deserialize;
use std::sync::Arc;

/// What an officer looks for.
#[derive(Deserialize)]
pub(super) struct SearchQuery {
    find: String,
}

pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(slug): Path<String>,
    asked: Result<Query<SearchQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<ChargesResponse>, ApiError> {
    let tenant = app.tenant_at(&slug, &owner).await?;
    let handheld = authorised(&app, &tenant.slug, &headers).await?;
    if handheld.status != DeviceStatus::Approved {
        return Err(ApiError::new(
            ErrorCode::DeviceNotApproved,
            "This handheld waits for approval. The administrator approves it on the Handhelds page.",
        ));
    }
    if !app.search_limit.admit(handheld.device, app.core.now_ms()) {
        let why = "Too many searches. Wait a minute, then search again.";
        return Err(ApiError::new(ErrorCode::RateLimited, why));
    }
    let Query(asked) = asked.map_err(|error| ApiError::of_body(error.status()))?;
    let find: String = asked.find.trim().chars().take(FIND_CHARS_MAX).collect();
    if find.chars().filter(|it| !it.is_whitespace()).count() < FIND_CHARS_MIN {
        let why = format!("Type at least {FIND_CHARS_MIN} letters or digits.");
        return Err(ApiError::new(ErrorCode::Malformed, why));
    }
    let wanted = Wanted { find: find.clone(), state: None, users: Some("officers") };
    let mode = habit(&app.core, &tenant.slug).await?.mode;
    let limit = i64::try_from(CHARGES_FOUND_MAX).unwrap_or(i64::MAX);
    let span = (limit.saturating_add(1), 0);
    let mut found = list::find(&app.core, &tenant.slug, mode, &wanted, span).await?;
    let more = found.len() > CHARGES_FOUND_MAX;
    found.truncate(CHARGES_FOUND_MAX);
    let who = format!("{} (handheld {})", handheld.officer.name, handheld.device);
    let plain: String = find.chars().filter(|it| !it.is_control()).collect();
    let detail = format!("\"{plain}\": {} found", found.len());
    audit::note(&app.core, &tenant.slug, &who, "charges_searched", &detail).await?;
    Ok(Json(ChargesResponse {
        charges: found.into_iter().map(told).collect(),
        more,
        gateway_time_unix_s: app.now_unix_s(),
    }))
}

fn told(found: Found) -> ChargeFound {
    ChargeFound {
        owed: found.charge.owed(),
        plate: found.charge.plate,
        payer: found.charge.payer,
        due_on: found.charge.due_on,
        test: found.test,
        live: found.live,
    }
}
