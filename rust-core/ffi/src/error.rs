//! The handheld's errors, listed for the bindings generator. The compiler compares each with the
//! type it describes.

use holdfast_domain::PaymentState;
use holdfast_handheld::{
    Cap, CodeError, EnrolError, ExportError, HoldError, MethodError, OpenError, QrError,
    ReceiptError, RefreshError, RequestError, RetryError, SummaryError,
};

/// Why the core did not open.
#[uniffi::remote(Error)]
pub enum OpenError {
    /// Another core has these files.
    AlreadyOpen,
    /// The vault did not wrap or unwrap the data key.
    VaultUnavailable,
    /// The vault no longer has the key that the data key was wrapped with.
    VaultKeyLost,
    /// The device has no room.
    StorageFull,
    /// The files cannot be read or written.
    Storage,
    /// The operating system refused a thread.
    Resources,
}

/// Why the handheld was not enrolled.
#[uniffi::remote(Error)]
pub enum EnrolError {
    /// The text is no enrolment link.
    LinkInvalid,
    /// Plain HTTP to another machine.
    InsecureAddress {
        /// Host of the link.
        host: String,
    },
    /// The code is wrong, used or too old.
    CodeWrong,
    /// The gateway said no for another reason.
    Refused {
        /// The gateway's sentence, in its language.
        sentence: String,
    },
    /// No gateway answered.
    Offline,
    /// Something answered, but no gateway that this core understands, or one that saw another key.
    NotAGateway,
    /// The address answers with a certificate that the link, or the public roots, do not vouch for.
    CertificateUntrusted {
        /// Host of the link.
        host: String,
    },
    /// The device key did not answer or sign.
    DeviceKeyUnavailable,
    /// Another enrolment is running.
    Busy,
    /// The device has no room.
    StorageFull,
    /// The enrolment could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a forced sync did not finish.
#[uniffi::remote(Error)]
pub enum RefreshError {
    /// There is no gateway yet.
    NotEnrolled,
    /// No gateway answered.
    Offline,
    /// Whatever answers at the gateway's address has a certificate by another CA.
    CertificateUntrusted,
    /// The device key did not sign the request.
    DeviceKeyUnavailable,
    /// The gateway does not know this handheld (any more).
    DeviceRevoked,
    /// The gateway said no for another reason.
    Refused {
        /// The gateway's sentence, in its language.
        sentence: String,
    },
    /// What was fetched could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why there is no payment summary, or why a draft was not discarded.
#[uniffi::remote(Error)]
pub enum SummaryError {
    /// No payment has this ID.
    NotFound,
    /// It was held already.
    NotADraft {
        /// Where it stands.
        state: PaymentState,
    },
    /// There is no catalogue yet.
    NoCatalogue,
    /// The catalogue is older than the tenant lets a handheld sell by.
    CatalogueExpired,
    /// There is nothing to pay.
    CartEmpty,
    /// More lines than fit into the QR code.
    TooManyLines {
        /// Lines at the most.
        max: u32,
    },
    /// A quantity out of range.
    Quantity {
        /// The item.
        item_id: u32,
        /// The largest quantity.
        max: u32,
    },
    /// The catalogue has no such item (any more).
    UnknownItem {
        /// The item.
        item_id: u32,
    },
    /// One item on two lines.
    RepeatedItem {
        /// The item.
        item_id: u32,
    },
    /// Nobody owes this, as far as this handheld knows.
    UnknownCharge {
        /// The charge.
        reference: String,
    },
    /// One charge on two lines.
    RepeatedCharge {
        /// The charge.
        reference: String,
    },
    /// Lines in two currencies.
    TwoCurrencies,
    /// The sum is zero or less.
    NothingOwed,
    /// The sum is more than Stripe takes.
    TooMuch,
    /// As much waits on this handheld as the tenant allows.
    OverCap {
        /// Which limit.
        cap: Cap,
    },
    /// The device has no room.
    StorageFull,
    /// The draft could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a payment method was not chosen.
#[uniffi::remote(Error)]
pub enum MethodError {
    /// No payment has this ID.
    NotFound,
    /// It was held already.
    NotADraft {
        /// Where it stands.
        state: PaymentState,
    },
    /// The payment type takes another currency than the cart's.
    CurrencyDiffers {
        /// The code asked for.
        code: String,
        /// The currency it takes.
        currency: String,
    },
    /// This handheld may not use such a payment type (any more).
    UnknownMethod {
        /// The code asked for.
        code: String,
    },
    /// As much waits on this handheld as the tenant allows.
    OverCap {
        /// Which limit.
        cap: Cap,
    },
    /// The device has no room.
    StorageFull,
    /// The choice could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a payment was not held. Nothing was promised, nothing will be sent.
#[uniffi::remote(Error)]
pub enum HoldError {
    /// No payment has this ID.
    NotFound,
    /// No method was chosen, or the chosen one has changed since.
    NoMethodChosen,
    /// The handheld belongs to no gateway.
    NotEnrolled,
    /// No administrator has approved this handheld yet.
    NotApproved,
    /// The device key did not sign.
    DeviceKeyUnavailable,
    /// The system has lost the device key.
    DeviceKeyLost,
    /// As much waits on this handheld as the tenant allows.
    OverCap {
        /// Which limit.
        cap: Cap,
    },
    /// The device has no room.
    StorageFull,
    /// The order could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a payment was not canceled or withdrawn. Nothing was stored, nothing will be sent.
#[uniffi::remote(Error)]
pub enum RequestError {
    /// No payment has this ID.
    NotFound,
    /// It is a draft: discard it.
    NotHeld,
    /// It is paid, or over already.
    Over {
        /// Where it stands.
        state: PaymentState,
    },
    /// A withdrawal needs a reason.
    ReasonMissing,
    /// The reason is too long.
    ReasonTooLong {
        /// Characters at the most.
        max: u32,
    },
    /// The handheld does not belong to the gateway of this payment (any more).
    NotEnrolled,
    /// The device key did not sign.
    DeviceKeyUnavailable,
    /// The device has no room.
    StorageFull,
    /// The request could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a parked payment was not queued again.
#[uniffi::remote(Error)]
pub enum RetryError {
    /// No payment has this ID.
    NotFound,
    /// It is not parked.
    NotParked {
        /// Where it stands.
        state: PaymentState,
    },
    /// The device has no room.
    StorageFull,
    /// It could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a receipt proves nothing here.
#[uniffi::remote(Error)]
pub enum ReceiptError {
    /// The text is no receipt of a kind this core knows.
    NotAReceipt,
    /// No gateway that this handheld was enrolled at has signed it.
    NotByThisGateway,
    /// It is for a payment that was not held here.
    UnknownPayment,
    /// It is for another tenant.
    AnotherTenant,
    /// It is for another amount.
    AmountDiffers,
    /// A test receipt for a live payment, or the other way round.
    ModeDiffers,
    /// The device has no room.
    StorageFull,
    /// The proof could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why a confirm code proves nothing here.
#[uniffi::remote(Error)]
pub enum CodeError {
    /// No payment has this ID.
    NotFound,
    /// It was not held here, so that there is no code to compare with.
    NotHeld,
    /// Not eight letters and digits.
    Unreadable,
    /// It is another code.
    Wrong {
        /// Tries before a pause.
        tries_left: u32,
    },
    /// Too many wrong codes.
    Locked {
        /// Seconds until the next try.
        wait_s: u32,
    },
    /// The device has no room.
    StorageFull,
    /// The outcome could not be stored.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why there is no file of sealed copies.
#[uniffi::remote(Error)]
pub enum ExportError {
    /// Nothing waits.
    Nothing,
    /// The files cannot be read.
    Storage,
    /// The core is closed.
    Closed,
}

/// Why there is no QR code.
#[uniffi::remote(Error)]
pub enum QrError {
    /// The text does not fit.
    TooLong,
}
