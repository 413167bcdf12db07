//! Refusals as the two kinds of clients read them: JSON under `/api`, a page everywhere else.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_protocol::wire::{ErrorBody, ErrorCode};
use serde::Serialize;
use serde_json::{Map, Value};

/// A refusal under `/api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    /// What the code means, unless HTTP has a word that says it better.
    pub(crate) status: StatusCode,
    /// What happened and what to do next.
    pub(crate) message: String,
    /// With [`ErrorCode::ClockWrong`]: the gateway's clock.
    pub(crate) gateway_time_unix_s: Option<u64>,
    /// With [`ErrorCode::DeviceRevoked`]: the ledger's epoch.
    pub(crate) epoch: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            status: status(code),
            message: message.into(),
            gateway_time_unix_s: None,
            epoch: None,
        }
    }

    /// A body that could not be read: 413, 415 or 408 say why, and the code what to do.
    pub(crate) fn of_body(refused: StatusCode) -> Self {
        let (code, _, what, todo) = of_status(refused);
        Self { status: refused, ..Self::new(code, format!("{what} {todo}")) }
    }

    /// Something of ours failed; the log says what.
    pub(crate) fn unavailable() -> Self {
        Self::new(
            ErrorCode::Unavailable,
            "The gateway cannot do this just now. Try again in a minute; nothing was changed.",
        )
    }

    /// What cannot be kept is not taken. Handhelds and Stripe send again by themselves.
    pub(crate) fn no_room() -> Self {
        Self::new(
            ErrorCode::Unavailable,
            "The gateway's disk is nearly full, so it takes nothing new. Nothing was changed; send \
             this again when the operator has made room.",
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing at this address. Check it.")
    }
}

/// The HTTP status of a code. The codes are the contract; the status tells proxies and people.
pub(crate) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Malformed | ErrorCode::UnknownVersion => StatusCode::BAD_REQUEST,
        ErrorCode::SignatureWrong
        | ErrorCode::ClockWrong
        | ErrorCode::Unauthorized
        | ErrorCode::CodeWrong => StatusCode::UNAUTHORIZED,
        ErrorCode::UnknownDevice | ErrorCode::DeviceRevoked | ErrorCode::DeviceNotApproved => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::WrongGateway
        | ErrorCode::WrongTenant
        | ErrorCode::UnknownPaymentType
        | ErrorCode::ModeDiffers
        | ErrorCode::UnknownCatalogue
        | ErrorCode::LinesRefused
        | ErrorCode::TotalDiffers
        | ErrorCode::AmountRefused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::LifetimeOver | ErrorCode::Withdrawn => StatusCode::GONE,
        ErrorCode::PaymentConflict | ErrorCode::SequenceReused | ErrorCode::VoidRefused => {
            StatusCode::CONFLICT
        }
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::PaymentTypeNotReady | ErrorCode::Unavailable | ErrorCode::Unknown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status;
        let body = ErrorBody {
            code: self.code,
            message: self.message,
            gateway_time_unix_s: self.gateway_time_unix_s,
            epoch: self.epoch,
        };
        let mut response = told(status, &body);
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response
    }
}

/// The JSON of a refusal, to which [`super::layers`] adds the request's ID.
#[derive(Debug, Clone)]
pub(crate) struct Told(pub(crate) Map<String, Value>);

/// A refusal as a program reads it.
pub(crate) fn told(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(Value::Object(fields)) = serde_json::to_value(body) {
        response.extensions_mut().insert(Told(fields));
    }
    response.extensions_mut().insert(Dressed);
    response
}

/// Marks an error answer that already says what happened and what to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dressed;

/// A refusal as a page. It is rendered by [`super::layers`], which knows the request's ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) heading: &'static str,
    pub(crate) what: String,
    pub(crate) todo: String,
    /// Where to go next, and the words of the button.
    pub(crate) next: Option<(&'static str, &'static str)>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        heading: &'static str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self { status, heading, what: what.into(), todo: todo.into(), next: None }
    }

    /// A form that could not be read. One that misses fields is told apart from one that is too
    /// large, or is none.
    pub(crate) fn of_body(refused: StatusCode) -> Self {
        let status = match refused {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            other => other,
        };
        let (_, heading, what, todo) = of_status(status);
        Self::new(status, heading, format!("{what} Nothing was changed."), todo)
    }

    /// The same with a way out.
    pub(crate) fn leading_to(self, address: &'static str, words: &'static str) -> Self {
        Self { next: Some((address, words)), ..self }
    }

    /// Something of ours failed; the log says what.
    pub(crate) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not just now",
            "The gateway could not do this. Nothing was changed and nothing was charged.",
            "Try again in a minute.",
        )
    }
}

impl Problem {
    /// What cannot be kept is not taken.
    pub(crate) fn no_room() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "No room left",
            "The gateway's disk is nearly full, so it takes nothing new. Nothing was changed and \
             nothing was charged.",
            "Tell the operator to make room, then try again.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What a bare status means: for answers that a library made, such as 404 or 413.
pub(crate) fn of_status(
    status: StatusCode,
) -> (ErrorCode, &'static str, &'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => (
            ErrorCode::NotFound,
            "Nothing here",
            "There is nothing at this address.",
            "Check the address, or scan the code again.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            ErrorCode::NotFound,
            "Not this way",
            "This address does not take this kind of request.",
            "Go back and use the page's own buttons.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            ErrorCode::TooLarge,
            "Too large",
            "The request is larger than this address takes.",
            "Send less.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            ErrorCode::Malformed,
            "Not this kind",
            "The request is of a content type that this address does not take.",
            "Send it as the page or the handheld does.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            ErrorCode::Unavailable,
            "Too slow",
            "The request did not arrive in time.",
            "Try again with a better connection.",
        ),
        StatusCode::MISDIRECTED_REQUEST => (
            ErrorCode::NotFound,
            "Wrong address",
            "This gateway does not answer under this host name.",
            "Use the gateway's own address. An operator registers a host name with --host.",
        ),
        status if status.is_server_error() => (
            ErrorCode::Unavailable,
            "Not just now",
            "The gateway could not do this.",
            "Try again in a minute.",
        ),
        _ => (
            ErrorCode::Malformed,
            "Not understood",
            "The request is not what this address takes.",
            "Go back and try again.",
        ),
    }
}
