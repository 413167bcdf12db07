//! The office's pages: signing in, the live list, handhelds.

use super::cookies::{office_token, set_office_token};
use super::error::Problem;
use super::hosts::RequestHost;
use super::payer::standing;
use super::{App, HostOwner, Peer};
use crate::core::Tenant;
use crate::handhelds::{self, NewCode};
use crate::pages::office::{
    HandheldView, HandheldsPage, NewCodeView, OfficerView, PaymentRow, PaymentsPage, SignInPage,
    Top,
};
use crate::pages::{Moment, sentence_for_office};
use crate::payments::{self, LIST_MAX, Listed};
use crate::sign_in::{self, OfficeSession, SESSION_TTL_MS};
use crate::{processors, tokens};
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{DeviceId, Mode, OfficerId};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;
use std::sync::Arc;

/// Side of the enrolment code's picture, in CSS pixels.
const QR_SIDE_PX: u32 = 240;

/// The front door leads to the list.
pub(super) async fn home() -> Redirect {
    Redirect::to("/admin/payments")
}

/// The browser's session and its tenant, or the words that say how to get one.
pub(super) async fn signed_in(
    app: &App,
    owner: &HostOwner,
    host: &RequestHost,
    headers: &HeaderMap,
) -> Result<(OfficeSession, Tenant), Problem> {
    let signed_out = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "Sign in",
            "You are not signed in on this browser.",
            "Open your sign-in link. The operator makes a new one with holdfast sign-in.",
        )
    };
    let token = office_token(headers, host.is_loopback()).ok_or_else(signed_out)?;
    let session = sign_in::session(&app.core, &token).await?.ok_or_else(signed_out)?;
    if !owner.serves(&session.tenant) {
        return Err(signed_out());
    }
    let tenant = app.core.tenant(&session.tenant).await?.ok_or_else(signed_out)?;
    Ok((session, tenant))
}

/// Refuses a form that did not come from a page of this session.
fn same_form(session: &OfficeSession, csrf: &str) -> Result<(), Problem> {
    if tokens::same(&session.csrf, csrf) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "This form is too old",
        "The form belongs to another session. Nothing was changed.",
        "Go back, reload the page and try again.",
    ))
}

fn read_form<T>(form: Result<Form<T>, FormRejection>) -> Result<T, Problem> {
    form.map(|Form(form)| form).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "Not understood",
            "The form is not complete. Nothing was changed.",
            "Go back, reload the page and try again.",
        )
    })
}

/// GET of a sign-in link. It changes nothing: a preview in a chat must not use the link up.
pub(super) async fn sign_in_page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    if !sign_in::link_is_good(&app.core, &token).await? {
        return Err(link_is_over());
    }
    let page = SignInPage {
        action: format!("/sign-in/{token}"),
        session_hours: SESSION_TTL_MS / (60 * 60 * 1000),
    };
    Ok(Html(page.render()?).into_response())
}

/// POST of a sign-in link: used once, for one browser.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(host): Extension<RequestHost>,
    Extension(peer): Extension<Peer>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    if !app.sign_in_limit.admit(peer.0.ip(), app.core.now_ms()) {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many tries",
            "Somebody here tried to sign in too often.",
            "Wait a minute, then try again.",
        ));
    }
    let session = sign_in::redeem(&app.core, &token).await?.ok_or_else(link_is_over)?;
    tracing::info!(tenant = %session.tenant, "an administrator signed in");
    Ok(with_cookie(Redirect::to("/admin/payments"), Some(&session.token), &host))
}

fn link_is_over() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "This link is over",
        "The sign-in link was used before, or it is too old.",
        "The operator makes a new one with holdfast sign-in.",
    )
}

fn with_cookie(redirect: Redirect, token: Option<&str>, host: &RequestHost) -> Response {
    let mut response = redirect.into_response();
    let cookie = set_office_token(token, SESSION_TTL_MS / 1000, host.is_loopback());
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A form that carries nothing but its session's token.
#[derive(Deserialize)]
pub(super) struct BareForm {
    csrf: String,
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    headers: HeaderMap,
    form: Result<Form<BareForm>, FormRejection>,
) -> Result<Response, Problem> {
    let (session, _) = signed_in(&app, &owner, &host, &headers).await?;
    same_form(&session, &read_form(form)?.csrf)?;
    sign_in::end(&app.core, &session.token).await?;
    Ok(with_cookie(Redirect::to("/admin/payments"), None, &host))
}

async fn top(
    app: &App,
    session: &OfficeSession,
    tenant: &Tenant,
    page: &'static str,
) -> Result<Top, Problem> {
    let types = processors::payment_types(&app.core, &tenant.slug).await?;
    Ok(Top {
        organisation: tenant.name.clone(),
        page,
        csrf: session.csrf.clone(),
        is_test: types.iter().any(|it| it.mode == Mode::Test),
    })
}

pub(super) async fn payments(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // The tenant's revision is read before the rows: what changes in between is sent again.
    let (session, tenant) = signed_in(&app, &owner, &host, &headers).await?;
    let newest = payments::newest(&app.core, &tenant.slug).await?;
    let page = PaymentsPage {
        top: top(&app, &session, &tenant, "payments").await?,
        rows: newest.iter().map(row_html).collect::<Result<_, _>>()?,
        rows_max: LIST_MAX,
        revision: tenant.revision,
    };
    Ok(Html(page.render()?).into_response())
}

/// One row of the list, on the page and in its live stream.
pub(super) fn row_html(listed: &Listed) -> Result<String, askama::Error> {
    let payment = &listed.payment;
    let held_at_ms = i64::try_from(payment.held_at_unix_s).ok().and_then(|s| s.checked_mul(1000));
    let row = PaymentRow {
        payment: payment.payment.to_string(),
        state: payment.state.into(),
        sentence: sentence_for_office(&standing(payment)),
        amount: payment.total,
        receipt_order_id: payment.receipt_order_id.map(|id| id.to_string()),
        paid_at: payment.paid_at_ms.map(Moment::from_ms),
        held_at: Moment::from_ms(held_at_ms.unwrap_or(payment.accepted_at_ms)),
        officer: listed.officer.clone(),
        is_test: payment.mode == Mode::Test,
    };
    row.render()
}

pub(super) async fn handhelds(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (session, tenant) = signed_in(&app, &owner, &host, &headers).await?;
    handhelds_page(&app, &session, &tenant, None).await
}

async fn handhelds_page(
    app: &App,
    session: &OfficeSession,
    tenant: &Tenant,
    new_code: Option<NewCodeView>,
) -> Result<Response, Problem> {
    let officers = handhelds::officers(&app.core, &tenant.slug).await?;
    let enrolled = handhelds::all(&app.core, &tenant.slug).await?;
    let page = HandheldsPage {
        top: top(app, session, tenant, "handhelds").await?,
        officers: officers
            .into_iter()
            .map(|it| OfficerView { id: it.id.0, name: it.name })
            .collect(),
        handhelds: enrolled.into_iter().map(handheld_view).collect(),
        new_code,
    };
    Ok(Html(page.render()?).into_response())
}

fn handheld_view(handheld: handhelds::Handheld) -> HandheldView {
    HandheldView {
        id: handheld.device.to_string(),
        name: handheld.name,
        officer: handheld.officer.name,
        six_digits: handheld.six_digits,
        enrolled_at: Moment::from_ms(handheld.enrolled_at_ms),
        status: handheld.status,
    }
}

/// Which officer a new handheld is for.
#[derive(Deserialize)]
pub(super) struct NewCodeForm {
    csrf: String,
    officer: u32,
}

/// Makes a code and shows it, once: the page that shows it is the answer to the form.
pub(super) async fn new_code(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    headers: HeaderMap,
    form: Result<Form<NewCodeForm>, FormRejection>,
) -> Result<Response, Problem> {
    let (session, tenant) = signed_in(&app, &owner, &host, &headers).await?;
    let form = read_form(form)?;
    same_form(&session, &form.csrf)?;
    let officers = handhelds::officers(&app.core, &tenant.slug).await?;
    let chosen = officers.into_iter().find(|it| it.id == OfficerId(form.officer));
    let officer = chosen.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No such officer",
            "This officer is not on the list any more.",
            "Go back, reload the page and choose again.",
        )
    })?;
    let base_url = app.public_url.as_str();
    let NewCode { link, expires_in_s } =
        handhelds::new_code(&app.core, &tenant.slug, officer.id, false, base_url).await?;
    let view = NewCodeView {
        code: link.code.to_string(),
        qr: qr_svg(&link.to_string())?,
        link: link.to_string(),
        officer: officer.name,
        minutes: expires_in_s / 60,
    };
    handhelds_page(&app, &session, &tenant, Some(view)).await
}

fn qr_svg(text: &str) -> Result<String, Problem> {
    let code = QrCode::new(text).map_err(|_| Problem::unavailable())?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(QR_SIDE_PX, QR_SIDE_PX).build();
    // The prologue belongs to a file of its own, not into a page.
    let start = picture.find("<svg").unwrap_or(0);
    Ok(picture.get(start..).unwrap_or_default().to_owned())
}

/// Which handheld is approved, and what was compared.
#[derive(Deserialize)]
pub(super) struct ApproveForm {
    csrf: String,
    handheld: String,
    six_digits: String,
}

pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    headers: HeaderMap,
    form: Result<Form<ApproveForm>, FormRejection>,
) -> Result<Response, Problem> {
    let (session, tenant) = signed_in(&app, &owner, &host, &headers).await?;
    let form = read_form(form)?;
    same_form(&session, &form.csrf)?;
    let approved = match DeviceId::parse(&form.handheld) {
        Ok(device) => handhelds::approve(&app.core, &tenant.slug, device, &form.six_digits).await?,
        Err(_) => false,
    };
    if !approved {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "Not approved",
            "This handheld is gone, was revoked, or shows other digits now. Nothing was changed.",
            "Go back, reload the page and compare again.",
        ));
    }
    tracing::info!(handheld = form.handheld, "an administrator approved a handheld");
    Ok(Redirect::to("/admin/handhelds").into_response())
}

/// Which handheld is revoked.
#[derive(Deserialize)]
pub(super) struct RevokeForm {
    csrf: String,
    handheld: String,
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    headers: HeaderMap,
    form: Result<Form<RevokeForm>, FormRejection>,
) -> Result<Response, Problem> {
    let (session, tenant) = signed_in(&app, &owner, &host, &headers).await?;
    let form = read_form(form)?;
    same_form(&session, &form.csrf)?;
    let revoked = match DeviceId::parse(&form.handheld) {
        Ok(device) => handhelds::revoke(&app.core, &tenant.slug, device).await?,
        Err(_) => false,
    };
    if !revoked {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "Not revoked",
            "There is no such handheld here. Nothing was changed.",
            "Go back and reload the page.",
        ));
    }
    tracing::info!(handheld = form.handheld, "an administrator revoked a handheld");
    Ok(Redirect::to("/admin/handhelds").into_response())
}
