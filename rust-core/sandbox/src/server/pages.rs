//! The pages of the payer: card form, the bank's question, receipt. Rendered here, without script.

use std::sync::Arc;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response, StatusCode};
use holdfast_stripe::objects::SessionStatus;

use super::Shared;
use super::forms::field;
use super::stripe_js::EMBEDDERS;
use crate::core::{
    Answered, CardFault, CardForm, ChallengeAnswer, HostedPage, PageLine, PayOutcome, Receipt,
    origin,
};

/// What the payer reads when the bank's question was not answered with yes.
const NOT_AUTHENTICATED: &str = "Your bank could not confirm that it is you. Please try again, or \
     use another card.";

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage<'a> {
    session: &'a str,
    business_name: &'a str,
    lines: &'a [PageLine],
    total: &'a str,
    cancel_url: Option<&'a str>,
    given_email: Option<&'a str>,
    typed_email: &'a str,
    typed_name: &'a str,
    message: Option<String>,
    fault: Option<Field>,
}

impl PayPage<'_> {
    fn marks(&self, field: &str) -> bool {
        self.fault.is_some_and(|fault| fault.name() == field)
    }

    /// What is wrong with a field, to stand beside it.
    fn trouble(&self, field: &str) -> Option<&str> {
        self.message.as_deref().filter(|_| self.marks(field))
    }
}

/// The form's field that is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Number,
    Expiry,
    Cvc,
    Name,
}

impl Field {
    fn of(fault: CardFault) -> Self {
        match fault {
            CardFault::Number | CardFault::NotATestCard => Self::Number,
            CardFault::Expiry | CardFault::Expired => Self::Expiry,
            CardFault::Cvc => Self::Cvc,
            CardFault::Name => Self::Name,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Expiry => "expiry",
            Self::Cvc => "cvc",
            Self::Name => "name",
        }
    }
}

#[derive(Template)]
#[template(path = "challenge.html")]
struct ChallengePage<'a> {
    session: &'a str,
    business_name: &'a str,
    total: &'a str,
}

#[derive(Template)]
#[template(path = "closed.html")]
struct ClosedPage<'a> {
    title: &'a str,
    message: &'a str,
    link: Option<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    receipt: Receipt,
}

pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Path(session): Path<String>,
) -> Response<Body> {
    let page = shared.with_core(|core, now_ms| core.hosted_page(&session, now_ms));
    page.map_or_else(missing, |page| card_page(&session, &page, &CardForm::default(), None))
}

pub(super) async fn pay(
    State(shared): State<Arc<Shared>>,
    Path(session): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let form = card_form(&body);
    let (outcome, page) = shared.with_core(|core, now_ms| {
        (core.pay_session(&session, &form, now_ms), core.hosted_page(&session, now_ms))
    });
    let Some(page) = page else { return missing() };
    after(&session, &page, &form, outcome)
}

pub(super) async fn show_challenge(
    State(shared): State<Arc<Shared>>,
    Path(session): Path<String>,
) -> Response<Body> {
    let page = shared.with_core(|core, now_ms| core.hosted_page(&session, now_ms));
    let Some(page) = page else { return missing() };
    if !page.challenged {
        return see_other(&format!("/c/pay/{session}"));
    }
    let challenge =
        ChallengePage { session: &session, business_name: &page.business_name, total: &page.total };
    html(StatusCode::OK, &challenge, Some(&page))
}

pub(super) async fn answer_challenge(
    State(shared): State<Arc<Shared>>,
    Path(session): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let confirmed = field(&body, "answer") == "complete";
    let answer = if confirmed { ChallengeAnswer::Complete } else { ChallengeAnswer::Fail };
    let (outcome, page) = shared.with_core(|core, now_ms| {
        (core.answer_challenge(&session, answer, now_ms), core.hosted_page(&session, now_ms))
    });
    let Some(page) = page else { return missing() };
    after(&session, &page, &CardForm::default(), outcome)
}

#[derive(Template)]
#[template(path = "authenticate.html")]
struct AskPage<'a> {
    business_name: &'a str,
    total: &'a str,
}

/// The bank's question about a PaymentIntent without a hosted page. It may stand in a frame of the
/// merchant's page.
pub(super) async fn ask(
    State(shared): State<Arc<Shared>>,
    Path(intent): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let secret = field(query.unwrap_or_default().as_bytes(), "s");
    let page = shared.with_core(|core, now_ms| core.authentication_page(&intent, &secret, now_ms));
    let Some(page) = page else { return missing() };
    let response = if page.waits {
        let ask = AskPage { business_name: &page.business_name, total: &page.total };
        html(StatusCode::OK, &ask, None)
    } else {
        answered()
    };
    embeddable(response, page.return_url.as_deref())
}

pub(super) async fn answer_bank(
    State(shared): State<Arc<Shared>>,
    Path(intent): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let secret = field(query.unwrap_or_default().as_bytes(), "s");
    let confirmed = field(&body, "answer") == "complete";
    let answer = if confirmed { ChallengeAnswer::Complete } else { ChallengeAnswer::Fail };
    let noted = shared.with_core(|core, now_ms| {
        core.authentication_page(&intent, &secret, now_ms)?;
        Some(core.answer_authentication(&intent, answer, now_ms))
    });
    match noted {
        None => missing(),
        Some(Answered::Noted { return_url: Some(url) }) => see_other(&url),
        Some(_) => embeddable(answered(), None),
    }
}

fn answered() -> Response<Body> {
    let closed = ClosedPage {
        title: "Your bank has your answer",
        message: "You can go back to the shop.",
        link: None,
    };
    html(StatusCode::OK, &closed, None)
}

/// Lets a page stand in a frame of a merchant's page, and its form lead back there.
fn embeddable(mut response: Response<Body>, return_url: Option<&str>) -> Response<Body> {
    let merchant = return_url.and_then(origin).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {merchant}; \
         base-uri 'none'; frame-ancestors {EMBEDDERS}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(super) async fn receipt(
    State(shared): State<Arc<Shared>>,
    Path(charge): Path<String>,
) -> Response<Body> {
    match shared.with_core(|core, _| core.receipt(&charge)) {
        Some(receipt) => html(StatusCode::OK, &ReceiptPage { receipt }, None),
        None => missing(),
    }
}

pub(super) async fn style() -> Response<Body> {
    let mut response = Response::new(Body::from(include_str!("../../templates/page.css")));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}

/// The page, or the way, that follows what the payer did.
fn after(session: &str, page: &HostedPage, form: &CardForm, outcome: PayOutcome) -> Response<Body> {
    let again = |message: String, fault| card_page(session, page, form, Some((message, fault)));
    match outcome {
        PayOutcome::Paid { redirect } | PayOutcome::AlreadyPaid { redirect } => {
            see_other(&redirect)
        }
        PayOutcome::Challenge => see_other(&format!("/c/confirm/{session}")),
        PayOutcome::Declined { message } => again(message.to_owned(), None),
        PayOutcome::NotAuthenticated => again(NOT_AUTHENTICATED.to_owned(), None),
        PayOutcome::Invalid(fault) => again(fault.to_string(), Some(Field::of(fault))),
        PayOutcome::Expired => card_page(session, page, form, None),
        PayOutcome::Missing => missing(),
    }
}

fn card_page(
    session: &str,
    page: &HostedPage,
    form: &CardForm,
    trouble: Option<(String, Option<Field>)>,
) -> Response<Body> {
    match page.status {
        SessionStatus::Open => {}
        SessionStatus::Complete => return already_paid(page),
        _ => return expired(page),
    }
    let status = match &trouble {
        None => StatusCode::OK,
        Some((_, None)) => StatusCode::PAYMENT_REQUIRED,
        Some((_, Some(_))) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let (message, fault) = trouble.map_or((None, None), |(text, field)| (Some(text), field));
    let pay = PayPage {
        session,
        business_name: &page.business_name,
        lines: &page.lines,
        total: &page.total,
        cancel_url: page.cancel_url.as_deref(),
        given_email: page.email.as_deref(),
        typed_email: &form.email,
        typed_name: &form.name,
        message,
        fault,
    };
    html(status, &pay, Some(page))
}

fn already_paid(page: &HostedPage) -> Response<Body> {
    let closed = ClosedPage {
        title: "Paid",
        message: "This payment is complete. Nothing more is charged.",
        link: Some((&page.success_address, "Continue")),
    };
    html(StatusCode::OK, &closed, Some(page))
}

fn expired(page: &HostedPage) -> Response<Body> {
    let closed = ClosedPage {
        title: "This page has expired",
        message: "Nothing was charged. Go back to start again.",
        link: page.cancel_url.as_deref().map(|url| (url, "Back")),
    };
    html(StatusCode::GONE, &closed, Some(page))
}

pub(super) fn missing() -> Response<Body> {
    let closed = ClosedPage {
        title: "There is no such page",
        message: "Check the address, or ask for a new link. Nothing was charged.",
        link: None,
    };
    html(StatusCode::NOT_FOUND, &closed, None)
}

fn card_form(body: &[u8]) -> CardForm {
    CardForm {
        number: field(body, "cardNumber"),
        expiry: field(body, "cardExpiry"),
        cvc: field(body, "cardCvc"),
        name: field(body, "billingName"),
        email: field(body, "email"),
    }
}

pub(super) fn see_other(address: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    match HeaderValue::from_str(address) {
        Ok(address) => {
            response.headers_mut().insert(LOCATION, address);
            response
        }
        Err(_) => missing(),
    }
}

pub(super) fn html(
    status: StatusCode,
    page: &impl Template,
    hosted: Option<&HostedPage>,
) -> Response<Body> {
    let Ok(text) = page.render() else {
        let mut response = Response::new(Body::from("The page could not be written."));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(policy) = HeaderValue::from_str(&security_policy(hosted)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// No script, nothing from elsewhere. Browsers apply `form-action` to the redirect that follows a
/// form as well, so the merchant's own origin must stand in it.
fn security_policy(hosted: Option<&HostedPage>) -> String {
    let merchant = hosted.and_then(|page| origin(&page.success_address)).unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {merchant}; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}
