//! The audit log, newest first, and whether its chain is whole.

use super::Desk;
use crate::audit::{self, Chain, Entry};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::office::{AuditPage, AuditRow};
use crate::users::Role;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};

/// Entries on the page; `holdfast doctor` follows all of them.
const ENTRIES_SHOWN_MAX: i64 = 200;

pub(in crate::http) async fn page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let core = &desk.app.core;
    let page = AuditPage {
        rows: audit::newest(core, desk.slug(), ENTRIES_SHOWN_MAX)
            .await?
            .into_iter()
            .map(row)
            .collect(),
        broken_at: match audit::verify(core, desk.slug().as_str()).await? {
            Chain::Whole { .. } => None,
            Chain::Broken { number } => Some(number),
        },
        rows_max: ENTRIES_SHOWN_MAX,
        top: desk.top("audit").await?,
    };
    Ok(Html(page.render()?).into_response())
}

fn row(entry: Entry) -> AuditRow {
    let hash = data_encoding::HEXLOWER.encode(&entry.hash);
    AuditRow {
        number: entry.number,
        at: Moment::from_ms(entry.at_ms),
        who: entry.who,
        what: entry.what.replace('_', " "),
        detail: entry.detail,
        head: hash.chars().take(12).collect(),
    }
}
