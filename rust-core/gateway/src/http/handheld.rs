//! What handhelds ask for: to be enrolled, a token, what to sell, to take an order, what changed.

use super::error::ApiError;
use super::hosts::RequestHost;
use super::layers::about;
use super::{App, HostOwner, Peer};
use crate::admin::checked_name;
use crate::core::Tenant;
use crate::handhelds::{self, Applicant, Enrolled, Handheld};
use crate::serve::stopped;
use crate::{cash, device_tokens, payments as stored, processors};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{ShortCode, TenantSlug};
use holdfast_ledger::{Accept, AcceptOutcome, Carrier, DeviceStatus, Payment, Store};
use holdfast_protocol::enrolment::proof_message;
use holdfast_protocol::request_signature::{RequestError, TokenRequest, claims, verify};
use holdfast_protocol::wire::{
    CATALOGUE_LIFETIME_S, Caps, CashResponse, CashTotal, ChangesResponse, ConfigResponse,
    EnrolRequest, EnrolResponse, ErrorCode, LONG_POLL_S_MAX, ORDER_CONTENT_TYPE, Officer,
    PaymentTypeOffer, SubmitResponse, TokenResponse, WIRE_VERSION,
};
use holdfast_protocol::{DevicePublicKey, DeviceSignature, OrderError, SignedOrder};
use serde::Deserialize;
use sqlx::query;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// For how long an order may be brought and paid, in seconds: a week, so that a slip left at a
/// windscreen can be paid after a holiday weekend.
const ORDER_LIFETIME_S: u32 = 7 * 24 * 60 * 60;
/// For how many days a handheld keeps what is over: as long as an order may be paid.
const HISTORY_DAYS: u32 = 7;

pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    Path(slug): Path<String>,
    body: Result<Json<EnrolRequest>, JsonRejection>,
) -> Result<Json<EnrolResponse>, ApiError> {
    if !app.enrol_limit.admit(peer.0.ip(), app.core.now_ms()) {
        return Err(ApiError::new(
            ErrorCode::RateLimited,
            "Too many tries to enrol from here. Wait a minute, then try again.",
        ));
    }
    let Json(request) = body.map_err(|error| ApiError::of_body(error.status()))?;
    let tenant = app.tenant_at(&slug, &owner).await?;
    let applicant = checked_applicant(&tenant.slug, &request)?;
    let Some(enrolled) = handhelds::enrol(&app.core, &tenant.slug, applicant).await? else {
        return Err(code_wrong());
    };
    tracing::info!(device = %enrolled.handheld.device, tenant = %tenant.slug, "handheld enrolled");
    Ok(Json(enrol_response(&app, &tenant, &enrolled)))
}

fn code_wrong() -> ApiError {
    ApiError::new(
        ErrorCode::CodeWrong,
        "This enrolment code is wrong, used or older than ten minutes. Ask the administrator for \
         a new one.",
    )
}

/// Checks the applicant's proof that it holds the key it names.
fn checked_applicant(tenant: &TenantSlug, request: &EnrolRequest) -> Result<Applicant, ApiError> {
    let malformed = |what: &str| {
        let message = format!("The {what} is not as this gateway expects it. Update the handheld.");
        ApiError::new(ErrorCode::Malformed, message)
    };
    if request.version != WIRE_VERSION {
        return Err(ApiError::new(
            ErrorCode::UnknownVersion,
            "This gateway does not speak the handheld's version. Update the older of the two.",
        ));
    }
    let code = ShortCode::parse(&request.code).ok_or_else(code_wrong)?;
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let public_key = bytes(&request.public_key)
        .and_then(|bytes| DevicePublicKey::from_sec1(&bytes).ok())
        .ok_or_else(|| malformed("public key"))?;
    let proof = bytes(&request.proof)
        .and_then(|bytes| DeviceSignature::from_bytes(&bytes).ok())
        .ok_or_else(|| malformed("proof"))?;
    public_key.verify(&proof_message(tenant, code, &public_key), &proof).map_err(|_| {
        ApiError::new(
            ErrorCode::SignatureWrong,
            "The handheld does not prove that it holds its key. Start it again and scan once more.",
        )
    })?;
    let name = checked_name(&request.name).map_err(|_| malformed("name"))?;
    let continues = request.continues.iter();
    let continues = continues.filter_map(|it| Some((it.device, bytes(&it.proof)?))).collect();
    Ok(Applicant { code, name, public_key, continues })
}

fn enrol_response(app: &App, tenant: &Tenant, enrolled: &Enrolled) -> EnrolResponse {
    let Handheld { device, officer, six_digits, status, .. } = &enrolled.handheld;
    EnrolResponse {
        version: WIRE_VERSION,
        gateway: app.installation.gateway,
        gateway_public_key: BASE64URL_NOPAD.encode(&app.installation.signing_public_key),
        public_url: app.public_url.as_str().to_owned(),
        organisation: tenant.name.clone(),
        tenant: tenant.slug.clone(),
        device: *device,
        officer: Officer { id: officer.id, name: officer.name.clone() },
        confirm_secret: BASE64URL_NOPAD.encode(enrolled.confirm_secret.expose()),
        copy_key: Some(BASE64URL_NOPAD.encode(&app.installation.copy_public_key)),
        ca: app.installation.ca_certificate.as_deref().map(|ca| BASE64URL_NOPAD.encode(ca)),
        six_digits: six_digits.clone(),
        approved: *status == DeviceStatus::Approved,
    }
}

pub(super) async fn token(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<TokenResponse>, ApiError> {
    let tenant = app.tenant_at(&slug, &owner).await?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let input = header("signature-input").ok_or_else(not_signed)?;
    let signature = header("signature").ok_or_else(not_signed)?;
    let (created_unix_s, device) = claims(input).map_err(|_| not_signed())?;
    let found = handhelds::handheld(&app.core, &tenant.slug, device).await?;
    let handheld = found.ok_or_else(unknown_device)?;
    let request =
        TokenRequest { authority: &host.authority, path: uri.path(), created_unix_s, device };
    let now_unix_s = app.now_unix_s();
    verify(&request, signature, &handheld.public_key, now_unix_s).map_err(|error| match error {
        RequestError::Clock { .. } => ApiError {
            gateway_time_unix_s: Some(now_unix_s),
            ..ApiError::new(
                ErrorCode::ClockWrong,
                format!("Signature right, but {error}. Sign again with the gateway's time."),
            )
        },
        RequestError::Malformed => not_signed(),
        RequestError::Signature(_) => ApiError::new(
            ErrorCode::SignatureWrong,
            "The request is not signed by this handheld's key. Enrol the handheld again.",
        ),
    })?;
    refuse_revoked(&app, &handheld)?;
    let token = device_tokens::make(app.token_secret.expose(), &tenant.slug, device, now_unix_s);
    Ok(Json(TokenResponse { token, expires_in_s: device_tokens::TTL_S }))
}

fn not_signed() -> ApiError {
    ApiError::new(
        ErrorCode::Malformed,
        "The request is not signed as a handheld signs it. Update the handheld.",
    )
}

fn unknown_device() -> ApiError {
    ApiError::new(
        ErrorCode::UnknownDevice,
        "This handheld is not enrolled here. Ask the administrator for an enrolment code.",
    )
}

/// A handheld that proved who it is hears the ledger's epoch even so: see `ErrorBody::epoch`.
fn refuse_revoked(app: &App, handheld: &Handheld) -> Result<(), ApiError> {
    match handheld.status {
        DeviceStatus::Pending | DeviceStatus::Approved => Ok(()),
        DeviceStatus::Revoked => Err(ApiError {
            epoch: Some(app.installation.epoch),
            ..ApiError::new(
                ErrorCode::DeviceRevoked,
                "This handheld was revoked. Call the administrator.",
            )
        }),
    }
}

/// The handheld whose token the request carries.
pub(super) async fn authorised(
    app: &App,
    tenant: &TenantSlug,
    headers: &HeaderMap,
) -> Result<Handheld, ApiError> {
    let unauthorised = || {
        ApiError::new(
            ErrorCode::Unauthorized,
            "There is no token, or it is not good any more. Fetch a new one.",
        )
    };
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(unauthorised)?;
    let secret = app.token_secret.expose();
    let device = device_tokens::read(secret, tenant, token, app.now_unix_s());
    let device = device.ok_or_else(unauthorised)?;
    let found = handhelds::handheld(&app.core, tenant, device).await?;
    let handheld = found.ok_or_else(unknown_device)?;
    refuse_revoked(app, &handheld)?;
    Ok(handheld)
}

pub(super) async fn config(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Json<ConfigResponse>, ApiError> {
    let tenant = app.tenant_at(&slug, &owner).await?;
    let handheld = authorised(&app, &tenant.slug, &headers).await?;
    let types = processors::payment_types(&app.core, &tenant.slug).await?;
    let officer = handheld.officer.id;
    let offers = types.into_iter().filter(|it| it.ready && it.is_open_to(officer)).map(|it| {
        PaymentTypeOffer {
            code: it.code,
            name: it.name,
            provider: it.provider,
            mode: it.mode,
            currency: it.currency,
        }
    });
    Ok(Json(ConfigResponse {
        version: WIRE_VERSION,
        gateway_time_unix_s: app.now_unix_s(),
        epoch: app.installation.epoch,
        approved: handheld.status == DeviceStatus::Approved,
        organisation: tenant.name,
        public_url: app.public_url.as_str().to_owned(),
        officer: Officer { id: handheld.officer.id, name: handheld.officer.name },
        order_lifetime_s: ORDER_LIFETIME_S,
        catalogue: newest_catalogue(&app, &tenant.slug).await?,
        catalogue_lifetime_s: CATALOGUE_LIFETIME_S,
        payment_types: offers.collect(),
        caps: Caps::default(),
        history_days: HISTORY_DAYS,
    }))
}

/// What the officer of this handheld holds in cash: the total of the open shift.
pub(super) async fn cash(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CashResponse>, ApiError> {
    let tenant = app.tenant_at(&slug, &owner).await?;
    let handheld = authorised(&app, &tenant.slug, &headers).await?;
    let shifts = cash::open_shifts(&app.core, &tenant.slug, Some(handheld.device)).await?;
    let total = |shift: &cash::Shift| CashTotal {
        officer: Officer { id: shift.of.officer, name: shift.officer.clone() },
        mode: shift.of.mode,
        payments: u32::try_from(shift.counted().count()).unwrap_or(u32::MAX),
        voided: u32::try_from(shift.voided()).unwrap_or(u32::MAX),
        total: shift.total(),
    };
    Ok(Json(CashResponse {
        shifts: shifts.iter().map(total).collect(),
        gateway_time_unix_s: app.now_unix_s(),
    }))
}

async fn newest_catalogue(
    app: &App,
    tenant: &TenantSlug,
) -> Result<Option<holdfast_domain::Catalogue>, crate::store::StoreError> {
    let mut connection = app.core.store.reads.acquire().await?;
    let sql = query("SELECT MAX(version) AS version FROM catalogues WHERE tenant = ?");
    let row = sql.bind(tenant.as_str()).fetch_one(&mut *connection).await?;
    let version: Option<i64> = sqlx::Row::try_get(&row, "version")?;
    let Some(version) = version.and_then(|version| u32::try_from(version).ok()) else {
        return Ok(None);
    };
    crate::store::catalogue(&mut connection, tenant, version).await
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<SubmitResponse>, ApiError> {
    let body = body.map_err(|error| ApiError::of_body(error.status()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_none_or(|kind| !kind.eq_ignore_ascii_case(ORDER_CONTENT_TYPE)) {
        let message = format!("Orders are sent as {ORDER_CONTENT_TYPE}. Update the handheld.");
        let refused = ApiError::new(ErrorCode::Malformed, message);
        return Err(ApiError { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..refused });
    }
    let tenant = app.tenant_at(&slug, &owner).await?;
    let order = SignedOrder::parse(&body).map_err(refused_order)?;
    about(order.payload().payment);
    let accept = Accept { order, tenant: tenant.slug, carrier: Carrier::Handheld };
    match app.core.store.run(accept).await? {
        AcceptOutcome::Accepted { payment, new } => {
            tracing::info!(new, "order accepted from its handheld");
            Ok(Json(SubmitResponse {
                payment: payment.status(),
                gateway_time_unix_s: app.now_unix_s(),
                epoch: app.installation.epoch,
            }))
        }
        AcceptOutcome::Refused { code, message } => {
            tracing::info!(?code, "order refused");
            Err(ApiError::new(code, message))
        }
    }
}

/// What bytes are that cannot even be read as an order.
pub(super) fn refused_order(error: OrderError) -> ApiError {
    let (code, message) = match error {
        OrderError::TooLong => {
            (ErrorCode::TooLarge, "This is longer than an order can be. Scan the code again.")
        }
        OrderError::Malformed => (
            ErrorCode::Malformed,
            "This is not a signed order, or it was read wrongly. Scan the code again.",
        ),
        OrderError::UnknownVersion => (
            ErrorCode::UnknownVersion,
            "This order is of a newer version than the gateway knows. The operator updates the \
             gateway.",
        ),
        OrderError::Signature(_) => (
            ErrorCode::SignatureWrong,
            "The order was changed after it was signed, or the code was read wrongly. Scan it \
             again; if that does not help, the officer makes a new one.",
        ),
    };
    ApiError::new(code, message)
}

/// Which changes a handheld asks for.
#[derive(Deserialize)]
pub(super) struct ChangesQuery {
    after: u64,
    #[serde(default)]
    wait_s: u32,
}

pub(super) async fn payments(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(slug): Path<String>,
    asked: Result<Query<ChangesQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<ChangesResponse>, ApiError> {
    let Query(asked) = asked.map_err(|error| ApiError::of_body(error.status()))?;
    let tenant = app.tenant_at(&slug, &owner).await?;
    let handheld = authorised(&app, &tenant.slug, &headers).await?;
    let changed = changes(&app, &tenant.slug, &handheld, &asked).await?;
    let revision = changed.last().map_or(asked.after, |payment| payment.revision);
    Ok(Json(ChangesResponse {
        revision,
        epoch: app.installation.epoch,
        gateway_time_unix_s: app.now_unix_s(),
        payments: changed.iter().map(Payment::status).collect(),
    }))
}

/// What changed, or nothing after the wait.
async fn changes(
    app: &App,
    tenant: &TenantSlug,
    handheld: &Handheld,
    asked: &ChangesQuery,
) -> Result<Vec<Payment>, ApiError> {
    // Listening begins before looking, so that no change falls between the two.
    let mut news = app.core.store.news.subscribe();
    let wait = Duration::from_secs(u64::from(asked.wait_s.min(LONG_POLL_S_MAX)));
    let deadline = tokio::time::Instant::now() + wait;
    let mut stop = app.stop.clone();
    let approved = handheld.status == DeviceStatus::Approved;
    let devices = stored::asked_about(&app.core, tenant, handheld.device, approved).await?;
    loop {
        let changed = stored::changes(&app.core, tenant, &devices, asked.after).await?;
        if !changed.is_empty() || *stop.borrow() {
            return Ok(changed);
        }
        let ours = async {
            loop {
                match news.recv().await {
                    Ok(change) if devices.contains(&change.device) => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_) | RecvError::Closed) => break,
                }
            }
        };
        tokio::select! {
            () = ours => {}
            () = stopped(&mut stop) => {}
            // One more look: another process on the same database gives no news here.
            () = tokio::time::sleep_until(deadline) => {
                return Ok(stored::changes(&app.core, tenant, &devices, asked.after).await?);
            }
        }
    }
}
