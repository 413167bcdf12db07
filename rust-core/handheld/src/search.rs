//! Looking for what is owed: what a screen shows of it, and why there is no answer.

use crate::view::MoneyView;
use holdfast_domain::ChargeState;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCharges {
    /// A screen or two, the latest first.
    pub charges: Vec<ChargeView>,
    /// True if there are more: more letters find fewer.
    pub more: bool,
}

/// A charge that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeView {
    /// Such as `N-2041`; with it the charge goes into a cart.
    pub reference: String,
    /// What officer and payer read on the line.
    pub name: String,
    /// What is owed.
    pub amount: MoneyView,
    /// Empty if none is known.
    pub plate: String,
    /// Name of the payer; empty if none is known.
    pub payer: String,
    /// `YYYY-MM-DD`; empty if it is due at once.
    pub due_on: String,
    /// Whether it can be paid. The officer is told before anybody pays.
    pub state: ChargeState,
}

/// Why nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// This handheld belongs to no gateway yet.
    #[error("enrol this handheld first")]
    NotEnrolled,
    /// An administrator has not approved it yet.
    #[error("an administrator has to approve this handheld first")]
    NotApproved,
    /// Too few letters: the answer would be everybody.
    #[error("type at least {min} letters or digits")]
    TooShort {
        /// Letters at the least.
        min: u32,
    },
    /// No gateway answered.
    #[error("no gateway answered; a search needs a network")]
    Offline,
    /// Something answered that is not the gateway.
    #[error("the certificate is not the gateway's")]
    CertificateUntrusted,
    /// The device key did not sign.
    #[error("the device key is not available")]
    DeviceKeyUnavailable,
    /// The gateway said no.
    #[error("{sentence}")]
    Refused {
        /// The gateway's sentence, in its language.
        sentence: String,
    },
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}
