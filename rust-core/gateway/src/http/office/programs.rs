//! The credentials of programs that write charges.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::charges::credentials::{self, CredentialError};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::charges::{CredentialView, CredentialsPage};
use crate::users::Role;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

pub(in crate::http) async fn programs(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    show_programs(&desk, None, None, "").await
}

async fn show_programs(
    desk: &Desk,
    made: Option<String>,
    error: Option<String>,
    name: &str,
) -> Result<Response, Problem> {
    let all = credentials::all(&desk.app.core, desk.slug()).await?;
    let failed = error.is_some();
    let page = CredentialsPage {
        top: desk.top("charges").await?,
        address: format!("{}/api/{}/charges", desk.app.public_url.as_str(), desk.slug()),
        credentials: all
            .into_iter()
            .map(|it| CredentialView {
                number: it.number,
                name: it.name,
                ends_with: it.ends_with,
                made_at: Moment::from_ms(it.created_at_ms),
                used_at: (it.used_at_ms > 0).then(|| Moment::from_ms(it.used_at_ms)),
            })
            .collect(),
        made,
        error,
        name: name.to_owned(),
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

pub(in crate::http) async fn make_credential(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let name = sheet.text("name")?;
    let who = &desk.session.user.name;
    match credentials::make(&desk.app.core, desk.slug(), who, name).await {
        Ok(token) => show_programs(desk, Some(token), None, "").await,
        Err(CredentialError::Store(error)) => Err(error.into()),
        Err(CredentialError::Entropy(error)) => Err(error.into()),
        Err(error) => show_programs(desk, None, Some(error.to_string()), name).await,
    }
}

pub(in crate::http) async fn revoke_credential(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let who = &desk.session.user.name;
    credentials::revoke(&desk.app.core, desk.slug(), who, sheet.number("credential")?).await?;
    Ok(Redirect::to("/admin/charges/api").into_response())
}
