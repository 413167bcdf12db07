//! The payer's pages. Looking changes nothing; only *Pay* does.

use super::error::{ApiError, Problem, status};
use super::handheld::refused_order;
use super::layers::{FormTargets, about};
use super::pay::{Way, recovering, way_to_pay};
use super::{App, HostOwner, Peer, log_failure};
use crate::core::Tenant;
use crate::deliveries::repairs;
use crate::pages::payer::{
    NextStep, OrderPage, PaymentPage, ReceiptView, SignedView, StandingPart,
};
use crate::pages::{LineView, Moment, sentence_for_payer};
use crate::{credentials, handhelds, payments};
use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use holdfast_domain::{Mode, PaymentId, PaymentState, Standing};
use holdfast_ledger::observe::may_change_by_itself;
use holdfast_ledger::work::look;
use holdfast_ledger::{Accept, AcceptOutcome, Carrier, Payment, Source, Store};
use holdfast_protocol::confirm::confirm_code;
use holdfast_protocol::pay_address::{host_in_words, order_bytes};
use holdfast_protocol::wire::ErrorCode;
use holdfast_protocol::{OrderError, SignedOrder};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// How long a returning payer waits for Stripe's word before the page shows what is known.
const RETURN_WAIT: Duration = Duration::from_secs(10);
/// Where Stripe's page may be, for the rule about where forms lead.
const STRIPE_PAGES: &str = "https:";
/// The same for a stand-in on this machine.
const STAND_IN_PAGES: &str = "https: http://127.0.0.1:* http://localhost:*";

/// While another payment holds a charge of this one.
const HELD_UP: &str = "Another payment for the same charge is under way. Do not pay twice: this page \
                       changes by itself when that one ends.";

/// GET on a pay address: what would be paid.
pub(super) async fn order(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(base32): Path<String>,
) -> Result<Response, Problem> {
    let accept = read_order(&base32, &owner)?;
    match app.core.store.preview(&accept).await? {
        AcceptOutcome::Accepted { payment, new } => order_page(&app, &payment, new, &base32).await,
        AcceptOutcome::Refused { code, message } => Err(refused(code, message)),
    }
}

/// POST *Pay* on a pay address: the order is taken if it was not seen before, and the card page
/// opens.
pub(super) async fn pay_order(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(base32): Path<String>,
) -> Result<Response, Problem> {
    let accept = read_order(&base32, &owner)?;
    match app.core.store.run(accept).await? {
        AcceptOutcome::Accepted { payment, new } => {
            tracing::info!(new, "order brought by its payer");
            go(&app, &payment).await
        }
        AcceptOutcome::Refused { code, message } => Err(refused(code, message)),
    }
}

/// POST *Pay* on the payment's own page.
pub(super) async fn pay_again(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let payment = find(&app, &owner, &id).await?;
    go(&app, &payment).await
}

async fn go(app: &App, payment: &Payment) -> Result<Response, Problem> {
    Ok(match way_to_pay(app, payment).await? {
        Way::Stripe(url) => Redirect::to(&url).into_response(),
        Way::Payment => Redirect::to(&format!("/pay/{}", payment.payment)).into_response(),
    })
}

fn read_order(base32: &str, owner: &HostOwner) -> Result<Accept, Problem> {
    let order = order_bytes(base32).ok_or(OrderError::Malformed);
    let order = order.and_then(|bytes| SignedOrder::parse(&bytes));
    let order = order.map_err(|error| {
        let ApiError { code, message, .. } = refused_order(error);
        refused(code, message)
    })?;
    about(order.payload().payment);
    let tenant = order.payload().tenant.clone();
    if !owner.serves(&tenant) {
        let message =
            "This order belongs to another organisation. Use the address it was made for.";
        return Err(refused(ErrorCode::WrongTenant, message.to_owned()));
    }
    Ok(Accept { order, tenant, carrier: Carrier::Payer })
}

fn refused(code: ErrorCode, message: String) -> Problem {
    if code == ErrorCode::Unavailable {
        return recovering();
    }
    Problem::new(status(code), "This cannot be paid", message, "Nothing was charged.")
}

async fn order_page(
    app: &App,
    payment: &Payment,
    new: bool,
    base32: &str,
) -> Result<Response, Problem> {
    let tenant = tenant_of(app, payment).await?;
    let next = if is_payable(app, payment) {
        NextStep::Pay { action: format!("/o/{base32}/pay") }
    } else if new {
        NextStep::None
    } else {
        NextStep::Follow { address: format!("/pay/{}", payment.payment) }
    };
    let page = OrderPage {
        organisation: tenant.name,
        host: host_in_words(app.public_url.as_str()),
        is_test: payment.mode == Mode::Test,
        lines: payment.lines.iter().cloned().map(LineView::from).collect(),
        total: payment.total,
        state: payment.state.into(),
        sentence: sentence(payment),
        next,
    };
    with_pay_button(app, payment, page.render()?).await
}

/// GET on a payment's own page.
pub(super) async fn payment(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let payment = find(&app, &owner, &id).await?;
    let tenant = tenant_of(&app, &payment).await?;
    let address = format!("/pay/{}", payment.payment);
    let page = PaymentPage {
        organisation: tenant.name,
        host: host_in_words(app.public_url.as_str()),
        is_test: payment.mode == Mode::Test,
        lines: payment.lines.iter().cloned().map(LineView::from).collect(),
        standing: standing_part(&app, &payment).await?,
        revision: payment.revision,
        live: format!("{address}/live"),
        refresh: address,
    };
    with_pay_button(&app, &payment, page.render()?).await
}

/// The payer is back from Stripe's page, which proves nothing: Stripe is asked.
pub(super) async fn returned(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    Query(back): Query<Returned>,
) -> Result<Response, Problem> {
    let payment = find(&app, &owner, &id).await?;
    let attempts = payments::attempts(&app.core, &payment.tenant, payment.payment).await?;
    let ours = attempts.iter().any(|it| it.session.is_some() && it.session == back.session_id);
    let admitted = app.return_limit.admit(peer.0.ip(), app.core.now_ms());
    if ours && admitted && may_change_by_itself(&payment, &attempts) {
        match tokio::time::timeout(RETURN_WAIT, ask_stripe(&app, &payment)).await {
            Ok(Ok(())) => {}
            // The job that asks Stripe is still there; the page follows by itself.
            Ok(Err(error)) => log_failure(error.as_ref()),
            Err(_) => tracing::warn!(payment = %payment.payment, "Stripe is slow to confirm"),
        }
    }
    Ok(Redirect::to(&format!("/pay/{}", payment.payment)).into_response())
}

async fn ask_stripe(
    app: &App,
    payment: &Payment,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let keys = app.clients.of(&app.core, payment).await?;
    let after = look(app.core.as_ref(), &keys, payment, Source::Redirect).await?;
    repairs::note(&app.core, payment.state, &after, Source::Redirect).await?;
    Ok(())
}

/// What Stripe's redirect carries.
#[derive(Deserialize)]
pub(super) struct Returned {
    session_id: Option<String>,
}

/// Somebody opened an enrolment link in a browser.
pub(super) async fn enrolment_link() -> Problem {
    Problem::new(
        StatusCode::OK,
        "Open this with the handheld",
        "This link enrols a handheld. A browser can do nothing with it.",
        "Start Holdfast on the handheld and scan the code there, or type the code.",
    )
}

/// The payment of an address, if it is served under this host.
pub(super) async fn find(app: &App, owner: &HostOwner, id: &str) -> Result<Payment, Problem> {
    let unknown = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No such payment",
            "There is no payment at this address.",
            "Check the address, or scan the code again.",
        )
    };
    let id = PaymentId::parse(id).map_err(|_| unknown())?;
    about(id);
    let found = payments::payment_by_id(&app.core, owner.tenant(), id).await?;
    found.ok_or_else(unknown)
}

/// The part of a payment's page that changes.
pub(super) async fn standing_part(app: &App, payment: &Payment) -> Result<String, Problem> {
    let part = StandingPart {
        state: payment.state.into(),
        amount: payment.total,
        sentence: sentence(payment),
        receipt: receipt(app, payment).await?,
        pay_again: is_payable(app, payment).then(|| format!("/pay/{}/pay", payment.payment)),
    };
    Ok(part.render()?)
}

async fn receipt(app: &App, payment: &Payment) -> Result<Option<ReceiptView>, Problem> {
    let (Some(receipt), Some(paid_at_ms)) = (payment.receipt_order_id, payment.paid_at_ms) else {
        return Ok(None);
    };
    // The code says "paid": while a person has to look, it would say too much.
    let confirm_code = if payment.state.has_been_paid() {
        let secret = handhelds::confirm_secret(&app.core, &payment.tenant, payment.device).await?;
        secret.map(|secret| confirm_code(&secret, payment.payment, payment.total).to_string())
    } else {
        None
    };
    Ok(Some(ReceiptView {
        receipt_order_id: receipt.to_string(),
        signed: super::receipt::address(app, payment).map(|address| SignedView {
            picture: format!("/pay/{}/receipt.svg", payment.payment),
            address,
        }),
        confirm_code,
        paid_at: Moment::from_ms(paid_at_ms),
    }))
}

pub(super) fn standing(payment: &Payment) -> Standing {
    Standing {
        state: payment.state,
        decline: payment.decline,
        attention: payment.attention,
        money_arrived: payment.receipt_order_id.is_some(),
        money_is_back: payment.state == PaymentState::Refunded,
    }
}

fn is_payable(app: &App, payment: &Payment) -> bool {
    payment.state.can_be_paid()
        && payment.held_up.is_none()
        && payment.lifetime_ends_at_ms > app.core.now_ms()
}

/// What the payer reads under the state.
fn sentence(payment: &Payment) -> Option<&'static str> {
    let held_up = payment.held_up.is_some() && payment.state.can_be_paid();
    if held_up { Some(HELD_UP) } else { sentence_for_payer(&standing(payment)) }
}

async fn tenant_of(app: &App, payment: &Payment) -> Result<Tenant, Problem> {
    app.core.tenant(&payment.tenant).await?.ok_or_else(Problem::unavailable)
}

/// A page whose *Pay* button may lead to Stripe.
async fn with_pay_button(app: &App, payment: &Payment, html: String) -> Result<Response, Problem> {
    let base = credentials::api_base(&app.core, payment, payment.pin.generation).await?;
    let live_stand_in = payment.mode == Mode::Live && app.world.live_stand_in().is_some();
    let stand_in = live_stand_in || base.is_some_and(|base| base.starts_with("http://"));
    let targets = if stand_in { STAND_IN_PAGES } else { STRIPE_PAGES };
    let mut response = Html(html).into_response();
    response.extensions_mut().insert(FormTargets(targets));
    Ok(response)
}
