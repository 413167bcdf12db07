//! JSON messages between handheld and gateway. Binary values are base64url without padding.
//!
//! Readers ignore fields they do not know, so that either side may be the newer one; a change
//! that an older reader must not misread gets a new [`WIRE_VERSION`].

use holdfast_domain::{
    AttentionReason, Catalogue, ChargeReference, ChargeState, Currency, DeclineReason, DeviceId,
    GatewayId, Mode, Money, OfficerId, Owed, PaymentId, PaymentState, PaymentTypeCode,
    ReceiptOrderId, TenantSlug,
};
use serde::{Deserialize, Serialize};

/// Version of these messages.
pub const WIRE_VERSION: u32 = 1;
/// Longest wait of a long poll, in seconds: below the idle limits of common proxies (30 s).
pub const LONG_POLL_S_MAX: u32 = 25;
/// Largest answer that a handheld reads, in bytes; a full configuration is far below.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Charges in one answer to a search: more than fit two screens are no answer but a list.
pub const CHARGES_FOUND_MAX: usize = 20;
/// Letters that a search needs at least, so that nobody pages through everybody.
pub const FIND_CHARS_MIN: usize = 3;
/// Letters of a search that are looked at.
pub const FIND_CHARS_MAX: usize = 60;
/// Content type of a signed order (RFC 9052, section 2).
pub const ORDER_CONTENT_TYPE: &str = "application/cose";

/// `POST /api/{tenant}/handheld/enrol`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// [`WIRE_VERSION`].
    pub version: u32,
    /// The one-time code, as typed.
    pub code: String,
    /// What the handheld calls itself, for the administrator's list.
    pub name: String,
    /// Compressed SEC 1 point, base64url.
    pub public_key: String,
    /// Signature over [`crate::enrolment::proof_message`], 64 bytes, base64url.
    pub proof: String,
    /// Enrolments before this one, at most [`crate::continuity::CONTINUED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continues: Vec<ContinuedEnrolment>,
}

/// An enrolment that the new one continues.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContinuedEnrolment {
    /// The handheld's ID in it.
    pub device: DeviceId,
    /// [`crate::continuity::proof`], base64url.
    pub proof: String,
}

/// Answer to [`EnrolRequest`]. It has no `Debug`, because it carries a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrolResponse {
    /// [`WIRE_VERSION`].
    pub version: u32,
    /// The gateway that every order of this handheld names.
    pub gateway: GatewayId,
    /// The gateway's public key, compressed SEC 1, base64url: signs receipts.
    pub gateway_public_key: String,
    /// Where payers reach the gateway: scheme and host.
    pub public_url: String,
    /// Name of the organisation.
    pub organisation: String,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The ID given to this handheld.
    pub device: DeviceId,
    /// The officer whom enrolment names.
    pub officer: Officer,
    /// Key of the confirm codes, 32 bytes, base64url.
    pub confirm_secret: String,
    /// The gateway's public key for sealed copies ([`crate::sealed_copy`]), 32 bytes, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_key: Option<String>,
    /// The private CA that the link's pin names, DER, base64url; trusted in place of public roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Six digits of the device key, as the gateway sees it.
    pub six_digits: String,
    /// False until an administrator has approved.
    pub approved: bool,
}

/// Who uses the handheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// Number within the tenant.
    pub id: OfficerId,
    /// Name.
    pub name: String,
}

/// Answer to the signed `POST /api/{tenant}/handheld/token`. It has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenResponse {
    /// Goes into `Authorization: Bearer …`; reads only, moves nothing.
    pub token: String,
    /// How long it is good, in seconds.
    pub expires_in_s: u32,
}

/// Answer to `GET /api/{tenant}/handheld/config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigResponse {
    /// [`WIRE_VERSION`].
    pub version: u32,
    /// The gateway's clock, Unix seconds.
    pub gateway_time_unix_s: u64,
    /// Grows when the ledger was restored from a backup.
    pub epoch: u64,
    /// False until an administrator has approved this handheld.
    pub approved: bool,
    /// Name of the organisation.
    pub organisation: String,
    /// Where payers reach the gateway.
    pub public_url: String,
    /// The officer of this handheld.
    pub officer: Officer,
    /// For how long an order may be brought and paid, in seconds.
    pub order_lifetime_s: u32,
    /// What can be sold; none before the first one was loaded.
    pub catalogue: Option<Catalogue>,
    /// For how long a handheld that hears nothing more may sell by this catalogue, in seconds.
    #[serde(default = "catalogue_lifetime_default")]
    pub catalogue_lifetime_s: u32,
    /// What this officer may choose.
    pub payment_types: Vec<PaymentTypeOffer>,
    /// What may wait on the handheld, as the tenant decides.
    #[serde(default)]
    pub caps: Caps,
    /// For how many days the handheld keeps payments that are over, and presents acknowledged
    /// orders again after a restore.
    #[serde(default = "history_days_default")]
    pub history_days: u32,
}

/// How much may wait, held and not yet acknowledged, on one handheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// Orders.
    pub orders_max: u32,
    /// Age of the oldest one, in seconds.
    pub age_s_max: u32,
    /// Sum in minor units, for each currency by itself.
    pub sum_minor_max: i64,
}

impl Default for Caps {
    /// A long shift without network: 200 orders, three days, 50,000.00.
    fn default() -> Self {
        Self { orders_max: 200, age_s_max: 3 * 24 * 60 * 60, sum_minor_max: 5_000_000 }
    }
}

/// Thirty days: whoever was away for longer fetches the prices of today first.
pub const CATALOGUE_LIFETIME_S: u32 = 30 * 24 * 60 * 60;

fn catalogue_lifetime_default() -> u32 {
    CATALOGUE_LIFETIME_S
}

fn history_days_default() -> u32 {
    7
}

/// Answer to `POST /api/{tenant}/notices`, whose body is a signed notice
/// ([`crate::notice::SignedNotice`], content type [`ORDER_CONTENT_TYPE`]). The same notice again is
/// answered as before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeResponse {
    /// The payment as it stands; none if the gateway never accepted its order, which is then
    /// refused should it still come.
    pub payment: Option<PaymentStatus>,
    /// The gateway's clock, Unix seconds.
    pub gateway_time_unix_s: u64,
    /// See [`ConfigResponse::epoch`].
    pub epoch: u64,
}

/// The file in which a handheld hands over its sealed copies; `holdfast order import` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesFile {
    /// [`WIRE_VERSION`].
    pub version: u32,
    /// The gateway whose key they are sealed to.
    pub gateway: GatewayId,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The handheld.
    pub device: DeviceId,
    /// Each one [`crate::sealed_copy::seal`]ed, base64url.
    pub copies: Vec<String>,
}

/// A payment type as a handheld sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentTypeOffer {
    /// Code, as it stands in the signed order.
    pub code: PaymentTypeCode,
    /// Name on the button.
    pub name: String,
    /// Who moves the money.
    pub provider: Provider,
    /// Test or live, at this moment.
    pub mode: Mode,
    /// The one currency it takes.
    pub currency: Currency,
}

/// Who moves the money of a payment type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Stripe.
    Stripe,
    /// Nobody: the officer takes cash, and the hold records it.
    Cash,
}

/// A payment as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentStatus {
    /// Which.
    pub payment: PaymentId,
    /// Grows with every change of any payment of the tenant; a handheld keeps the largest it saw.
    pub revision: u64,
    /// Where it stands.
    pub state: PaymentState,
    /// What was held for.
    pub amount: Money,
    /// Once an order exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_order_id: Option<ReceiptOrderId>,
    /// Once an order exists: Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at_unix_s: Option<u64>,
    /// With state `declined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<DeclineReason>,
    /// With state `needs_attention`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<AttentionReason>,
    /// A charge of this payment that another payment holds: it cannot be paid before that one is
    /// given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_up: Option<ChargeReference>,
}

/// Answer to `GET /api/{tenant}/handheld/cash`: what was taken in cash on this handheld and not handed
/// in yet, as far as it has reached the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashResponse {
    /// One for each officer, mode and currency.
    pub shifts: Vec<CashTotal>,
    /// The gateway's clock, Unix seconds.
    pub gateway_time_unix_s: u64,
}

/// An open shift's total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashTotal {
    /// Who took it.
    pub officer: Officer,
    /// Test or live.
    pub mode: Mode,
    /// Payments that count.
    pub payments: u32,
    /// Payments that were voided.
    pub voided: u32,
    /// What the officer should hold.
    pub total: Money,
}

/// Answer to `GET /api/{tenant}/handheld/charges?find=TEXT`: what is owed, by plate, reference or
/// payer's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargesResponse {
    /// At most [`CHARGES_FOUND_MAX`]; the nearest first.
    pub charges: Vec<ChargeFound>,
    /// True if more were found than are told: more letters find less.
    pub more: bool,
    /// The gateway's clock, Unix seconds.
    pub gateway_time_unix_s: u64,
}

/// A charge as an officer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeFound {
    /// What an order's line holds: reference, name and what is owed.
    #[serde(flatten)]
    pub owed: Owed,
    /// Empty if none is known.
    #[serde(default)]
    pub plate: String,
    /// Name of the payer; empty if none is known.
    #[serde(default)]
    pub payer: String,
    /// `YYYY-MM-DD`; empty if it is due at once.
    #[serde(default)]
    pub due_on: String,
    /// How it stands for payments in test mode.
    pub test: ChargeState,
    /// How it stands for payments in live mode.
    pub live: ChargeState,
}

/// Answer to `POST /api/{tenant}/orders`, the first time and every time after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitResponse {
    /// The payment.
    pub payment: PaymentStatus,
    /// The gateway's clock, Unix seconds.
    pub gateway_time_unix_s: u64,
    /// See [`ConfigResponse::epoch`].
    pub epoch: u64,
}

/// Answer to `GET /api/{tenant}/handheld/payments?after=REVISION&wait_s=SECONDS`: what has changed
/// since, oldest change first. Empty when the wait ended without news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesResponse {
    /// Ask after this revision next time.
    pub revision: u64,
    /// See [`ConfigResponse::epoch`].
    pub epoch: u64,
    /// The gateway's clock, Unix seconds.
    pub gateway_time_unix_s: u64,
    /// The payments of this handheld that changed.
    pub payments: Vec<PaymentStatus>,
}

/// Body of every answer that is not 2xx under `/api`. The gateway adds `request_id`, which its log names, for
/// whoever calls about it; a handheld passes over what it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what happened and what to do next.
    pub message: String,
    /// With [`ErrorCode::ClockWrong`]: the gateway's clock, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_time_unix_s: Option<u64>,
    /// With [`ErrorCode::DeviceRevoked`], to a handheld that proved who it is: the ledger's epoch. A
    /// handheld that is told nothing else any more still presents its orders to a restored ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

/// Why a request was refused. A handheld parks an order on those that can never get better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body is not what this address takes.
    Malformed,
    /// The order is of a version the gateway does not know.
    UnknownVersion,
    /// The signature does not match.
    SignatureWrong,
    /// The request's time is too far from the gateway's.
    ClockWrong,
    /// No such handheld here.
    UnknownDevice,
    /// The handheld was revoked.
    DeviceRevoked,
    /// The handheld waits for approval.
    DeviceNotApproved,
    /// Meant for another gateway.
    WrongGateway,
    /// Meant for another tenant.
    WrongTenant,
    /// No such payment type, or not for this user.
    UnknownPaymentType,
    /// Held in test mode and the type is live now, or the other way round.
    ModeDiffers,
    /// The payment type has no credentials yet.
    PaymentTypeNotReady,
    /// The gateway never had this catalogue version.
    UnknownCatalogue,
    /// A line cannot be priced.
    LinesRefused,
    /// The gateway's sum is another one.
    TotalDiffers,
    /// The amount is below or above what Stripe takes.
    AmountRefused,
    /// The order is older than its lifetime.
    LifetimeOver,
    /// The same payment ID with another payload.
    PaymentConflict,
    /// The sequence number was used by another payment.
    SequenceReused,
    /// The order was withdrawn before it came.
    Withdrawn,
    /// Cash cannot be voided like this, or not any more.
    VoidRefused,
    /// The enrolment code is wrong, used or too old.
    CodeWrong,
    /// No token, or one that is not good any more.
    Unauthorized,
    /// Too many requests; wait.
    RateLimited,
    /// Longer than this address takes.
    TooLarge,
    /// There is nothing here.
    NotFound,
    /// The gateway cannot do it just now.
    Unavailable,
    /// A code of a newer gateway.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// True if sending the same order again can never succeed, so that a person must act.
    pub fn is_final_for_an_order(self) -> bool {
        match self {
            Self::Malformed
            | Self::UnknownVersion
            | Self::SignatureWrong
            | Self::UnknownDevice
            | Self::DeviceRevoked
            | Self::WrongGateway
            | Self::WrongTenant
            | Self::UnknownPaymentType
            | Self::ModeDiffers
            | Self::UnknownCatalogue
            | Self::LinesRefused
            | Self::TotalDiffers
            | Self::AmountRefused
            | Self::LifetimeOver
            | Self::PaymentConflict
            | Self::SequenceReused
            | Self::Withdrawn
            | Self::VoidRefused
            | Self::TooLarge => true,
            Self::ClockWrong
            | Self::DeviceNotApproved
            | Self::PaymentTypeNotReady
            | Self::CodeWrong
            | Self::Unauthorized
            | Self::RateLimited
            | Self::NotFound
            | Self::Unavailable
            | Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_codes_of_a_newer_gateway_are_read() {
        let body = r#"{"code":"moon_phase_wrong","message":"Wait.","hint":7}"#;
        let error: ErrorBody = serde_json::from_str(body).unwrap();
        assert_eq!(error.code, ErrorCode::Unknown);
        assert!(!error.code.is_final_for_an_order());
    }
}
