//! The live list of payments.

use super::Desk;
use crate::http::error::Problem;
use crate::http::payer::standing;
use crate::pages::office::{PaymentRow, PaymentsPage};
use crate::pages::{Moment, sentence_for_office};
use crate::payments::{self, LIST_MAX, Listed};
use askama::Template;
use axum::extract::Query;
use axum::response::{Html, IntoResponse, Response};
use holdfast_domain::Mode;
use serde::Deserialize;

/// What of the list is wanted.
#[derive(Deserialize)]
pub(in crate::http) struct ListQuery {
    /// Anything: only what a person has to look at.
    look: Option<String>,
}

pub(in crate::http) async fn page(
    desk: Desk,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    let (core, is_narrowed) = (&desk.app.core, asked.look.is_some());
    // The tenant's revision was read before the rows: what changes in between is sent again.
    let listed = match is_narrowed {
        true => payments::to_look_at(core, desk.slug()).await?,
        false => payments::newest(core, desk.slug()).await?,
    };
    let page = PaymentsPage {
        top: desk.top("payments").await?,
        is_narrowed,
        rows: listed.iter().map(row_html).collect::<Result<_, _>>()?,
        rows_max: LIST_MAX,
        revision: desk.tenant.revision,
    };
    Ok(Html(page.render()?).into_response())
}

/// One row of the list, on the page and in its live stream.
pub(in crate::http) fn row_html(listed: &Listed) -> Result<String, askama::Error> {
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
