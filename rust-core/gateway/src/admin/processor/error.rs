//! Why nothing was set. Each refusal names the option or the variable to change, and repeats no key.

use crate::admin::tenant::NotAName;
use crate::core::{FolderError, UnknownTenant};
use crate::store::StoreError;
use crate::webhook_secrets::NO_ROOM;
use holdfast_domain::{Currency, Mode, PaymentTypeCode};
use holdfast_stripe::{ConfigError, KeyError};

/// Why nothing was set. Each names the field to change.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {
    /// A key is missing or is not that kind of key.
    #[error("{field}: {source}")]
    Key {
        /// The environment variable.
        field: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A key of one mode was given for the other.
    #[error(
        "{field} is a {found} key and --mode is {wanted}; give the {wanted} key, or --mode {found}"
    )]
    Mode {
        /// The environment variable.
        field: &'static str,
        /// What the key says.
        found: Mode,
        /// What the command said.
        wanted: Mode,
    },
    /// A key of the wrong kind stands in a field.
    #[error("{field} holds a {found}; {todo}")]
    Kind {
        /// The environment variable.
        field: &'static str,
        /// What it is.
        found: &'static str,
        /// What to do.
        todo: &'static str,
    },
    /// The two keys name two accounts in themselves.
    #[error(
        "STRIPE_PUBLISHABLE_KEY is of another Stripe account than STRIPE_SECRET_KEY; copy both from the \
         API keys page of one account"
    )]
    PublishableOfAnother,
    /// The secret key may not be sent to that address.
    #[error("--api-base: {0}")]
    ApiBase(#[from] ConfigError),
    /// The currency is none, or none of Stripe's.
    #[error("--currency: {0}")]
    Currency(String),
    /// The payment type has another currency already.
    #[error(
        "--currency: {code} takes {current} and has payments or prices in it; make another payment \
         type with its own --code for {wanted}"
    )]
    CurrencyFixed {
        /// The payment type.
        code: PaymentTypeCode,
        /// What it takes.
        current: Currency,
        /// What was asked for.
        wanted: Currency,
    },
    /// The webhook's ID is none.
    #[error(
        "--webhook-id: a destination ID begins with we_ or ed_; copy it from Stripe's Webhooks page"
    )]
    WebhookId,
    /// There is no room for another webhook secret.
    #[error("STRIPE_WEBHOOK_SECRET: {NO_ROOM}")]
    SecretsFull,
    /// Another account still has payments to follow or to give back.
    #[error(
        "STRIPE_SECRET_KEY is of the account {new}, and {payments} payments of {code} in {account} are \
         not finished or could still be refunded; give a key of {account}, or make another payment \
         type with its own --code"
    )]
    AccountInUse {
        /// The payment type.
        code: PaymentTypeCode,
        /// Whose key was given.
        new: String,
        /// Whose payments there are.
        account: String,
        /// How many.
        payments: i64,
    },
    /// The name cannot be shown.
    #[error("--name: {0}")]
    Name(#[from] NotAName),
    /// There is no such tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownTenant),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for ProcessorError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}
