//! Looking for charges, declared a second time for Kotlin.

use holdfast_domain::ChargeState;
use holdfast_handheld::{ChargeView, FoundCharges, MoneyView, SearchError};

/// What a search found.
#[uniffi::remote(Record)]
pub struct FoundCharges {
    /// A screen or two, the latest first.
    pub charges: Vec<ChargeView>,
    /// True if there are more: more letters find fewer.
    pub more: bool,
}

/// A charge that was found.
#[uniffi::remote(Record)]
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

/// Whether a charge can be paid.
#[uniffi::remote(Enum)]
pub enum ChargeState {
    /// Owed, and nobody is paying it.
    Open,
    /// Owed, and a payment holds it: whoever holds for it now has to wait for that one.
    BeingPaid,
    /// A payment settled it.
    Settled,
    /// Not owed any more.
    Withdrawn,
}

/// Why nothing was searched.
#[uniffi::remote(Error)]
pub enum SearchError {
    /// This handheld belongs to no gateway yet.
    NotEnrolled,
    /// An administrator has not approved it yet.
    NotApproved,
    /// Too few letters: the answer would be everybody.
    TooShort {
        /// Letters at the least.
        min: u32,
    },
    /// No gateway answered.
    Offline,
    /// Something answered that is not the gateway.
    CertificateUntrusted,
    /// The device key did not sign.
    DeviceKeyUnavailable,
    /// The gateway said no.
    Refused {
        /// The gateway's sentence, in its language.
        sentence: String,
    },
    /// The core is closed.
    Closed,
}
