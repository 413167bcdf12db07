//! The error object, as it stands in an answer or as a PaymentIntent's last error.

use serde::{Deserialize, Serialize};

use super::PaymentIntent;
use crate::open_enum::open_enum;

open_enum! {
    /// The four families of errors.
    pub enum ErrorType {
        ApiError = "api_error",
        CardError = "card_error",
        IdempotencyError = "idempotency_error",
        InvalidRequest = "invalid_request_error",
    }
}

open_enum! {
    /// The codes that this project acts on or the sandbox gives; Stripe has some two hundred.
    pub enum ErrorCode {
        AmountTooLarge = "amount_too_large",
        AmountTooSmall = "amount_too_small",
        ApiKeyExpired = "api_key_expired",
        CardDeclined = "card_declined",
        ChargeAlreadyRefunded = "charge_already_refunded",
        ChargeDisputed = "charge_disputed",
        ExpiredCard = "expired_card",
        IdempotencyKeyInUse = "idempotency_key_in_use",
        IncorrectCvc = "incorrect_cvc",
        IncorrectNumber = "incorrect_number",
        InvalidCvc = "invalid_cvc",
        InvalidExpiryMonth = "invalid_expiry_month",
        InvalidExpiryYear = "invalid_expiry_year",
        InvalidNumber = "invalid_number",
        LockTimeout = "lock_timeout",
        MoreThanOneParameter = "parameters_exclusive",
        ParameterInvalidEmpty = "parameter_invalid_empty",
        ParameterInvalidInteger = "parameter_invalid_integer",
        ParameterMissing = "parameter_missing",
        ParameterUnknown = "parameter_unknown",
        AuthenticationFailure = "payment_intent_authentication_failure",
        UnexpectedState = "payment_intent_unexpected_state",
        ProcessingError = "processing_error",
        RateLimit = "rate_limit",
        ResourceMissing = "resource_missing",
        SecretKeyRequired = "secret_key_required",
        UrlInvalid = "url_invalid",
    }
}

open_enum! {
    /// What Stripe advises after a decline.
    pub enum AdviceCode {
        ConfirmCardData = "confirm_card_data",
        DoNotTryAgain = "do_not_try_again",
        TryAgainLater = "try_again_later",
    }
}

/// What went wrong, in Stripe's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorObject {
    /// The family.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// The code, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The bank's reason, if a bank declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    /// What Stripe advises after a decline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice_code: Option<AdviceCode>,
    /// The parameter at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// A sentence for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where the code is explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
    /// The request in Stripe's Dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_log_url: Option<String>,
    /// The failed charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    /// The PaymentIntent that a refused call left behind: it can still be open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<Box<PaymentIntent>>,
}

impl ErrorObject {
    /// An error of this family with a message and nothing else.
    pub fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            decline_code: None,
            advice_code: None,
            param: None,
            message: Some(message.into()),
            doc_url: None,
            request_log_url: None,
            charge: None,
            payment_intent: None,
        }
    }
}

/// The body of an answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorObject,
}
