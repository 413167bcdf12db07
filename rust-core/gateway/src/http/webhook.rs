//! Stripe's webhooks. What is acknowledged is on disk; what it means is found out later, by asking.
//!
//! Whoever sends something that Stripe did not sign learns nothing: the reason goes to the
//! administrator. A flood of such deliveries costs a row each for the first few of a minute, and
//! then nothing.

use super::error::ApiError;
use super::{App, HostOwner, Peer, refused_body};
use crate::core::Tenant;
use crate::credentials;
use crate::metrics::Counter;
use crate::store::{StoreError, rows};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use holdfast_domain::TenantSlug;
use holdfast_ledger::work::{mode, recorded};
use holdfast_ledger::{RecordEventOutcome, Store};
use holdfast_protocol::wire::ErrorCode;
use holdfast_stripe::objects;
use holdfast_stripe::webhook::{SIGNATURE_HEADER, TOLERANCE_S, verify};
use serde_json::{Value, json};
use sqlx::query;
use std::sync::Arc;

/// Refused deliveries that are kept for a tenant, without their bodies.
const REFUSED_KEPT_MAX: i64 = 200;
/// Longest ID of Stripe's, in characters.
const ID_CHARS_MAX: usize = 255;

type Answer = Result<Json<Value>, ApiError>;

/// `/api/{tenant}/qr/payment/webhook`.
pub(super) async fn by_path(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let tenant = app.tenant_at(&slug, &owner).await?;
    let body = body.map_err(|error| refused_body(error.status()))?;
    deliver(&app, &tenant, &peer, &headers, &body).await
}

/// `/api/system/payments/stripe/callback` on a host name of the tenant.
pub(super) async fn by_host(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let Some(slug) = app.tenant_of(&owner).await? else {
        return Err(ApiError::new(
            ErrorCode::NotFound,
            "This host name belongs to no single tenant. Register one for the tenant with --host, \
             or use /api/TENANT/qr/payment/webhook.",
        ));
    };
    let body = body.map_err(|error| refused_body(error.status()))?;
    let tenant = app.core.tenant(&slug).await?.ok_or_else(ApiError::not_found)?;
    deliver(&app, &tenant, &peer, &headers, &body).await
}

async fn deliver(
    app: &App,
    tenant: &Tenant,
    peer: &Peer,
    headers: &HeaderMap,
    body: &Bytes,
) -> Answer {
    let event = match read_event(app, tenant, headers, body).await? {
        Ok(event) => event,
        Err(reason) => {
            app.core.metrics.count(Counter::Webhooks, &[("result", "refused")]);
            refuse(app, &tenant.slug, peer, reason).await?;
            return Err(ApiError::new(ErrorCode::Malformed, "The delivery was not accepted."));
        }
    };
    let kind = event.kind.as_str().to_owned();
    let record = recorded(&tenant.slug, &event, body.to_vec(), app.core.now_ms());
    let outcome = app.core.store.run(record).await?;
    app.core.metrics.count(Counter::Webhooks, &[("result", result_of(outcome))]);
    match outcome {
        RecordEventOutcome::Followed(payment) => {
            tracing::info!(kind, %payment, "webhook event stored");
        }
        RecordEventOutcome::Ignored => tracing::info!(kind, "webhook event stored, not followed"),
        RecordEventOutcome::Duplicate => tracing::debug!(kind, "webhook event was here before"),
    }
    Ok(Json(json!({ "received": true })))
}

/// The result's name in the metrics.
fn result_of(outcome: RecordEventOutcome) -> &'static str {
    match outcome {
        RecordEventOutcome::Followed(_) => "followed",
        RecordEventOutcome::Ignored => "ignored",
        RecordEventOutcome::Duplicate => "duplicate",
    }
}

/// The event, or why it is not believed.
async fn read_event(
    app: &App,
    tenant: &Tenant,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Result<objects::Event, String>, ApiError> {
    let known = credentials::webhook_secrets(&app.core, &tenant.slug).await?;
    let secrets: Vec<_> = known.iter().map(|it| it.secret.clone()).collect();
    let header = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let now_unix_s = app.core.now_ms().div_euclid(1000);
    let verified = match verify(body, header, &secrets, now_unix_s, TOLERANCE_S) {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let Ok(event) = serde_json::from_slice::<objects::Event>(body) else {
        return Ok(Err("signature right, but the body is no event of Stripe's".to_owned()));
    };
    if event.id.is_empty() || event.id.len() > ID_CHARS_MAX {
        return Ok(Err("signature right, but the event's ID is none of Stripe's".to_owned()));
    }
    let signed_for = known.get(verified.secret_index).map(|it| it.mode);
    if signed_for != Some(mode(event.livemode)) {
        return Ok(Err(format!(
            "signature right, but a {} event came with the other mode's secret; copy the secret of \
             the right endpoint",
            mode(event.livemode)
        )));
    }
    Ok(Ok(event))
}

/// Remembers a refused delivery for the administrator, unless there are too many of them.
async fn refuse(
    app: &App,
    tenant: &TenantSlug,
    peer: &Peer,
    reason: String,
) -> Result<(), StoreError> {
    let now_ms = app.core.now_ms();
    if !app.refused_limit.admit(peer.0.ip(), now_ms) {
        return Ok(());
    }
    tracing::warn!(%tenant, reason, "a webhook delivery was refused");
    let (tenant, sender) = (tenant.clone(), peer.0.ip().to_string());
    let record = app.core.store.writer.run(move |tx| {
        Box::pin(async move {
            let insert = query(
                "INSERT INTO refused_deliveries (number, tenant, received_at_ms, sender, reason) \
                 SELECT COALESCE(MAX(number), 0) + 1, ?, ?, ?, ? FROM refused_deliveries \
                 RETURNING number",
            );
            let insert = insert.bind(tenant.as_str()).bind(now_ms).bind(sender).bind(reason);
            let row = insert.fetch_one(&mut tx.connection).await?;
            let oldest_kept = query(
                "DELETE FROM refused_deliveries WHERE tenant = ? AND number <= (SELECT number FROM \
                 refused_deliveries WHERE tenant = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
            );
            let oldest_kept =
                oldest_kept.bind(tenant.as_str()).bind(tenant.as_str()).bind(REFUSED_KEPT_MAX);
            oldest_kept.execute(&mut tx.connection).await?;
            rows::number(&row, "number").map(|_| ())
        })
    });
    record.await
}
