//! Refund Payment > Confirm Refund.
//!
//! The form carries its own key, so that pressing twice is one refund, and how many refunds it
//! showed, so that a second form in another tab is told what the first did. What may go back is the
//! ledger's to decide; this only reads the form and says what became of it.

use super::enter::Dress;
use super::payment::{MoneyBack, find};
use super::{Desk, Sheet};
use crate::http::error::Problem;
use crate::pages::Moment;
use crate::pages::refunds::RefundPage;
use crate::refunds;
use crate::settings::sentence;
use crate::users::Role;
use crate::world::random;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{Currency, Mode, Money, RefundAmount, RefundRefusal};
use holdfast_ledger::refund::REASON_CHARS_MAX;
use holdfast_ledger::{
    AskRefund, AskRefundOutcome, Payment, RefundKey, RefundRequest, Store, refunds_known,
};
use holdfast_stripe::objects::RefundReason;

/// What the form shows besides the payment.
#[derive(Default)]
struct Typed {
    /// The same key again after a slip of the pen; none: a new one.
    key: Option<RefundKey>,
    is_part: bool,
    amount: String,
    reason: String,
    cancels_charges: bool,
    amount_error: Option<String>,
    reason_error: Option<String>,
    news: Option<String>,
}

pub(in crate::http) async fn form(Path(id): Path<String>, desk: Desk) -> Result<Response, Problem> {
    desk.needs(Role::Finance)?;
    let payment = find(&desk, &id).await?;
    show(&desk, &payment, Typed::default(), StatusCode::OK).await
}

async fn show(
    desk: &Desk,
    payment: &Payment,
    typed: Typed,
    status: StatusCode,
) -> Result<Response, Problem> {
    let money = MoneyBack::of(desk, payment).await?;
    let key = match typed.key {
        Some(key) => key,
        None => RefundKey::mint(random(desk.app.world.as_ref())?),
    };
    let page = RefundPage {
        top: desk.top("payments").await?,
        payment: payment.payment.to_string(),
        receipt_order_id: payment.receipt_order_id.map(|id| id.to_string()).unwrap_or_default(),
        paid: payment.total,
        left: money.left(),
        key: key.to_string(),
        known: refunds_known(&money.requests, &money.facts),
        is_part: typed.is_part,
        typed_amount: typed.amount,
        typed_reason: typed.reason,
        amount_error: typed.amount_error,
        reason_error: typed.reason_error,
        news: typed.news,
        reason_chars_max: REASON_CHARS_MAX,
        settles: refunds::settles(&desk.app.core, desk.slug(), payment.payment).await?,
        cancels_charges: typed.cancels_charges,
        is_trial: payment.mode == Mode::Test,
    };
    Ok((status, Html(page.render()?)).into_response().dressed())
}

pub(in crate::http) async fn confirm(
    Path(id): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let payment = find(desk, &id).await?;
    let key = RefundKey::parse(sheet.text("key")?).ok_or_else(super::incomplete)?;
    let typed = Typed { key: Some(key.clone()), ..read(&sheet)? };
    let (amount, typed) = checked(typed, payment.total.currency());
    let Some(amount) = amount else {
        return show(desk, &payment, typed, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let ask = AskRefund {
        tenant: payment.tenant.clone(),
        payment: payment.payment,
        key,
        amount,
        reason: typed.reason.clone(),
        stripe_reason: RefundReason::RequestedByCustomer,
        who: desk.session.user.name.clone(),
        known: Some(sheet.number("known")?),
        cancels_charges: typed.cancels_charges,
    };
    let outcome = desk.app.core.store.run(ask).await?;
    answer(desk, &payment, outcome, typed, amount).await
}

fn read(sheet: &Sheet) -> Result<Typed, Problem> {
    let is_part = match sheet.text("how")? {
        "full" => false,
        "part" => true,
        _ => return Err(super::incomplete()),
    };
    Ok(Typed {
        is_part,
        amount: sheet.field("amount").unwrap_or_default().trim().to_owned(),
        reason: sheet.field("reason").unwrap_or_default().trim().to_owned(),
        cancels_charges: sheet.field("cancel").is_some(),
        ..Typed::default()
    })
}

/// The amount, unless something is wrong; then the words stand beside the field.
fn checked(mut typed: Typed, currency: Currency) -> (Option<RefundAmount>, Typed) {
    let too_long = typed.reason.chars().count() > REASON_CHARS_MAX;
    if too_long || typed.reason.chars().any(char::is_control) {
        let why = format!("A reason has at most {REASON_CHARS_MAX} characters on one line.");
        typed.reason_error = Some(why);
    } else if typed.is_part && typed.reason.is_empty() {
        typed.reason_error = Some("Write why only a part goes back.".to_owned());
    }
    let mut amount = RefundAmount::Full;
    if typed.is_part {
        match Money::parse(&typed.amount, currency) {
            Ok(part) => amount = RefundAmount::Part(part),
            Err(why) => typed.amount_error = Some(sentence(&why.to_string())),
        }
    }
    let good = typed.amount_error.is_none() && typed.reason_error.is_none();
    (good.then_some(amount), typed)
}

/// What became of the form, in words.
async fn answer(
    desk: &Desk,
    payment: &Payment,
    outcome: AskRefundOutcome,
    typed: Typed,
    wanted: RefundAmount,
) -> Result<Response, Problem> {
    let news = |news: String| Typed { news: Some(news), ..Typed::default() };
    let (typed, status) = match outcome {
        AskRefundOutcome::Asked { request, .. } if is_as_wanted(&request, wanted) => {
            let page = format!("/admin/payments/{}?refund={}", payment.payment, request.key);
            return Ok(Redirect::to(&page).into_response());
        }
        AskRefundOutcome::Asked { request, .. } => {
            (news(format!("This form was sent before: {}", told(&request))), StatusCode::CONFLICT)
        }
        AskRefundOutcome::Overtaken { by } => {
            let what = match by {
                Some(request) => told(&request),
                None => "a refund was made in Stripe's Dashboard.".to_owned(),
            };
            (news(format!("Since this form was opened, {what}")), StatusCode::CONFLICT)
        }
        AskRefundOutcome::UnderWay { request } => (
            news(format!("An earlier refund is not decided yet: {}", told(&request))),
            StatusCode::CONFLICT,
        ),
        AskRefundOutcome::Refused(why) => {
            let why_words = sentence(&why.to_string());
            let about_amount = matches!(
                why,
                RefundRefusal::TooMuch { .. }
                    | RefundRefusal::NotPositive
                    | RefundRefusal::Currency { .. }
            );
            let typed = if about_amount {
                Typed { amount_error: Some(why_words), ..typed }
            } else {
                news(why_words)
            };
            (typed, StatusCode::UNPROCESSABLE_ENTITY)
        }
        AskRefundOutcome::NotSendable(error) => {
            let why = Some(sentence(&error.to_string()));
            (Typed { amount_error: why, ..typed }, StatusCode::UNPROCESSABLE_ENTITY)
        }
        AskRefundOutcome::TooMany => (
            news("There were too many refunds of this payment; use Stripe's Dashboard.".to_owned()),
            StatusCode::CONFLICT,
        ),
        AskRefundOutcome::Recovering => {
            let why = "The gateway was restored from a backup and is asking Stripe what happened \
                       since, refunds among it. Nothing was done; send this again in a few minutes.";
            (news(why.to_owned()), StatusCode::SERVICE_UNAVAILABLE)
        }
        AskRefundOutcome::Unknown => return Err(super::incomplete()),
    };
    show(desk, payment, typed, status).await
}

/// False if the same form asks for something else now: back, typed anew, sent again.
fn is_as_wanted(request: &RefundRequest, wanted: RefundAmount) -> bool {
    match wanted {
        RefundAmount::Full => true,
        RefundAmount::Part(part) => part == request.amount,
    }
}

fn told(request: &RefundRequest) -> String {
    let at = Moment::from_ms(request.asked_at_ms);
    format!(
        "{} asked for a refund of {} on {at}. Nothing more was done.",
        request.who, request.amount
    )
}
