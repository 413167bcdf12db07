//! Refusals in Stripe's shape and, where clients read them, in Stripe's words.

use std::sync::Arc;

use holdfast_stripe::objects::{AdviceCode, ErrorCode, ErrorObject, ErrorType};

use super::cards::{CardFault, Decline};
use super::model::Intent;

/// A refusal: status, error object, and whether an idempotency key keeps it.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) object: Box<ErrorObject>,
    /// Stripe stores an answer only once the call began to execute; a request that failed
    /// validation may be repaired and sent again under the same key.
    pub(super) stored: bool,
    /// The PaymentIntent that the refusal leaves behind.
    pub(super) intent: Option<Arc<Intent>>,
    /// What `Stripe-Should-Retry` says; without it clients go by the status.
    pub(super) should_retry: Option<bool>,
}

impl ApiError {
    fn new(status: u16, kind: ErrorType, message: impl Into<String>) -> Self {
        let object = Box::new(ErrorObject::new(kind, message));
        Self { status, object, stored: false, intent: None, should_retry: Some(false) }
    }

    /// A request that cannot be right.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, ErrorType::InvalidRequest, message)
    }

    pub(super) fn with_param(mut self, param: impl Into<String>) -> Self {
        self.object.param = Some(param.into());
        self
    }

    pub(super) fn with_code(mut self, code: ErrorCode) -> Self {
        let page = code.as_str().replace('_', "-");
        self.object.doc_url = Some(format!("https://stripe.com/docs/error-codes/{page}"));
        self.object.code = Some(code);
        self
    }

    pub(super) fn with_intent(mut self, intent: Arc<Intent>) -> Self {
        self.intent = Some(intent);
        self
    }

    /// The call ran and refused: its key keeps this answer.
    pub(super) fn executed(mut self) -> Self {
        self.stored = true;
        self
    }

    pub(super) fn missing_param(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}."))
            .with_code(ErrorCode::ParameterMissing)
            .with_param(param)
    }

    pub(super) fn unknown_params(params: &[String]) -> Self {
        let noun = if params.len() > 1 { "parameters" } else { "parameter" };
        Self::invalid(format!("Received unknown {noun}: {}", params.join(", ")))
            .with_code(ErrorCode::ParameterUnknown)
            .with_param(params.first().cloned().unwrap_or_default())
    }

    /// A parameter that Stripe has and the sandbox does not play.
    pub(super) fn not_simulated(what: &str) -> Self {
        Self::invalid(format!(
            "The sandbox does not simulate {what}. Leave it out, or use Stripe's own test mode."
        ))
        .with_param(what)
    }

    pub(super) fn empty(param: &str) -> Self {
        Self::invalid(format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to \
             unset a parameter; however '{param}' cannot be unset. You should remove '{param}' \
             from your request or supply a non-empty value."
        ))
        .with_code(ErrorCode::ParameterInvalidEmpty)
        .with_param(param)
    }

    pub(super) fn not_an_integer(param: &str, value: &str) -> Self {
        let shown: String = value.chars().take(40).collect();
        Self::invalid(format!("Invalid integer: {shown}"))
            .with_code(ErrorCode::ParameterInvalidInteger)
            .with_param(param)
    }

    pub(super) fn no_such(object: &str, id: &str, param: &str) -> Self {
        let shown: String = id.chars().take(80).collect();
        Self { status: 404, ..Self::invalid(format!("No such {object}: '{shown}'")) }
            .with_code(ErrorCode::ResourceMissing)
            .with_param(param)
            .executed()
    }

    /// A parameter names an object that is not there.
    pub(super) fn no_such_reference(object: &str, id: &str, param: &str) -> Self {
        Self { status: 400, ..Self::no_such(object, id, param) }
    }

    pub(super) fn exclusive(params: &str) -> Self {
        let message = format!("You may only specify one of these parameters: {params}.");
        Self::invalid(message).with_code(ErrorCode::MoreThanOneParameter)
    }

    /// The bank said no.
    pub(super) fn declined(decline: &Decline, charge: Option<String>) -> Self {
        let refused = Self { status: 402, ..Self::new(402, ErrorType::CardError, decline.message) };
        let mut error = refused.with_code(ErrorCode::from(decline.code)).executed();
        error.object.decline_code = decline.decline_code.map(str::to_owned);
        error.object.advice_code = decline.advice_code.map(AdviceCode::from);
        error.object.param = decline.param.map(str::to_owned);
        error.object.charge = charge;
        error
    }

    /// A card as somebody typed it is wrong; no bank was asked.
    pub(super) fn card_fault(fault: CardFault) -> Self {
        let (code, param) = match fault {
            CardFault::Number => ("incorrect_number", "number"),
            CardFault::NotATestCard => ("card_declined", "number"),
            CardFault::Expiry => ("invalid_expiry_month", "exp_month"),
            CardFault::Expired => ("invalid_expiry_year", "exp_year"),
            CardFault::Cvc => ("invalid_cvc", "cvc"),
            CardFault::Name => ("incomplete_name", "name"),
        };
        let error = Self::new(402, ErrorType::CardError, fault.to_string());
        error.with_code(ErrorCode::from(code)).with_param(param)
    }

    pub(super) fn no_method() -> Self {
        Self::invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can \
             either update the PaymentIntent with a payment method and then confirm it again, or \
             confirm it again directly with a payment method or ConfirmationToken.",
        )
        .with_code(ErrorCode::UnexpectedState)
    }

    pub(super) fn missing_permission(masked: &str, account: &str, permission: &str) -> Self {
        let message = format!(
            "The provided key '{masked}' does not have the required permissions for this endpoint \
             on account '{account}'. Having the '{permission}' permission would allow this request \
             to continue."
        );
        Self { status: 403, ..Self::invalid(message) }
    }

    pub(super) fn unrecognised_url(method: &str, path: &str) -> Self {
        let shown: String = path.chars().take(200).collect();
        let message = format!(
            "Unrecognized request URL ({method}: {shown}). Please see https://stripe.com/docs or \
             we can help at https://support.stripe.com/."
        );
        Self { status: 404, ..Self::invalid(message) }
    }

    pub(super) fn too_large() -> Self {
        Self { status: 413, ..Self::invalid("The request body is too long.") }
    }

    pub(super) fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the \
             Authorization header, using Bearer auth (e.g. 'Authorization: Bearer \
             YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we \
             can help at https://support.stripe.com/.";
        Self { status: 401, ..Self::invalid(message) }
    }

    pub(super) fn invalid_key(masked: &str) -> Self {
        Self { status: 401, ..Self::invalid(format!("Invalid API Key provided: {masked}")) }
    }

    pub(super) fn publishable_key() -> Self {
        let message = "This API call cannot be made with a publishable API key. Please use a \
             secret API key. You can find a list of your API keys at \
             https://dashboard.stripe.com/account/apikeys.";
        Self { status: 401, ..Self::invalid(message) }.with_code(ErrorCode::SecretKeyRequired)
    }

    pub(super) fn key_in_flight(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotency Key (that \
             probably means you submitted twice, and the other request is still going through): \
             {key}. Please try again later."
        );
        let refused = Self { status: 409, should_retry: Some(true), ..Self::invalid(message) };
        refused.with_code(ErrorCode::IdempotencyKeyInUse)
    }

    /// Another request works on the same object.
    pub(super) fn conflict() -> Self {
        let message = "This object cannot be accessed right now because another API request or \
             Stripe process is currently accessing it. If you see this error intermittently, retry \
             the request.";
        let refused = Self { status: 409, should_retry: Some(true), ..Self::invalid(message) };
        refused.with_code(ErrorCode::LockTimeout)
    }

    pub(super) fn rate_limited() -> Self {
        let message = "Request rate limit exceeded. Learn more about rate limits here \
             https://stripe.com/docs/rate-limits.";
        let refused = Self { status: 429, should_retry: None, ..Self::invalid(message) };
        refused.with_code(ErrorCode::RateLimit)
    }

    pub(super) fn server_error() -> Self {
        let message = "An unknown error occurred. (The sandbox was asked to fail.)";
        Self { should_retry: None, ..Self::new(500, ErrorType::ApiError, message) }
    }

    pub(super) fn unavailable() -> Self {
        let message = "Stripe is temporarily unavailable. (The sandbox was asked to fail.)";
        Self { should_retry: None, ..Self::new(503, ErrorType::ApiError, message) }
    }

    pub(super) fn key_reused(message: String) -> Self {
        Self::new(400, ErrorType::IdempotencyError, message)
    }
}
