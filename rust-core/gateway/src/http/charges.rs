//! Charges for programs, which write them.
//!
//! A program shows the credential that the office made for it. `PUT` writes a charge and may be
//! repeated; `POST` writes a new one and answers the same one again as before. Each charge has an
//! `ETag`; a `PUT` with `If-Match` is refused if somebody changed the charge since (RFC 9110, 13.1.1).

use super::error::{ApiError, told};
use super::{App, HostOwner, Peer};
use crate::charges::list::{self, Found, PAGE_MAX, Wanted};
use crate::charges::typed::{self, Amount, TypedCharge, checked};
use crate::charges::{credentials, habit};
use crate::core::Tenant;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_domain::{ChargeReference, ChargeState, Mode};
use holdfast_ledger::{
    ChargeRefused, PutCharges, PutOutcome, Store, WithdrawCharge, WithdrawOutcome,
};
use holdfast_protocol::wire::{ErrorCode, FIND_CHARS_MAX};
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
    /// The payment whose money is gone, so that it is owed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_refunded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live_refunded: Option<String>,
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
        let refunded = |mode| found.owed_again(mode).map(|it| it.payment.to_string());
        let [test_refunded, live_refunded] = [Mode::Test, Mode::Live].map(refunded);
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
            test_refunded,
            live_refunded,
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
        told(status, &Body { code, message, fields })
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
    put(&app, &program, &reference, charge, None).await
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
    put(&app, &program, &reference, charge, Some(seen(&headers)?)).await
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
    change: Option<Seen>,
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
    let put = PutCharges {
        charges: vec![charge],
        may_change: change.is_some(),
        seen_ms: change.unwrap_or_default(),
        who: program.who.clone(),
    };
    match app.core.store.run(put).await? {
        PutOutcome::Written { new, .. } => {
            let status = if new > 0 { StatusCode::CREATED } else { StatusCode::OK };
            let answer = one(app, program, reference.as_str()).await?;
            Ok((status, answer).into_response())
        }
        PutOutcome::Refused(why) => {
            let is_stale = why.iter().any(|(_, why)| *why == ChargeRefused::Changed);
            let why = why.first().map(|(_, why)| why.to_string()).unwrap_or_default();
            let message = format!("{reference}: {why}.");
            let (status, code) = match is_stale {
                true => (StatusCode::PRECONDITION_FAILED, "charge_changed"),
                false => (StatusCode::CONFLICT, "charge_conflict"),
            };
            Err(refused(status, code, message))
        }
    }
}

/// When a charge was last changed, as the program that changes it has seen it; none if it does not say.
type Seen = Option<i64>;

/// What `If-Match` says: one entity tag of ours, or `*`, which fits whatever is there.
fn seen(headers: &HeaderMap) -> Result<Seen, Failure> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let inside = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inside.and_then(|it| it.parse().ok()).map(Some).ok_or_else(|| {
        let why = "If-Match carries the ETag of the charge as it was read.";
        refused(StatusCode::BAD_REQUEST, "malformed", why)
    })
}

/// A charge with its entity tag.
async fn one(app: &App, program: &Program, reference: &str) -> Result<impl IntoResponse, Failure> {
    let found = list::one(&app.core, &program.tenant.slug, reference).await?;
    let found = found.ok_or_else(ApiError::not_found)?;
    let tag = [(header::ETAG, format!("\"{}\"", found.charge.changed_at_ms))];
    Ok((tag, Json(ChargeOut::from(found))))
}

pub(super) async fn read(
    State(app): State<Arc<App>>,
    (Extension(owner), Extension(peer)): At,
    Path((slug, reference)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let program = program(&app, (&owner, &slug, &peer), &headers).await?;
    Ok(one(&app, &program, &reference).await?.into_response())
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
    let Query(asked) = asked.map_err(|error| ApiError::of_body(error.status()))?;
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
        WithdrawOutcome::Withdrawn => Ok(one(&app, &program, &reference).await?.into_response()),
        WithdrawOutcome::Unknown => Err(ApiError::not_found().into()),
        WithdrawOutcome::Refused(why) => {
            let message = format!("{reference}: {why}.");
            Err(refused(StatusCode::CONFLICT, "charge_conflict", message))
        }
    }
}
