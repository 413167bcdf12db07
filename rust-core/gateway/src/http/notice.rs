//! What handhelds say about their orders later: cancel, withdraw, a damaged record.

use super::error::ApiError;
use super::handheld::refused_order;
use super::layers::about;
use super::{App, HostOwner};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, Path, State};
use holdfast_ledger::{NoticeOutcome, Store, TakeNotice};
use holdfast_protocol::SignedNotice;
use holdfast_protocol::wire::NoticeResponse;
use std::sync::Arc;

/// Takes a signed notice. The same one again is answered as before.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(slug): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<NoticeResponse>, ApiError> {
    let body = body.map_err(|error| ApiError::of_body(error.status()))?;
    let tenant = app.tenant_at(&slug, &owner).await?;
    let notice = SignedNotice::parse(&body).map_err(refused_order)?;
    about(notice.payload().payment);
    match app.core.store.run(TakeNotice { notice, tenant: tenant.slug }).await? {
        NoticeOutcome::Taken { payment } => {
            tracing::info!(known = payment.is_some(), "notice taken");
            Ok(Json(NoticeResponse {
                payment: payment.map(|payment| payment.status()),
                gateway_time_unix_s: app.now_unix_s(),
                epoch: app.installation.epoch,
            }))
        }
        NoticeOutcome::Refused { code, message } => {
            tracing::info!(?code, "notice refused");
            Err(ApiError::new(code, message))
        }
    }
}
