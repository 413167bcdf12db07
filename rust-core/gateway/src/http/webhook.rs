//! Stripe's webhooks. What is acknowledged is on disk; what it means is found out later, by asking.
//!
//! Whoever sends something that Stripe did not sign learns nothing: the reason goes to the
//! administrator ([`belief`] finds it). What comes to a wrong address is told to the office that may be
//! meant ([`misaddressed`]).

mod belief;
mod misaddressed;

pub(super) use misaddressed::Misaddressed;

use super::error::ApiError;
use super::layers::about;
use super::{App, HostOwner, Peer};
use crate::core::Tenant;
use crate::deliveries::about::is_check;
use crate::deliveries::secrets::{note_use, uses};
use crate::deliveries::{Delivery, Outcome, look, record};
use crate::metrics::Counter;
use crate::store::decide;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use belief::{Believed, admit, believe, read_body};
use holdfast_ledger::RecordEventOutcome;
use holdfast_ledger::work::{FOLLOWED, mode, recorded};
use holdfast_protocol::wire::ErrorCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest path or host name that is shown of a delivery to a wrong address, in characters.
const ADDRESS_SHOWN_CHARS_MAX: usize = 100;

type Answer = Result<Json<Value>, ApiError>;

/// `/api/{tenant}/qr/payment/webhook`.
pub(super) async fn by_path(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    Path(slug): Path<String>,
    request: Request,
) -> Answer {
    match app.tenant_at(&slug, &owner).await {
        Ok(tenant) => deliver(&app, &tenant, &peer, request).await,
        Err(error) => {
            if let Some(delivery) = Misaddressed::of(&request) {
                delivery.note(&app, Some(&owner)).await?;
            }
            Err(error)
        }
    }
}

/// `/api/system/payments/stripe/callback` on a host name of the tenant.
pub(super) async fn by_host(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Answer {
    let Some(slug) = app.tenant_of(&owner).await? else {
        return Err(ApiError::new(
            ErrorCode::NotFound,
            "This host name belongs to no single tenant. Register one for the tenant with --host, \
             or use /api/TENANT/qr/payment/webhook.",
        ));
    };
    let tenant = app.core.tenant(&slug).await?.ok_or_else(ApiError::not_found)?;
    deliver(&app, &tenant, &peer, request).await
}

async fn deliver(app: &App, tenant: &Tenant, peer: &Peer, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let now_ms = app.core.now_ms();
    let came = Delivery {
        address: shown(parts.uri.path()),
        sender: peer.0.ip().to_canonical().to_string(),
        ..Delivery::unknown(now_ms, Outcome::Refused)
    };
    let read = match admit(app, tenant, peer, &parts.headers).await? {
        Ok(()) => read_body(body).await,
        Err(refusal) => Err(refusal),
    };
    let refusal = match read {
        Ok(body) => match believe(app, tenant, &parts.headers, &body).await? {
            Ok(believed) => return store(app, tenant, came, believed, &body).await,
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    if is_doctors(app, &parts, refusal.outcome) {
        return Err(refusal.answer);
    }
    app.core.metrics.count(Counter::Webhooks, &[("result", "refused")]);
    let answer = refusal.answer.status.as_u16();
    let (outcome, reason) = (refusal.outcome, refusal.reason);
    let refused = Delivery { outcome, reason, answer: Some(answer), ..came };
    app.refusals.note(&app.core, &tenant.slug, peer.0.ip(), refused).await?;
    Err(refusal.answer)
}

/// True for the doctor's own look, which is no trouble: it sends nothing that anybody signed.
fn is_doctors(app: &App, parts: &Parts, outcome: Outcome) -> bool {
    let proof = parts.headers.get(look::HEADER).and_then(|value| value.to_str().ok());
    let now_unix_s = app.core.now_ms().div_euclid(1000);
    matches!(outcome, Outcome::Unsigned | Outcome::Sender)
        && proof.is_some_and(|proof| {
            look::is_ours(app.token_secret.expose(), parts.uri.path(), proof, now_unix_s)
        })
}

/// Stores event, delivery and what was learned about secrets, in one transaction.
async fn store(
    app: &App,
    tenant: &Tenant,
    came: Delivery,
    believed: Believed,
    body: &Bytes,
) -> Answer {
    let event = &believed.event;
    let secret = believed.matched().find(|it| it.mode == mode(event.livemode));
    let came = Delivery {
        mode: mode(event.livemode).as_str().to_owned(),
        endpoint: secret.map(|it| it.endpoint.clone()).unwrap_or_default(),
        kind: event.kind.as_str().to_owned(),
        event: event.id.clone(),
        api_version: event.api_version.clone().unwrap_or_default(),
        answer: Some(StatusCode::OK.as_u16()),
        reason: believed.clock_behind(came.at_ms).unwrap_or_default(),
        ..came
    };
    let used = uses(believed.matched(), came.at_ms);
    let decision = recorded(&tenant.slug, event, body.to_vec(), came.at_ms);
    let needless = !FOLLOWED.contains(&event.kind);
    let check = is_check(event);
    let (world, slug) = (Arc::clone(&app.world), tenant.slug.clone());
    let write = app.core.store.writer.run(move |tx| {
        Box::pin(async move {
            let outcome = decide(tx, world.as_ref(), &decision).await?;
            for used in &used {
                note_use(tx, &slug, used, came.at_ms).await?;
            }
            let (outcome, payment) = match outcome {
                RecordEventOutcome::Followed(payment) => (Outcome::Followed, payment.to_string()),
                RecordEventOutcome::Duplicate => (Outcome::Duplicate, String::new()),
                _ if check => (Outcome::Check, String::new()),
                _ if needless => (Outcome::Needless, String::new()),
                RecordEventOutcome::Waiting | RecordEventOutcome::Ignored => {
                    (Outcome::Waiting, String::new())
                }
            };
            let kind = came.kind.clone();
            let about = payment.clone();
            record(tx, &slug, Delivery { outcome, payment, ..came }).await?;
            Ok::<_, holdfast_ledger::StoreError>((outcome, kind, about))
        })
    });
    let (outcome, kind, payment) = write.await?;
    if let Ok(payment) = payment.parse() {
        about(payment);
    }
    app.core.metrics.count(Counter::Webhooks, &[("result", outcome.as_str())]);
    tracing::info!(kind, outcome = outcome.as_str(), "webhook event stored");
    app.core.store.tell_delivery(&tenant.slug);
    Ok(Json(json!({ "received": true })))
}

/// What came to no route: mostly nothing of ours, and 404.
pub(super) async fn elsewhere(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    if let Some(delivery) = Misaddressed::of(&request) {
        delivery.note(&app, Some(&owner)).await?;
    }
    Ok(StatusCode::NOT_FOUND)
}

fn shown(text: &str) -> String {
    text.chars().take(ADDRESS_SHOWN_CHARS_MAX).collect()
}
