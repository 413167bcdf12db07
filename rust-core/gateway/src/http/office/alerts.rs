//! What the finance role is told: refunds and disputes, until somebody has read them.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::http::error::Problem;
use crate::pages::refunds::{AlertView, AlertsPage};
use crate::refunds;
use crate::users::Role;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_ledger::{Acknowledge, AlertStatus, Store};

pub(in crate::http) async fn page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    show(&desk, false).await
}

async fn show(desk: &Desk, changed: bool) -> Result<Response, Problem> {
    let found = refunds::alerts(&desk.app.core, desk.slug()).await?;
    let page = AlertsPage {
        top: desk.top("refunds").await?,
        alerts: found.into_iter().map(AlertView::new).collect(),
        changed,
    };
    let status = if changed { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

pub(in crate::http) async fn acknowledge(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let status = AlertStatus::parse(sheet.text("status")?).ok_or_else(super::incomplete)?;
    let acknowledge = Acknowledge {
        tenant: desk.slug().clone(),
        object: sheet.text("object")?.to_owned(),
        status,
        who: desk.session.user.name.clone(),
    };
    if desk.app.core.store.run(acknowledge).await? {
        return Ok(Redirect::to("/admin/refunds").into_response());
    }
    show(desk, true).await
}
