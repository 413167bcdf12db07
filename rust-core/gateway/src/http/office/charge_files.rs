//! Charges from files, and into files.

use super::charges::ListQuery;
use super::enter::Dress;
use super::{Desk, Sheet};
use crate::charges::list::{self, EXPORT_MAX, PAGE_MAX};
use crate::charges::{csv, habit};
use crate::http::error::Problem;
use crate::pages::charges::ImportPage;
use crate::users::Role;
use askama::Template;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use holdfast_ledger::{PutCharges, PutOutcome, Store};

pub(in crate::http) async fn import_page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    show_import(&desk, "", Vec::new(), None).await
}

async fn show_import(
    desk: &Desk,
    text: &str,
    errors: Vec<String>,
    done: Option<(usize, usize)>,
) -> Result<Response, Problem> {
    let failed = !errors.is_empty();
    let page = ImportPage {
        top: desk.top("charges").await?,
        columns: csv::COLUMNS.join(","),
        text: text.to_owned(),
        errors,
        done,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

pub(in crate::http) async fn import(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let (core, slug, text) = (&desk.app.core, desk.slug(), sheet.text("csv")?);
    let currency = habit(core, slug).await?.currency;
    let charges = match csv::read(text.as_bytes(), slug, currency) {
        Ok(charges) => charges,
        Err(errors) => return show_import(desk, text, errors, None).await,
    };
    let names: Vec<String> = charges.iter().map(|it| it.reference.to_string()).collect();
    let who = desk.session.user.name.clone();
    let may_change = sheet.field("replace").is_some();
    let put = PutCharges { charges, may_change, seen_ms: None, who };
    match core.store.run(put).await? {
        PutOutcome::Written { new, changed } => {
            show_import(desk, "", Vec::new(), Some((new, changed))).await
        }
        PutOutcome::Refused(refused) => {
            let name = |place: usize| names.get(place).cloned().unwrap_or_default();
            let errors = refused.iter().take(PAGE_MAX.unsigned_abs() as usize);
            let errors = errors.map(|(place, why)| format!("{}: {why}.", name(*place))).collect();
            show_import(desk, text, errors, None).await
        }
    }
}

fn file(name: &str, bytes: Vec<u8>) -> Response {
    let named = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    (headers, bytes).into_response()
}

pub(in crate::http) async fn example(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    Ok(file("charges-example.csv", csv::EXAMPLE.as_bytes().to_vec()))
}

pub(in crate::http) async fn export(
    desk: Desk,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let (core, slug) = (&desk.app.core, desk.slug());
    let mode = habit(core, slug).await?.mode;
    let found = list::find(core, slug, mode, &asked.wanted(), (EXPORT_MAX, 0)).await?;
    let rows = found.iter().map(|it| (&it.charge, it.state(mode).as_str()));
    Ok(file("charges.csv", csv::write(rows)))
}
