//! The office's pages, and what all of them share: who is at the desk, and forms that they sent.
//!
//! A handler that takes a [`Desk`] runs only for somebody who is signed in; one that takes a
//! [`Sheet`] only for a form that came from a page of the same session. What a role may do is asked
//! in the handler's first line.

pub(super) mod alerts;
pub(super) mod audit;
pub(super) mod cash;
pub(super) mod charge_files;
pub(super) mod charges;
pub(super) mod deliveries;
pub(super) mod enter;
pub(super) mod handhelds;
pub(super) mod live_mode;
pub(super) mod payment;
pub(super) mod payments;
pub(super) mod people;
pub(super) mod programs;
pub(super) mod refund;
pub(super) mod types;

use super::cookies::office_token;
use super::error::Problem;
use super::hosts::RequestHost;
use super::{App, HostOwner};
use crate::core::Tenant;
use crate::pages::office::{SignInPage, Top};
use crate::sign_in::{self, OfficeSession};
use crate::users::Role;
use crate::{processors, recoveries, refunds, tokens};
use axum::extract::{Extension, Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_domain::{Mode, TenantSlug};
use std::sync::Arc;

/// The front door leads to the list.
pub(super) async fn home() -> Redirect {
    Redirect::to(enter::FIRST_PAGE)
}

/// The address of a form's answer, opened or reloaded as a page, leads to the page that the form stands
/// on: whoever signs in again lands there, and so does a bookmark.
pub(super) async fn not_this_way(method: Method, uri: Uri) -> Response {
    match uri.path().rsplit_once('/') {
        Some((parent, _)) if method == Method::GET && parent.starts_with("/admin") => {
            Redirect::to(parent).into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// Somebody who is signed in.
pub(super) struct Desk {
    pub(super) app: Arc<App>,
    pub(super) session: OfficeSession,
    pub(super) tenant: Tenant,
    pub(super) host: RequestHost,
}

/// Why nobody gets to a page of the office.
pub(super) enum TurnedAway {
    Problem(Problem),
    /// Nobody is signed in: the form for it, which leads back to where they were going.
    SignIn(Box<SignInPage>),
}

impl From<Problem> for TurnedAway {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for TurnedAway {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::SignIn(page) => match enter::refused(&page) {
                Ok(response) => response,
                Err(problem) => problem.into_response(),
            },
        }
    }
}

impl FromRequestParts<Arc<App>> for Desk {
    type Rejection = TurnedAway;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, TurnedAway> {
        let Extension(owner) = from_layers::<HostOwner>(parts, app).await?;
        let Extension(host) = from_layers::<RequestHost>(parts, app).await?;
        match signed_in(app, &owner, &host, &parts.headers).await? {
            Some((session, tenant)) => Ok(Self { app: Arc::clone(app), session, tenant, host }),
            None => {
                let asks_tenant = app.tenant_of(&owner).await.map_err(Problem::from)?.is_none();
                let page = enter::on_the_way(asks_tenant, &parts.method, &parts.uri);
                Err(TurnedAway::SignIn(Box::new(page)))
            }
        }
    }
}

/// What the layers found out about every request.
async fn from_layers<T: Clone + Send + Sync + 'static>(
    parts: &mut Parts,
    app: &Arc<App>,
) -> Result<Extension<T>, Problem> {
    Extension::from_request_parts(parts, app).await.map_err(|_| Problem::unavailable())
}

/// The browser's session and its tenant, if there is one.
async fn signed_in(
    app: &App,
    owner: &HostOwner,
    host: &RequestHost,
    headers: &HeaderMap,
) -> Result<Option<(OfficeSession, Tenant)>, Problem> {
    let Some(token) = office_token(headers, host.is_loopback()) else { return Ok(None) };
    let session = sign_in::session(&app.core, &token).await?;
    let Some(session) = session.filter(|it| owner.serves(&it.tenant)) else { return Ok(None) };
    let tenant = app.core.tenant(&session.tenant).await?;
    Ok(tenant.map(|tenant| (session, tenant)))
}

impl Desk {
    pub(super) fn slug(&self) -> &TenantSlug {
        &self.tenant.slug
    }

    /// Refuses whoever's role is not enough.
    pub(super) fn needs(&self, role: Role) -> Result<(), Problem> {
        if self.session.may(role) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Not for your role",
            format!("You are signed in as {}, which may not do this.", self.session.user.role),
            "Ask an administrator to do it, or to change your role on the Users page.",
        ))
    }

    pub(super) async fn top(&self, page: &'static str) -> Result<Top, Problem> {
        let types = processors::payment_types(&self.app.core, self.slug()).await?;
        let is_finance = self.session.may(Role::Finance);
        let (unread, cash_waits, to_look_at) = match is_finance {
            true => (
                refunds::unread(&self.app.core, self.slug()).await?,
                crate::cash::refused_waiting(&self.app.core, self.slug()).await?,
                crate::payments::count_to_look_at(&self.app.core, self.slug()).await?,
            ),
            false => (0, 0, 0),
        };
        let restored = recoveries::stand(&self.app.core, self.slug()).await?;
        Ok(Top {
            organisation: self.tenant.name.clone(),
            page,
            csrf: self.session.csrf.clone(),
            is_test: types.iter().any(|it| it.mode == Mode::Test),
            person: self.session.user.name.clone(),
            is_administrator: self.session.may(Role::Administrator),
            is_finance,
            unread,
            cash_waits,
            to_look_at,
            has_password: self.session.user.has_password,
            restored: restored.and_then(|it| it.news()),
        })
    }
}

/// A form that somebody sent from a page of their own session.
pub(super) struct Sheet {
    desk: Desk,
    fields: Vec<(String, String)>,
}

impl FromRequest<Arc<App>> for Sheet {
    type Rejection = TurnedAway;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, TurnedAway> {
        let (mut parts, body) = request.into_parts();
        let desk = Desk::from_request_parts(&mut parts, app).await?;
        let request = Request::from_parts(parts, body);
        let form = Form::<Vec<(String, String)>>::from_request(request, app).await;
        let Form(fields) = form.map_err(|refused| Problem::of_body(refused.status()))?;
        let sheet = Self { desk, fields };
        if tokens::same(&sheet.desk.session.csrf, sheet.text("csrf")?) {
            return Ok(sheet);
        }
        let too_old = Problem::new(
            StatusCode::FORBIDDEN,
            "This form is too old",
            "The form belongs to another session. Nothing was changed.",
            "Go back, reload the page and try again.",
        );
        Err(too_old.into())
    }
}

impl Sheet {
    /// Who sent it, if their role is enough.
    pub(super) fn by(&self, role: Role) -> Result<&Desk, Problem> {
        self.desk.needs(role).map(|()| &self.desk)
    }

    /// A field that every honest form has.
    pub(super) fn text(&self, name: &str) -> Result<&str, Problem> {
        self.field(name).ok_or_else(incomplete)
    }

    /// A field that may be missing.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a field that may stand there several times.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number<N: std::str::FromStr>(&self, name: &str) -> Result<N, Problem> {
        self.text(name)?.parse().map_err(|_| incomplete())
    }
}

fn incomplete() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "Not understood",
        "The form is not complete. Nothing was changed.",
        "Go back, reload the page and try again.",
    )
}
