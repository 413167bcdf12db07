//! Who works here: adding people, their roles, their links.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::office::{NewLinkView, PeoplePage, PersonView, Refused};
use crate::sign_in;
use crate::users::{self, Role, User, UserError};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

pub(in crate::http) async fn page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Administrator)?;
    show(&desk, None, None, "").await
}

async fn show(
    desk: &Desk,
    new_link: Option<NewLinkView>,
    error: Option<(Refused, String)>,
    typed: &str,
) -> Result<Response, Problem> {
    let people = users::all(&desk.app.core, desk.slug()).await?;
    let now_ms = desk.app.core.now_ms();
    let failed = error.is_some();
    let page = PeoplePage {
        top: desk.top("people").await?,
        me: desk.session.user.number,
        people: people.into_iter().map(|user| person(user, now_ms)).collect(),
        new_link,
        error,
        typed: typed.to_owned(),
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

async fn no_change(desk: &Desk, why: &str) -> Result<Response, Problem> {
    show(desk, None, Some((Refused::Change, why.to_owned())), "").await
}

fn person(user: User, now_ms: i64) -> PersonView {
    PersonView {
        number: user.number,
        name: user.name,
        role: user.role,
        has_password: user.has_password,
        locked_until: (user.locked_until_ms > now_ms)
            .then(|| Moment::from_ms(user.locked_until_ms)),
    }
}

pub(in crate::http) async fn add(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let role = role_in(&sheet)?;
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    let name = sheet.text("name")?;
    match users::add(core, desk.slug(), who, name, role).await {
        Ok(user) => link_for(desk, user).await,
        Err(UserError::Store(error)) => Err(error.into()),
        Err(error) => show(desk, None, Some((Refused::Name, error.to_string())), name).await,
    }
}

fn role_in(sheet: &Sheet) -> Result<Role, Problem> {
    Role::parse(sheet.text("role")?).ok_or_else(super::incomplete)
}

/// A new one-time link for somebody, shown once.
pub(in crate::http) async fn new_link(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let found = users::user(&desk.app.core, desk.slug(), sheet.number("person")?).await?;
    let Some(user) = found else {
        return no_change(desk, &UserError::Gone.to_string()).await;
    };
    link_for(desk, user).await
}

/// The password is gone, and a link leads to a new one.
pub(in crate::http) async fn reset(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let number = sheet.number("person")?;
    if number == desk.session.user.number {
        let own = "Change your own password on your page, or have another administrator reset it.";
        return no_change(desk, own).await;
    }
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    match users::forget_password(core, desk.slug(), who, number).await {
        Ok(user) => link_for(desk, user).await,
        Err(UserError::Store(error)) => Err(error.into()),
        Err(error) => no_change(desk, &error.to_string()).await,
    }
}

async fn link_for(desk: &Desk, user: User) -> Result<Response, Problem> {
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    let token = sign_in::make_link(core, desk.slug(), who, Some(user.number)).await?;
    let link = format!("{}/sign-in/{token}", desk.app.public_url.as_str());
    show(desk, Some(NewLinkView { name: user.name, link }), None, "").await
}

/// Another role, or the end.
pub(in crate::http) async fn change(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let role = match sheet.text("role")? {
        "remove" => None,
        _ => Some(role_in(&sheet)?),
    };
    let (core, who) = (&desk.app.core, &desk.session.user.name);
    match users::change(core, desk.slug(), who, sheet.number("person")?, role).await {
        Ok(()) => Ok(Redirect::to("/admin/users").into_response()),
        Err(UserError::Store(error)) => Err(error.into()),
        Err(error) => no_change(desk, &error.to_string()).await,
    }
}
