//! Getting in and out: the one-time link, name and password, one's own password.

use super::{Desk, Sheet};
use crate::http::cookies::set_office_token;
use crate::http::error::Problem;
use crate::http::hosts::RequestHost;
use crate::http::{App, HostOwner, Peer};
use crate::pages::office::{AccountPage, LinkPage, SignInPage};
use crate::password::{self, PASSWORD_CHARS_MIN};
use crate::settings::FieldError;
use crate::sign_in::{self, SESSION_TTL_MS};
use crate::users::{self, Role, Tried};
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{Secret, TenantSlug};
use serde::Deserialize;
use std::sync::Arc;

/// Where somebody lands who wanted no page in particular.
pub(super) const FIRST_PAGE: &str = "/admin/payments";
/// Longest address that signing in leads back to, in bytes; none of the office's pages has a longer one.
const WAY_BACK_BYTES_MAX: usize = 512;

/// GET of a sign-in link. It changes nothing: a preview in a chat must not use the link up.
pub(in crate::http) async fn link_page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let owner = sign_in::link_owner(&app.core, &token).await?.ok_or_else(link_is_over)?;
    let page = LinkPage {
        action: format!("/sign-in/{token}"),
        name: owner.name,
        session_hours: SESSION_TTL_MS / (60 * 60 * 1000),
    };
    Ok(Html(page.render()?).into_response())
}

/// POST of a sign-in link: used once, for one browser.
pub(in crate::http) async fn by_link(
    State(app): State<Arc<App>>,
    Extension(host): Extension<RequestHost>,
    Extension(peer): Extension<Peer>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    limit(&app, &peer)?;
    let session = sign_in::redeem(&app.core, &token).await?.ok_or_else(link_is_over)?;
    Ok(with_cookie(Redirect::to(FIRST_PAGE), Some(&session.token), &host))
}

fn limit(app: &App, peer: &Peer) -> Result<(), Problem> {
    if app.sign_in_limit.admit(peer.0.ip(), app.core.now_ms()) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many tries",
        "Somebody here tried to sign in too often.",
        "Wait a minute, then try again.",
    ))
}

fn link_is_over() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "This link is over",
        "The sign-in link was used before, or it is too old.",
        "Ask an administrator for a new one; the operator makes one with holdfast sign-in.",
    )
    .leading_to("/sign-in", "Sign in with a password")
}

fn with_cookie(redirect: Redirect, token: Option<&str>, host: &RequestHost) -> Response {
    let mut response = redirect.into_response();
    let cookie = set_office_token(token, SESSION_TTL_MS / 1000, host.is_loopback());
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The form for name and password.
pub(in crate::http) async fn page(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
) -> Result<Response, Problem> {
    let known = app.tenant_of(&owner).await?;
    let page = SignInPage { asks_tenant: known.is_none(), ..SignInPage::default() };
    Ok(Html(page.render()?).into_response())
}

/// The form in place of a page that somebody asked for without being signed in.
pub(super) fn on_the_way(asks_tenant: bool, method: &Method, uri: &Uri) -> SignInPage {
    let wanted = uri.path_and_query().map_or(FIRST_PAGE, |it| it.as_str());
    let (notice, to) = match *method {
        Method::GET => ("You are not signed in. Sign in, and the page you want opens.", wanted),
        // What was typed is lost; the address alone leads back to the form.
        _ => ("You were signed out, and nothing was changed. Sign in and do it again.", uri.path()),
    };
    let (notice, to) = (Some(notice), way_back(to).to_owned());
    SignInPage { asks_tenant, notice, to, ..SignInPage::default() }
}

/// A page of the office that a form may lead to: nothing that a browser could read as another host.
fn way_back(wanted: &str) -> &str {
    let rest = wanted.strip_prefix("/admin");
    let is_page = rest.is_some_and(|it| it.is_empty() || it.starts_with(['/', '?']));
    let is_plain = wanted.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let fits = wanted.len() <= WAY_BACK_BYTES_MAX;
    if is_page && is_plain && fits { wanted } else { FIRST_PAGE }
}

/// The form again, as a refusal.
pub(super) fn refused(page: &SignInPage) -> Result<Response, Problem> {
    Ok((StatusCode::UNAUTHORIZED, Html(page.render()?)).into_response().dressed())
}

/// What somebody typed to get in.
#[derive(Deserialize)]
pub(in crate::http) struct SignInForm {
    #[serde(default)]
    tenant: String,
    name: String,
    password: String,
    #[serde(default)]
    to: String,
}

/// POST of name and password.
pub(in crate::http) async fn by_password(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(host): Extension<RequestHost>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, Problem> {
    limit(&app, &peer)?;
    let Form(form) = form.map_err(|refused| Problem::of_body(refused.status()))?;
    from_here(&headers, &host)?;
    let known = app.tenant_of(&owner).await?;
    let asks_tenant = known.is_none();
    let given = TenantSlug::parse(form.tenant.trim()).ok();
    let tenant = known.or(given).filter(|tenant| owner.serves(tenant));
    let password = Secret::new(form.password);
    let tried = match &tenant {
        Some(tenant) => users::try_password(&app.core, tenant, &form.name, password).await?,
        None => Tried::Wrong,
    };
    let error = match (tried, &tenant) {
        (Tried::Right(user), Some(tenant)) => {
            let session = sign_in::open(&app.core, tenant, user).await?;
            return Ok(with_cookie(Redirect::to(way_back(&form.to)), Some(&session.token), &host));
        }
        (Tried::Locked, _) => {
            "Too many wrong passwords. Wait 15 minutes, or ask for a new sign-in link."
        }
        _ => "Name and password do not fit. Check both; ask for a sign-in link if you forgot them.",
    };
    refused(&SignInPage {
        asks_tenant,
        tenant: form.tenant,
        name: form.name,
        to: way_back(&form.to).to_owned(),
        notice: None,
        error: Some(error),
    })
}

/// A foreign page must not sign a browser in under somebody else's name. A browser says itself whose page
/// sent a form; one that is too old for that names the page's origin.
fn from_here(headers: &HeaderMap, host: &RequestHost) -> Result<(), Problem> {
    let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = told("sec-fetch-site") {
        return if matches!(site, "same-origin" | "none") {
            Ok(())
        } else {
            Err(super::incomplete())
        };
    }
    let Some(origin) = told("origin") else { return Ok(()) };
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    if authority.eq_ignore_ascii_case(&host.authority) { Ok(()) } else { Err(super::incomplete()) }
}

pub(in crate::http) async fn sign_out(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Officer)?;
    sign_in::end(&desk.app.core, &desk.session).await?;
    Ok(with_cookie(Redirect::to("/sign-in"), None, &desk.host))
}

/// One's own name, role and password.
pub(in crate::http) async fn account(desk: Desk) -> Result<Response, Problem> {
    show_account(&desk, None, false).await
}

async fn show_account(
    desk: &Desk,
    error: Option<FieldError>,
    saved: bool,
) -> Result<Response, Problem> {
    let failed = error.is_some();
    let mut top = desk.top("account").await?;
    top.has_password = top.has_password || saved;
    let page = AccountPage {
        top,
        role: desk.session.user.role.words(),
        chars_min: PASSWORD_CHARS_MIN,
        error,
        saved,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

/// A new password. Whoever has one shows it first; whoever came by a link chooses their first.
pub(in crate::http) async fn set_password(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Officer)?;
    let (core, user) = (&desk.app.core, &desk.session.user);
    let new = sheet.text("new_password")?;
    if let Err(why) = password::check(new, &user.name) {
        return show_account(desk, Some(("new", why.to_string())), false).await;
    }
    if sheet.text("again")? != new {
        let why = "This does not match the line above; type the new password twice.".to_owned();
        return show_account(desk, Some(("again", why)), false).await;
    }
    if user.has_password {
        let old = Secret::new(sheet.field("old_password").unwrap_or_default().to_owned());
        let tried = users::try_password(core, desk.slug(), &user.name, old).await?;
        if !matches!(tried, Tried::Right(_)) {
            let why =
                "This is not your password. If you lost it, ask an administrator to reset it."
                    .to_owned();
            return show_account(desk, Some(("old", why)), false).await;
        }
    }
    let new = Secret::new(new.to_owned());
    users::set_password(core, desk.slug(), user, new, &desk.session.token).await?;
    show_account(desk, None, true).await
}

/// Marks a page of an error status that says itself what to do.
pub(super) trait Dress {
    fn dressed(self) -> Self;
}

impl Dress for Response {
    fn dressed(mut self) -> Self {
        self.extensions_mut().insert(crate::http::error::Dressed);
        self
    }
}
