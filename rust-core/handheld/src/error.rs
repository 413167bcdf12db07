//! Why an operation of [`crate::Core`] did not happen: one closed enum each.
//!
//! A screen switches on the variant and has its own words; the English sentence of each says
//! what to do next, for logs and tests.

use crate::view::Cap;
use holdfast_domain::{CartError, PaymentState};

/// Why the core did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another core has these files.
    #[error("these files are in use by another core; close it first")]
    AlreadyOpen,
    /// The vault did not wrap or unwrap the data key.
    #[error("the key vault is not available; unlock the handheld and try again")]
    VaultUnavailable,
    /// The vault no longer has the key that the data key was wrapped with.
    #[error("the key vault lost its key; what is stored here cannot be read")]
    VaultKeyLost,
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// The files cannot be read or written.
    #[error("the storage cannot be used; restart the handheld, then call support")]
    Storage,
    /// The operating system refused a thread.
    #[error("the handheld is out of resources; restart it")]
    Resources,
}

/// Why the handheld was not enrolled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// The text is no enrolment link.
    #[error("that is not an enrolment link; scan the code on the admin page")]
    LinkInvalid,
    /// Plain HTTP to another machine.
    #[error("{host} does not use HTTPS; ask the administrator for another link")]
    InsecureAddress {
        /// Host of the link.
        host: String,
    },
    /// The code is wrong, used or too old.
    #[error("this code is wrong, used or too old; ask the administrator for a new one")]
    CodeWrong,
    /// The gateway said no for another reason.
    #[error("the gateway refused: {sentence}")]
    Refused {
        /// The gateway's sentence, in its language.
        sentence: String,
    },
    /// No gateway answered.
    #[error("the gateway cannot be reached; check the network and try again")]
    Offline,
    /// Something answered, but no gateway that this core understands, or one that saw another key.
    #[error("that address is no gateway this handheld understands; check the link")]
    NotAGateway,
    /// The address answers with a certificate that the link, or the public roots, do not vouch for.
    #[error(
        "{host} has a certificate by another CA than the link says; ask the administrator for a new link"
    )]
    CertificateUntrusted {
        /// Host of the link.
        host: String,
    },
    /// The device key did not answer or sign.
    #[error("the device key is not available; restart the handheld")]
    DeviceKeyUnavailable,
    /// Another enrolment is running.
    #[error("an enrolment is running; wait for it")]
    Busy,
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// The enrolment could not be stored.
    #[error("the enrolment could not be stored; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why a forced sync did not finish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// There is no gateway yet.
    #[error("enrol this handheld first")]
    NotEnrolled,
    /// No gateway answered.
    #[error("no network; what is held stays queued and is sent by itself")]
    Offline,
    /// Whatever answers at the gateway's address has a certificate by another CA.
    #[error(
        "what answers is not the gateway; nothing was sent. Use another network, or ask the administrator"
    )]
    CertificateUntrusted,
    /// The device key did not sign the request.
    #[error("the device key is not available; restart the handheld")]
    DeviceKeyUnavailable,
    /// The gateway does not know this handheld (any more).
    #[error("this handheld was revoked; ask the administrator")]
    DeviceRevoked,
    /// The gateway said no for another reason.
    #[error("the gateway refused: {sentence}")]
    Refused {
        /// The gateway's sentence, in its language.
        sentence: String,
    },
    /// What was fetched could not be stored.
    #[error("what was fetched could not be stored; make room and try again")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why there is no payment summary, or why a draft was not discarded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// No payment has this ID.
    #[error("there is no such payment")]
    NotFound,
    /// It was held already.
    #[error("this payment is no draft any more")]
    NotADraft {
        /// Where it stands.
        state: PaymentState,
    },
    /// There is no catalogue yet.
    #[error("there is no catalogue yet; connect once to fetch it")]
    NoCatalogue,
    /// The catalogue is older than the tenant lets a handheld sell by.
    #[error("the prices are too old; connect once to fetch those of today")]
    CatalogueExpired,
    /// There is nothing to pay.
    #[error("the cart is empty; add an item")]
    CartEmpty,
    /// More lines than fit into the QR code.
    #[error("a cart has at most {max} lines; take some for a second payment")]
    TooManyLines {
        /// Lines at the most.
        max: u32,
    },
    /// A quantity out of range.
    #[error("item {item_id}: the quantity is 1 to {max}")]
    Quantity {
        /// The item.
        item_id: u32,
        /// The largest quantity.
        max: u32,
    },
    /// The catalogue has no such item (any more).
    #[error("item {item_id} is not in the catalogue; choose again")]
    UnknownItem {
        /// The item.
        item_id: u32,
    },
    /// One item on two lines.
    #[error("item {item_id} stands on two lines; put them together")]
    RepeatedItem {
        /// The item.
        item_id: u32,
    },
    /// Nobody owes this, as far as this handheld knows.
    #[error("charge {reference} is not known here; look for it again")]
    UnknownCharge {
        /// The charge.
        reference: String,
    },
    /// One charge on two lines.
    #[error("charge {reference} stands on two lines; take one away")]
    RepeatedCharge {
        /// The charge.
        reference: String,
    },
    /// Lines in two currencies.
    #[error("the lines are in two currencies; make a payment for each")]
    TwoCurrencies,
    /// The sum is zero or less.
    #[error("the total must be more than zero")]
    NothingOwed,
    /// The sum is more than Stripe takes.
    #[error("the total is too large; split it")]
    TooMuch,
    /// As much waits on this handheld as the tenant allows.
    #[error("too much waits on this handheld; connect it so that it is sent")]
    OverCap {
        /// Which limit.
        cap: Cap,
    },
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// The draft could not be stored.
    #[error("the draft could not be stored; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

impl From<CartError> for SummaryError {
    fn from(error: CartError) -> Self {
        use holdfast_domain::cart::{CART_LINES_MAX, QUANTITY_MAX};
        match error {
            CartError::Empty => Self::CartEmpty,
            CartError::TooManyLines => {
                Self::TooManyLines { max: u32::try_from(CART_LINES_MAX).unwrap_or(u32::MAX) }
            }
            CartError::Quantity { item } => Self::Quantity { item_id: item, max: QUANTITY_MAX },
            CartError::UnknownItem { item } => Self::UnknownItem { item_id: item },
            CartError::Repeated { item } => Self::RepeatedItem { item_id: item },
            CartError::UnknownCharge { reference } | CartError::ChargeDiffers { reference, .. } => {
                Self::UnknownCharge { reference: reference.to_string() }
            }
            CartError::ChargeRepeated { reference } => {
                Self::RepeatedCharge { reference: reference.to_string() }
            }
            CartError::Currencies => Self::TwoCurrencies,
            CartError::NothingOwed => Self::NothingOwed,
            CartError::TooMuch => Self::TooMuch,
        }
    }
}

/// Why a payment method was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// No payment has this ID.
    #[error("there is no such payment")]
    NotFound,
    /// It was held already.
    #[error("this payment is no draft any more")]
    NotADraft {
        /// Where it stands.
        state: PaymentState,
    },
    /// The payment type takes another currency than the cart's.
    #[error("{code} takes {currency} only; choose another")]
    CurrencyDiffers {
        /// The code asked for.
        code: String,
        /// The currency it takes.
        currency: String,
    },
    /// This handheld may not use such a payment type (any more).
    #[error("{code} cannot be used on this handheld; choose another")]
    UnknownMethod {
        /// The code asked for.
        code: String,
    },
    /// As much waits on this handheld as the tenant allows.
    #[error("too much waits on this handheld; connect it so that it is sent")]
    OverCap {
        /// Which limit.
        cap: Cap,
    },
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// The choice could not be stored.
    #[error("the choice could not be stored; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why a payment was not held. Nothing was promised, nothing will be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// No payment has this ID.
    #[error("there is no such payment")]
    NotFound,
    /// No method was chosen, or the chosen one has changed since.
    #[error("choose a payment method first")]
    NoMethodChosen,
    /// The handheld belongs to no gateway.
    #[error("enrol this handheld first")]
    NotEnrolled,
    /// No administrator has approved this handheld yet.
    #[error("an administrator must approve this handheld first")]
    NotApproved,
    /// The device key did not sign.
    #[error("the device key is not available; restart the handheld")]
    DeviceKeyUnavailable,
    /// The system has lost the device key.
    #[error("the device key is lost; enrol this handheld again, what waits is kept")]
    DeviceKeyLost,
    /// As much waits on this handheld as the tenant allows.
    #[error("too much waits on this handheld; connect it so that it is sent")]
    OverCap {
        /// Which limit.
        cap: Cap,
    },
    /// The device has no room.
    #[error("the storage is full; make room and hold again")]
    StorageFull,
    /// The order could not be stored.
    #[error("the order could not be stored; restart the handheld and hold again")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why a payment was not canceled or withdrawn. Nothing was stored, nothing will be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No payment has this ID.
    #[error("there is no such payment")]
    NotFound,
    /// It is a draft: discard it.
    #[error("this payment was not held; discard the draft")]
    NotHeld,
    /// It is paid, or over already.
    #[error("this payment is over already")]
    Over {
        /// Where it stands.
        state: PaymentState,
    },
    /// A withdrawal needs a reason.
    #[error("say why, in a few words")]
    ReasonMissing,
    /// The reason is too long.
    #[error("the reason has at most {max} characters")]
    ReasonTooLong {
        /// Characters at the most.
        max: u32,
    },
    /// The handheld does not belong to the gateway of this payment (any more).
    #[error("this handheld is not enrolled at the gateway of this payment; ask the administrator")]
    NotEnrolled,
    /// The device key did not sign.
    #[error("the device key is not available; restart the handheld")]
    DeviceKeyUnavailable,
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// The request could not be stored.
    #[error("the request could not be stored; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why a parked payment was not queued again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// No payment has this ID.
    #[error("there is no such payment")]
    NotFound,
    /// It is not parked.
    #[error("this payment is not parked")]
    NotParked {
        /// Where it stands.
        state: PaymentState,
    },
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// It could not be stored.
    #[error("it could not be stored; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why a receipt proves nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The text is no receipt of a kind this core knows.
    #[error("that is not a receipt; scan the code on the payer's paid page")]
    NotAReceipt,
    /// No gateway that this handheld was enrolled at has signed it.
    #[error("this receipt is not from this handheld's gateway; do not accept it")]
    NotByThisGateway,
    /// It is for a payment that was not held here.
    #[error("this receipt is for a payment of another handheld")]
    UnknownPayment,
    /// It is for another tenant.
    #[error("this receipt is for another organisation")]
    AnotherTenant,
    /// It is for another amount.
    #[error("this receipt is for another amount; call the administrator")]
    AmountDiffers,
    /// A test receipt for a live payment, or the other way round.
    #[error("a test receipt proves no live payment; do not accept it")]
    ModeDiffers,
    /// The device has no room.
    #[error("the storage is full; make room and scan again")]
    StorageFull,
    /// The proof could not be stored.
    #[error("the proof could not be stored; restart the handheld and scan again")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why a confirm code proves nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// No payment has this ID.
    #[error("there is no such payment")]
    NotFound,
    /// It was not held here, so that there is no code to compare with.
    #[error("this payment was not held on this handheld")]
    NotHeld,
    /// Not eight letters and digits.
    #[error("a confirm code has eight letters and digits; type it again")]
    Unreadable,
    /// It is another code.
    #[error("that is not the code of this payment; {tries_left} tries are left")]
    Wrong {
        /// Tries before a pause.
        tries_left: u32,
    },
    /// Too many wrong codes.
    #[error("too many wrong codes; wait {wait_s} seconds, or scan the receipt")]
    Locked {
        /// Seconds until the next try.
        wait_s: u32,
    },
    /// The device has no room.
    #[error("the storage is full; make room and try again")]
    StorageFull,
    /// The outcome could not be stored.
    #[error("the outcome could not be stored; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why there is no file of sealed copies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Nothing waits.
    #[error("there is nothing to export: no order waits")]
    Nothing,
    /// The files cannot be read.
    #[error("the storage cannot be read; restart the handheld")]
    Storage,
    /// The core is closed.
    #[error("the core is closed")]
    Closed,
}

/// Why there is no QR code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// The text does not fit.
    #[error("the text is too long for a QR code")]
    TooLong,
}
