//! The Cash page: what officers hold, voids, and handing in.

use super::enter::Dress;
use super::{Desk, Sheet};
use crate::cash::{self, CloseError, Closed, Count, Refused, Shift, ShiftOf, is_voided};
use crate::charges::typed;
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::cash::{CashPage, ClosedView, RefusedView, ShiftView, TakenView};
use crate::users::Role;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{
    AttentionReason, Currency, DeviceId, Mode, Money, OfficerId, PaymentId, ProvisionalReceipt,
};
use holdfast_ledger::{HandleRefusedCash, Payment, Store, VoidCash, VoidOutcome};

pub(in crate::http) async fn page(desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    show(&desk, None).await
}

async fn show(desk: &Desk, error: Option<String>) -> Result<Response, Problem> {
    let core = &desk.app.core;
    let shifts = cash::open_shifts(core, desk.slug(), None).await?;
    let closed = cash::closed(core, desk.slug()).await?;
    let refused = cash::refused(core, desk.slug()).await?;
    let failed = error.is_some();
    let page = CashPage {
        top: desk.top("cash").await?,
        shifts: shifts.iter().map(shift_view).collect(),
        closed: closed.into_iter().map(closed_view).collect(),
        refused: refused.into_iter().map(refused_view).collect(),
        error,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

fn shift_view(shift: &Shift) -> ShiftView {
    ShiftView {
        officer_number: shift.of.officer.0,
        device: shift.of.device.to_string(),
        mode: shift.of.mode.as_str(),
        is_test: shift.of.mode == Mode::Test,
        currency: shift.of.currency.code().to_owned(),
        officer: shift.officer.clone(),
        handheld: shift.handheld.clone(),
        payments: shift.counted().count(),
        all: shift.taken.len(),
        voided: shift.voided(),
        total: shift.total(),
        taken: shift.taken.iter().rev().map(taken_view).collect(),
    }
}

fn taken_view(payment: &Payment) -> TakenView {
    TakenView {
        payment: payment.payment.to_string(),
        provisional: ProvisionalReceipt::of(payment.device, payment.sequence).to_string(),
        receipt: payment.receipt_order_id.map(|it| it.to_string()).unwrap_or_default(),
        amount: payment.total,
        at: Moment::from_ms(payment.accepted_at_ms),
        is_voided: is_voided(payment),
        attention: payment.attention.map(|reason| match reason {
            AttentionReason::PaidTwice => {
                "What this was for is paid already, in another way. Give the cash back and void \
                 it, or refund the other payment."
            }
            other => other.sentence(),
        }),
    }
}

fn refused_view(refused: Refused) -> RefusedView {
    let cash = refused.cash;
    let held_at_ms = i64::try_from(cash.held_at_unix_s).ok().and_then(|s| s.checked_mul(1000));
    RefusedView {
        payment: cash.payment.to_string(),
        officer: refused.officer,
        handheld: refused.handheld,
        provisional: ProvisionalReceipt::of(cash.device, cash.sequence).to_string(),
        amount: cash.amount,
        is_test: cash.mode == Mode::Test,
        held_at: Moment::from_ms(held_at_ms.unwrap_or(cash.refused_at_ms)),
        why: cash.why,
        handled: cash.handled.map(|it| (it.what, it.who, Moment::from_ms(it.at_ms))),
    }
}

fn closed_view(closed: Closed) -> ClosedView {
    let difference = closed.counted.minor().saturating_sub(closed.expected.minor());
    ClosedView {
        number: closed.number,
        officer: closed.officer,
        handheld: closed.handheld,
        is_test: closed.mode == Mode::Test,
        payments: closed.payments,
        expected: closed.expected,
        counted: closed.counted,
        difference: (difference != 0).then(|| Money::new(difference, closed.expected.currency())),
        closed_at: Moment::from_ms(closed.closed_at_ms),
        closed_by: closed.closed_by,
    }
}

pub(in crate::http) async fn close(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let currency = Currency::from_code(sheet.text("currency")?);
    let of = ShiftOf {
        officer: OfficerId(sheet.number("officer")?),
        device: DeviceId::parse(sheet.text("device")?).map_err(|_| super::incomplete())?,
        mode: Mode::parse(sheet.text("mode")?).ok_or_else(super::incomplete)?,
        currency: currency.map_err(|_| super::incomplete())?,
    };
    let seen = (sheet.number("payments")?, sheet.number("total")?);
    let counted = Money::parse(sheet.text("counted")?.trim(), of.currency);
    let Some(counted) = counted.ok().filter(|it| it.minor() >= 0) else {
        let why = "Write what you counted with digits and at most one point, such as 120.50.";
        return show(desk, Some(why.to_owned())).await;
    };
    let count = Count { of, seen, counted_minor: counted.minor() };
    let who = &desk.session.user.name;
    match cash::close(&desk.app.core, desk.slug(), who, count).await {
        Ok(()) => Ok(Redirect::to("/admin/cash").into_response()),
        Err(CloseError::Store(error)) => Err(error.into()),
        Err(changed) => show(desk, Some(changed.to_string())).await,
    }
}

pub(in crate::http) async fn void(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let payment = PaymentId::parse(sheet.text("payment")?).map_err(|_| super::incomplete())?;
    let Some(reason) = typed::reason(sheet.text("reason")?) else {
        let why = format!("Write why, in at most {} characters.", typed::REASON_CHARS_MAX);
        return show(desk, Some(why)).await;
    };
    let (tenant, who) = (desk.slug().clone(), desk.session.user.name.clone());
    match desk.app.core.store.run(VoidCash { tenant, payment, who, reason }).await? {
        VoidOutcome::Voided { .. } => Ok(Redirect::to("/admin/cash").into_response()),
        VoidOutcome::HandedIn => {
            let why = "This cash was handed in: its shift is closed, and it is voided no more.";
            show(desk, Some(why.to_owned())).await
        }
        VoidOutcome::Unknown => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "No such cash payment",
            "There is no cash payment of this ID here.",
            "Go back to Cash, reload the page and try again.",
        )),
    }
}

/// Somebody says what was done about cash whose order was refused.
pub(in crate::http) async fn handle_refused(sheet: Sheet) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let payment = PaymentId::parse(sheet.text("payment")?).map_err(|_| super::incomplete())?;
    let Some(what) = typed::reason(sheet.text("what")?) else {
        let why =
            format!("Write what was done, in at most {} characters.", typed::REASON_CHARS_MAX);
        return show(desk, Some(why)).await;
    };
    let (tenant, who) = (desk.slug().clone(), desk.session.user.name.clone());
    let handle = HandleRefusedCash { tenant, payment, who, what };
    if desk.app.core.store.run(handle).await? {
        return Ok(Redirect::to("/admin/cash").into_response());
    }
    let why = "Somebody was faster, or the order was taken after all; look at the list again.";
    show(desk, Some(why.to_owned())).await
}
