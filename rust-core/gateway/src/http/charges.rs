//! Charges for programs, which write them, and for handhelds, which look for them.
//!
//! A program shows the credential that the office made for it. `PUT` writes a charge and may be
//! repeated; `POST` writes a new one and answers the same one again as before.

use super::error::{ApiError, Dressed};
use super::handheld::authorised;
use super::{App, HostOwner, Peer};
use crate::audit;
use crate::charges::list::{self, Found, PAGE_MAX, Wanted};
use crate::charges::typed::{self, Amount, TypedCharge, checked};
use crate::charges::{credentials, habit};
use crate::core::Tenant;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_domain::{ChargeReference, ChargeState};
use holdfast_ledger::{
    DeviceStatus, PutCharges, PutOutcome, Store, WithdrawCharge, WithdrawOutcome,
};
use holdfast_protocol::wire::{
    CHARGES_FOUND_MAX, ChargeFound, ChargesResponse, ErrorCode, FIND_CHARS_MAX, FIND_CHARS_MIN,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A charge as a program writes it. What is unknown is refused: a misspelt field would be lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChargeIn {
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    plate: String,
    #[serde(default)]
    payer: String,
    lines: Vec<LineIn>,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    due_on: String,
    #[serde(default)]
    user_types: Vec<String>,
}

/// One part of what is owed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    text: String,
    /// Minor units.
    minor: i64,
}

/// A charge as a program reads it.
#[derive(Serialize)]
struct ChargeOut {
    reference: String,
    plate: String,
    payer: String,
    lines: Vec<LineOut>,
    amount: holdfast_domain::Money,
    due_on: String,
    user_types: Vec<String>,
    /// As payments in test mode and in live mode see it.
    test: ChargeState,
    live: ChargeState,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_payment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live_payment: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    withdrawn: String,
}

#[derive(Serialize)]
struct LineOut {
    text: String,
    minor: i64,
}

impl From<Found> for ChargeOut {
    fn from(found: Found) -> Self {
        let charge = found.charge;
        let line =
            |line: holdfast_ledger::ChargeLine| LineOut { text: line.text, minor: line.minor };
        Self {
            reference: charge.reference.to_string(),
            plate: charge.plate,
            payer: charge.payer,
            lines: charge.lines.into_iter().map(line).collect(),
            amount: charge.amount,
            due_on: charge.due_on,
            user_types: charge.user_types.split(',').map(str::to_owned).collect(),
            test: found.test,
            live: found.live,
            test_payment: found.test_payment.map(|it| it.to_string()),
            live_payment: found.live_payment.map(|it| it.to_string()),
            withdrawn: charge.withdrawn,
        }
    }
}

/// A refusal that names fields.
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    fields: BTreeMap<&'static str, String>,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            code: &'static str,
            message: String,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            fields: BTreeMap<&'static str, String>,
        }
        let Self { status, code, message, fields } = self;
        let mut response = (status, Json(Body { code, message, fields })).into_response();
        response.extensions_mut().insert(Dressed);
        response
    }
}

/// Why a program gets something else than it asked for.
pub(super) enum Failure {
    Api(ApiError),
    Refused(Box<Refused>),
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => error.into_response(),
            Self::Refused(refused) => refused.into_response(),
        }
    }
}

fn refused(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
    let (message, fields) = (message.into(), BTreeMap::new());
    Failure::Refused(Box::new(Refused { status, code, message, fields }))
}

/// A program that showed a good credential.
struct Program {
    tenant: Tenant,
    who: String,
}

async fn program(
    app: &App,
    (owner, slug, peer): (&HostOwner, &str, &Peer),
    headers: &HeaderMap,
) -> Result<Program, Failure> {
    let tenant = app.tenant_at(slug, owner).await?;
    let now_ms = app.core.now_ms();
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let Some(holder) = credentials::holder(&app.core, &tenant.slug, token).await? else {
        if !app.wrong_credential_limit.admit(peer.0.ip(), now_ms) {
            return Err(too_often());
        }
        return Err(ApiError::new(
            ErrorCode::Unauthorized,
            "Send Authorization: Bearer with the credential that the office made for this program.",
        )
        .into());
    };
    if !app.program_limit.admit((tenant.slug.clone(), holder.number), now_ms) {
        return Err(too_often());
    }
    Ok(Program { tenant, who: format!("{} (API)", holder.name) })
}

fn too_often() -> Failure {
    ApiError::new(ErrorCode::RateLimited, "Too many calls. Wait a minute, then go on.").into()
}

/// The whole address of a call: host, tenant, peer.
type At = (Extension<HostOwner>, Extension<Peer>);

pub(super) async fn create(
    State(app): State<Arc<App>>,
    (Extension(owner), Extension(peer)): At,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Result<Json<ChargeIn>, JsonRejection>,
) -> Result<Response, Failure> {
    let program = program(&app, (&owner, &slug, &peer), &headers).await?;
    let charge = json(body)?;
    let reference = charge.reference.clone().unwrap_or_default();
    put(&app, &program, &reference, charge, false).await
}

pub(super) async fn write(
    State(app): State<Arc<App>>,
    (Extension(owner), Extension(peer)): At,
    Path((slug, reference)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Json<ChargeIn>, JsonRejection>,
) -> Result<Response, Failure> {
    let program = program(&app, (&owner, &slug, &peer), &headers).await?;
    let charge = json(body)?;
    if charge.reference.as_ref().is_some_and(|inside| *inside != reference) {
        let why = "The reference in the body is not the one in the address. Send one of them.";
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, "charge_refused", why));
    }
    put(&app, &program, &reference, charge, true).await
}

fn json<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Failure> {
    body.map(|Json(body)| body).map_err(|error| {
        let (status, why) = (error.status(), error.body_text());
        let code = if status == StatusCode::PAYLOAD_TOO_LARGE { "too_large" } else { "malformed" };
        refused(status, code, format!("{why}."))
    })
}

async fn put(
    app: &App,
    program: &Program,
    reference: &str,
    charge: ChargeIn,
    may_change: bool,
) -> Result<Response, Failure> {
    let slug = &program.tenant.slug;
    let parts = charge.lines.into_iter();
    let typed = TypedCharge {
        reference: reference.to_owned(),
        plate: charge.plate,
        payer: charge.payer,
        parts: parts.map(|line| (line.text, Amount::Minor(line.minor))).collect(),
        currency: charge.currency,
        due_on: charge.due_on,
        user_types: charge.user_types.join(","),
    };
    let currency = habit(&app.core, slug).await?.currency;
    let charge = checked(&typed, slug, currency).map_err(|errors| {
        Failure::Refused(Box::new(Refused {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "charge_refused",
            message: "Nothing was written; correct the fields that are named.".to_owned(),
            fields: errors.into_iter().collect(),
        }))
    })?;
    let reference = charge.reference.clone();
    let put = PutCharges { charges: vec![charge], may_change, who: program.who.clone() };
    match app.core.store.run(put).await? {
        PutOutcome::Written { new, .. } => {
            let status = if new > 0 { StatusCode::CREATED } else { StatusCode::OK };
            let body = one(app, program, reference.as_str()).await?;
            Ok((status, Json(body)).into_response())
        }
        PutOutcome::Refused(why) => {
            let why = why.first().map(|(_, why)| why.to_string()).unwrap_or_default();
            let message = format!("{reference}: {why}.");
            Err(refused(StatusCode::CONFLICT, "charge_conflict", message))
        }
    }
}

async fn one(app: &App, program: &Program, reference: &str) -> Result<ChargeOut, Failure> {
    let found = list::one(&app.core, &program.tenant.slug, reference).await?;
    Ok(found.ok_or_else(ApiError::not_found)?.into())
}

pub(super) async fn read(
    State(app): State<Arc<App>>,
    (Extension(owner), Extension(peer)): At,
    Path((slug, reference)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let program = program(&app, (&owner, &slug, &peer), &headers).await?;
    Ok(Json(one(&app, &program, &reference).await?).into_response())
}

/// What a program asks to see.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    find: String,
    #[serde(default)]
    page: u32,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    (Extension(owner), Extension(peer)): At,
    Path(slug): Path<String>,
    asked: Result<Query<ListQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    #[derive(Serialize)]
    struct Page {
        charges: Vec<ChargeOut>,
        /// The next page, if there may be more.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<u32>,
    }
    let program = program(&app, (&owner, &slug, &peer), &headers).await?;
    let Query(asked) = asked.map_err(|error| super::refused_body(error.status()))?;
    let mode = habit(&app.core, &program.tenant.slug).await?.mode;
    let find = asked.find.chars().take(FIND_CHARS_MAX).collect();
    let wanted = Wanted { find, state: None, users: None };
    let span = (PAGE_MAX, i64::from(asked.page).saturating_mul(PAGE_MAX));
    let found = list::find(&app.core, &program.tenant.slug, mode, &wanted, span).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|len| len == PAGE_MAX);
    let charges = found.into_iter().map(ChargeOut::from).collect();
    let next = is_full.then(|| asked.page.saturating_add(1));
    Ok(Json(Page { charges, next }).into_response())
}

/// Why a charge is not owed any more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawIn {
    reason: String,
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    (Extension(owner), Extension(peer)): At,
    Path((slug, reference)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Json<WithdrawIn>, JsonRejection>,
) -> Result<Response, Failure> {
    let program = program(&app, (&owner, &slug, &peer), &headers).await?;
    let Some(reason) = typed::reason(&json(body)?.reason) else {
        let why = format!("The reason has 1 to {} characters.", typed::REASON_CHARS_MAX);
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, "charge_refused", why));
    };
    let parsed = ChargeReference::parse(&reference).map_err(|_| ApiError::not_found())?;
    let (tenant, who) = (program.tenant.slug.clone(), program.who.clone());
    let take = WithdrawCharge { tenant, reference: parsed, reason, who };
    match app.core.store.run(take).await? {
        WithdrawOutcome::Withdrawn => {
            Ok(Json(one(&app, &program, &reference).await?).into_response())
        }
        WithdrawOutcome::Unknown => Err(ApiError::not_found().into()),
        WithdrawOutcome::Refused(why) => {
            let message = format!("{reference}: {why}.");
            Err(refused(StatusCode::CONFLICT, "charge_conflict", message))
        }
    }
}

/// What an officer looks for.
#[derive(Deserialize)]
pub(super) struct SearchQuery {
    find: String,
}

/// The handheld's search: few answers, a limit, and an entry in the audit log for each.
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
    let Query(asked) = asked.map_err(|error| super::refused_body(error.status()))?;
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
