//! One payment, with its refunds.

use super::{Desk, Sheet};
use crate::cash::{self, Whereabouts};
use crate::http::error::Problem;
use crate::http::layers::about;
use crate::http::payer::standing;
use crate::pages::refunds::{CashView, PaymentPage, PaymentPart, RefundView};
use crate::pages::{Moment, sentence_for_office};
use crate::settings::sentence;
use crate::users::Role;
use crate::{payments, refunds};
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::refund::{self, RefundRefusal};
use holdfast_domain::{AttentionReason, Facts, Money, PaymentId, ProvisionalReceipt};
use holdfast_ledger::{
    Approve, ApproveOutcome, DecideLoss, LossOutcome, Payment, RefundRequest, RequestState, Store,
};
use serde::Deserialize;

/// What a redirect after a form carries.
#[derive(Deserialize)]
pub(in crate::http) struct After {
    /// The key of the form that was sent.
    refund: Option<String>,
}

pub(in crate::http) async fn page(
    Path(id): Path<String>,
    Query(after): Query<After>,
    desk: Desk,
) -> Result<Response, Problem> {
    let payment = find(&desk, &id).await?;
    let money = MoneyBack::of(&desk, &payment).await?;
    let officer = payments::officer_name(&desk.app.core, desk.slug(), payment.officer).await?;
    let asked = money.requests.iter().find(|it| Some(it.key.as_str()) == after.refund.as_deref());
    let held_at_ms = i64::try_from(payment.held_at_unix_s).ok().and_then(|s| s.checked_mul(1000));
    let page = PaymentPage {
        top: desk.top("payments").await?,
        payment: payment.payment.to_string(),
        revision: payment.revision,
        standing: money.part(&payment, desk.session.may(Role::Finance)).render()?,
        lines: payment.lines.iter().cloned().map(Into::into).collect(),
        facts: facts(&desk, &payment, &officer, money.cash.is_some()).await?,
        objects: refunds::objects(&desk.app.core, desk.slug(), payment.payment).await?,
        held_at: Moment::from_ms(held_at_ms.unwrap_or(payment.accepted_at_ms)),
        paid_at: payment.paid_at_ms.map(Moment::from_ms),
        loss: match desk.session.may(Role::Finance) {
            true => refunds::loss(&desk.app.core, desk.slug(), payment.payment).await?,
            false => None,
        },
        may_approve: payment.attention == Some(AttentionReason::AwaitsApproval)
            && desk.session.may(Role::Administrator),
        officer,
        asked: asked.map(|request| request.amount),
    };
    Ok(Html(page.render()?).into_response())
}

/// An administrator says what becomes of an order that was held on a revoked handheld.
pub(in crate::http) async fn approve(
    Path(id): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Administrator)?;
    let payment = find(desk, &id).await?;
    let is_genuine = match sheet.text("hold")? {
        "genuine" => true,
        "not_genuine" => false,
        _ => return Err(super::incomplete()),
    };
    let decision = Approve {
        tenant: payment.tenant.clone(),
        payment: payment.payment,
        is_genuine,
        who: desk.session.user.name.clone(),
    };
    match desk.app.core.store.run(decision).await? {
        ApproveOutcome::Decided { .. } => {
            Ok(Redirect::to(&format!("/admin/payments/{}", payment.payment)).into_response())
        }
        ApproveOutcome::NotWaiting { .. } | ApproveOutcome::Unknown => Err(Problem::new(
            StatusCode::CONFLICT,
            "Decided already",
            "This payment does not wait for an approval any more.",
            "Look at how it stands now.",
        )
        .leading_to("/admin/payments", "Payments")),
    }
}

/// Somebody of the finance role says what becomes of the charges of a payment that a bank took back.
pub(in crate::http) async fn decide_loss(
    Path(id): Path<String>,
    sheet: Sheet,
) -> Result<Response, Problem> {
    let desk = sheet.by(Role::Finance)?;
    let payment = find(desk, &id).await?;
    let decision = DecideLoss {
        tenant: payment.tenant.clone(),
        payment: payment.payment,
        owed_again: sheet.field("owed").is_some(),
        who: desk.session.user.name.clone(),
    };
    match desk.app.core.store.run(decision).await? {
        LossOutcome::Decided { .. } => {
            Ok(Redirect::to(&format!("/admin/payments/{}", payment.payment)).into_response())
        }
        LossOutcome::NothingLost | LossOutcome::Unknown => Err(Problem::new(
            StatusCode::CONFLICT,
            "Nothing to decide",
            "This payment settles nothing that a bank took back, or somebody has decided already. \
             Nothing was changed.",
            "Look at how it stands now.",
        )
        .leading_to("/admin/refunds", "Refunds")),
    }
}

async fn facts(
    desk: &Desk,
    payment: &Payment,
    officer: &str,
    is_cash: bool,
) -> Result<Vec<(&'static str, String)>, Problem> {
    let handheld = payments::handheld_name(&desk.app.core, desk.slug(), payment.device).await?;
    let receipt = payment.receipt_order_id.map(|id| id.to_string());
    let provisional = ProvisionalReceipt::of(payment.device, payment.sequence);
    let known = [
        ("Provisional receipt", if is_cash { provisional.to_string() } else { String::new() }),
        ("Receipt order ID", receipt.unwrap_or_else(|| "none yet".to_owned())),
        ("Officer", officer.to_owned()),
        ("Handheld", handheld),
        ("Payment type", payment.payment_type.to_string()),
        ("Mode", payment.mode.to_string()),
        ("Stripe account", payment.pin.account.clone()),
        ("Payment ID", payment.payment.to_string()),
    ];
    Ok(known.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

/// A payment of the desk's own tenant.
pub(in crate::http) async fn find(desk: &Desk, id: &str) -> Result<Payment, Problem> {
    let unknown = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No such payment",
            "There is no payment with this ID here.",
            "Go back to the list and choose one.",
        )
        .leading_to("/admin/payments", "Payments")
    };
    let id = PaymentId::parse(id).map_err(|_| unknown())?;
    about(id);
    payments::payment(&desk.app.core, desk.slug(), id).await?.ok_or_else(unknown)
}

/// What is known about a payment's money.
pub(in crate::http) struct MoneyBack {
    pub(super) requests: Vec<RefundRequest>,
    pub(super) facts: Facts,
    /// Where the cash is, if it is in cash: it goes back by hand, not by a refund.
    cash: Option<Whereabouts>,
}

impl MoneyBack {
    pub(super) async fn of(desk: &Desk, payment: &Payment) -> Result<Self, Problem> {
        Ok(Self::read(&desk.app.core, payment).await?)
    }

    pub(in crate::http) async fn read(
        core: &crate::core::Core,
        payment: &Payment,
    ) -> Result<Self, crate::store::StoreError> {
        Ok(Self {
            requests: refunds::requests(core, &payment.tenant, payment.payment).await?,
            facts: refunds::facts(core, &payment.tenant, payment.payment).await?,
            cash: cash::whereabouts(core, payment).await?,
        })
    }

    /// The request of which nobody knows yet what became of it.
    pub(super) fn undecided(&self) -> Option<&RefundRequest> {
        self.requests.iter().find(|it| it.state == RequestState::Frozen)
    }

    /// What can still go back, or why nothing can, in words.
    pub(super) fn left(&self) -> Result<Money, String> {
        if self.cash.is_some() {
            return Err("Cash goes back by hand: give it to the payer and void the payment.".into());
        }
        if let Some(request) = self.undecided() {
            return Err(format!("A refund of {} is being sent to Stripe.", request.amount));
        }
        let left = refund::left(&self.facts, &[]).map_err(|why| sentence(&why.to_string()))?;
        Ok(left.amount)
    }

    /// Whether money came by card; before that, refunds are not worth a word.
    fn came_by_card(&self) -> bool {
        self.cash.is_none() && refund::left(&self.facts, &[]) != Err(RefundRefusal::NothingReceived)
    }

    fn views(&self) -> Vec<RefundView> {
        let status = |it: &RefundRequest| {
            it.refund.as_deref().and_then(|object| self.facts.refund_status(object))
        };
        let ours =
            |object: &str| self.requests.iter().any(|it| it.refund.as_deref() == Some(object));
        let requests = self.requests.iter().map(|it| RefundView::of_request(it, status(it)));
        let known = self.facts.refunds();
        let others = known.into_iter().filter(|(object, ..)| !ours(object));
        requests
            .chain(others.map(|(id, how, amount)| RefundView::made_elsewhere(id, how, amount)))
            .collect()
    }

    /// The part of the page that changes.
    pub(in crate::http) fn part(&self, payment: &Payment, may_refund: bool) -> PaymentPart {
        PaymentPart {
            payment: payment.payment.to_string(),
            state: payment.state.into(),
            sentence: sentence_for_office(&standing(payment)),
            amount: payment.total,
            refunds: self.views(),
            refundable: (may_refund && self.came_by_card()).then(|| self.left()),
            cash: self.cash.map(|at| CashView { at, may_void: may_refund }),
        }
    }
}
