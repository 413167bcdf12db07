//! The handheld's records and enums, listed for the bindings generator. The compiler compares each
//! with the type it describes.

use holdfast_domain::{AttentionReason, DeclineReason, Mode, PaymentState};
use holdfast_handheld::{
    Cap, CartLine, CatalogueItemView, CopiesExport, CoreConfig, EnrolmentView, KeyState, LinkState,
    MoneyView, OfficerAction, ParkedReason, PaymentTypeView, PaymentView, Provider, QrMatrix,
    QuarantineView, RecordFault, RequestKind, RequestView, Snapshot, SummaryLineView, WhoActs,
};

/// What the platform tells the core once.
#[uniffi::remote(Record)]
pub struct CoreConfig {
    /// Folder of this core alone; on Android within `noBackupFilesDir`.
    pub data_dir: String,
    /// Language tag such as `en-US`.
    pub locale: String,
    /// Version of the app, for the gateway's list of handhelds.
    pub app_version: String,
}

/// An amount in minor units, with what is needed to write it.
#[uniffi::remote(Record)]
pub struct MoneyView {
    /// Minor units (cents for USD, whole yen for JPY).
    pub minor: i64,
    /// ISO 4217, three capitals.
    pub currency: String,
    /// Digits after the decimal point: 0, 2 or 3.
    pub exponent: u32,
}

/// One line the officer puts into a cart.
#[uniffi::remote(Record)]
pub struct CartLine {
    /// [`CatalogueItemView::id`].
    pub item_id: u32,
    /// How many.
    pub quantity: u32,
}

/// One line of a payment summary.
#[uniffi::remote(Record)]
pub struct SummaryLineView {
    /// Name of the item.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price times quantity.
    pub amount: MoneyView,
}

/// Something that can be added to a cart.
#[uniffi::remote(Record)]
pub struct CatalogueItemView {
    /// Number of the item within its tenant.
    pub id: u32,
    /// What officer and payer read.
    pub name: String,
    /// Price of one.
    pub price: MoneyView,
}

/// Who moves the money of a payment type.
#[uniffi::remote(Enum)]
pub enum Provider {
    /// A card, through Stripe.
    Stripe,
    /// Coins and notes.
    Cash,
}

/// A payment type this handheld may use.
#[uniffi::remote(Record)]
pub struct PaymentTypeView {
    /// Such as `STRIPE`.
    pub code: String,
    /// Such as `Online Payment`.
    pub name: String,
    /// Who moves the money.
    pub provider: Provider,
    /// Test or live.
    pub mode: Mode,
}

/// Who this handheld is, once enrolled.
#[uniffi::remote(Record)]
pub struct EnrolmentView {
    /// Name of the organisation.
    pub organisation: String,
    /// Host of the gateway, in words for people.
    pub gateway_host: String,
    /// 16 hexadecimal digits.
    pub device_id: String,
    /// Name of the officer whom enrolment named.
    pub officer: String,
    /// Six digits of the device key; the admin page shows the same.
    pub six_digits: String,
    /// True once an administrator has approved this handheld.
    pub approved: bool,
}

/// Why the gateway will never take an order as it is. A person must act.
#[uniffi::remote(Enum)]
pub enum ParkedReason {
    /// The gateway knows this payment ID with other contents.
    Conflict,
    /// The gateway knows this sequence number with another payment.
    SequenceReused,
    /// The gateway cannot read the order, or its signature does not match.
    Unreadable,
    /// This handheld was revoked before the order arrived.
    DeviceRevoked,
    /// The gateway does not know this handheld.
    DeviceUnknown,
    /// The order belongs to another gateway or tenant.
    WrongGateway,
    /// The payment type is gone, or not for this officer any more.
    MethodUnavailable,
    /// Held in test mode and the payment type is live now, or the other way round.
    ModeDiffers,
    /// The gateway does not price the lines as this handheld did.
    PricesDiffer,
    /// The amount is below or above what Stripe takes.
    AmountRefused,
    /// The order reached the gateway after its lifetime.
    LifetimeOver,
    /// The gateway was restored and does not know the payment any more, and this handheld has lost its
    /// order: neither can make it good. A payer may have paid all the same.
    OrderLost,
}

/// Who is to act when something is wrong with a payment. Until roles exist the administrator is the
/// named person for all that an officer cannot do on the handheld.
#[uniffi::remote(Enum)]
pub enum WhoActs {
    /// The officer, on this handheld: retry, withdraw, or ask for another card.
    Officer,
    /// The administrator, on the gateway's pages.
    Administrator,
}

/// What an officer can ask for after the hold.
#[uniffi::remote(Enum)]
pub enum RequestKind {
    /// Cancel it. Paid wins.
    Cancel,
    /// Give it up, for a reason.
    Withdraw,
}

/// A request of the officer: signed, on disk, and sent until the gateway answers.
#[uniffi::remote(Record)]
pub struct RequestView {
    /// What was asked for.
    pub kind: RequestKind,
    /// The officer's reason; only for a withdrawal.
    pub reason: Option<String>,
    /// True once the gateway has answered.
    pub answered: bool,
    /// Why the gateway will never take it.
    pub refused: Option<ParkedReason>,
}

/// What an officer can do about a payment now. Only what can work is offered; paid wins all the same.
#[uniffi::remote(Enum)]
pub enum OfficerAction {
    /// Queue a parked payment again, as it was signed.
    Retry,
    /// Compare the code on the payer's page.
    CheckCode,
    /// Cancel it.
    Cancel,
    /// Give it up, for a reason.
    Withdraw,
}

/// A limit on what may wait on this handheld, as the tenant decides.
#[uniffi::remote(Enum)]
pub enum Cap {
    /// So many orders may wait.
    Orders {
        /// Orders at the most.
        max: u32,
    },
    /// The oldest order has waited for too long.
    Age {
        /// Seconds at the most.
        max_s: u32,
    },
    /// The orders that wait may come to so much in one currency.
    Sum {
        /// The sum at the most.
        max: MoneyView,
    },
}

/// Whether this handheld's keys are there. Without them nothing new is held; enrolling again is the
/// way on, and what waits is kept.
#[uniffi::remote(Enum)]
pub enum KeyState {
    /// Both keys answer, as far as is known.
    Good,
    /// The system has lost the key that signs.
    DeviceKeyLost,
    /// The system has lost the key that the records are sealed under. They are kept, and the copies
    /// of queued orders can be exported for the administrator.
    VaultKeyLost,
}

/// What is wrong with a record.
#[uniffi::remote(Enum)]
pub enum RecordFault {
    /// It does not open: changed, swapped with another, or of another installation.
    Damaged,
    /// The index names it, and it is not there.
    Missing,
    /// It is older (or newer) than the index says.
    RolledBack,
    /// It is there, and the index does not name it.
    Stray,
    /// The part of the index that vouches for it is damaged, so it may be older than the last of its
    /// name. It is used all the same.
    Unvouched,
    /// The key it was sealed under is lost.
    KeyLost,
}

/// A file of copies of waiting orders, that only the gateway can read.
#[uniffi::remote(Record)]
pub struct CopiesExport {
    /// What to call it.
    pub file_name: String,
    /// JSON.
    pub contents: String,
    /// How many orders there are in it.
    pub orders: u32,
}

/// One payment as its screens show it.
#[uniffi::remote(Record)]
pub struct PaymentView {
    /// UUID of version 7.
    pub payment_id: String,
    /// Counts the changes of this payment on this handheld.
    pub revision: u64,
    /// Where it stands. A parked payment is `NeedsAttention`.
    pub state: PaymentState,
    /// What is paid for.
    pub lines: Vec<SummaryLineView>,
    /// The sum.
    pub total: MoneyView,
    /// The chosen way to pay.
    pub payment_type: Option<PaymentTypeView>,
    /// Mode of the chosen way to pay, pinned when it was chosen.
    pub mode: Option<Mode>,
    /// Milliseconds since 1970, corrected by the gateway's clock where that is known.
    pub held_at_ms: Option<i64>,
    /// False if `held_at_ms` is by this handheld's clock alone.
    pub held_at_is_sure: bool,
    /// True if the order's lifetime has passed.
    pub lifetime_over: bool,
    /// False if the lifetime was counted from the first sight after a start, for want of a better
    /// clock.
    pub lifetime_is_sure: bool,
    /// What the QR code says; there as soon as the hold has returned.
    pub pay_address: Option<String>,
    /// Host of the pay address, to stand in words beside the code.
    pub pay_host: Option<String>,
    /// Such as `R-0123-ABCD`; once paid.
    pub receipt_order_id: Option<String>,
    /// With cash: the receipt number that the payer is told at the hold, such as `P-0123-ABCD-7`. It
    /// is there without a network, and the office finds the payment by it.
    pub provisional_receipt: Option<String>,
    /// A charge of this payment that another payment holds: it cannot be paid before that one is
    /// given up.
    pub held_up_by: Option<String>,
    /// Only when paid: the payer shows theirs first.
    pub confirm_code: Option<String>,
    /// Why the last card was declined.
    pub decline: Option<DeclineReason>,
    /// Why a person must look, as the gateway says.
    pub attention: Option<AttentionReason>,
    /// Why the gateway refused the order.
    pub parked: Option<ParkedReason>,
    /// True if it is paid by the payer's receipt or code, and the gateway itself has not said so yet.
    pub verified_offline: bool,
    /// What the officer asked for after the hold.
    pub request: Option<RequestView>,
    /// True if it was found held at a start, and nobody may have been told that it was: the app
    /// ended, or the disk failed, at that very moment. It counts as held.
    pub found_at_start: bool,
    /// True if this handheld's own record is lost and the gateway told of the payment.
    pub from_gateway: bool,
    /// Who acts, where something is wrong.
    pub who_acts: Option<WhoActs>,
    /// What the officer can do about it now.
    pub actions: Vec<OfficerAction>,
}

/// What is known of the way to the gateway.
#[uniffi::remote(Enum)]
pub enum LinkState {
    /// Not tried yet.
    Unknown,
    /// The last answer was the gateway's.
    Online,
    /// The last try reached no gateway.
    Offline,
}

/// A record that could not be read: named, kept, and left out.
#[uniffi::remote(Record)]
pub struct QuarantineView {
    /// Kind of record, such as `payment`.
    pub table: String,
    /// Its ID: for a payment, the payment ID.
    pub record_id: String,
    /// What is wrong with it.
    pub fault: RecordFault,
    /// True once the gateway has been told (payments only).
    pub reported: bool,
}

/// Everything but the contents of older payments, at one moment.
#[uniffi::remote(Record)]
pub struct Snapshot {
    /// Grows with every change.
    pub revision: u64,
    /// Who this handheld is; `None` until enrolled.
    pub enrolment: Option<EnrolmentView>,
    /// What can be added to a cart.
    pub catalogue: Vec<CatalogueItemView>,
    /// How long ago the catalogue was fetched.
    pub catalogue_age_ms: Option<i64>,
    /// The payment types this handheld may use.
    pub payment_types: Vec<PaymentTypeView>,
    /// Newest first, the last 50, drafts among them.
    pub payments: Vec<PaymentView>,
    /// The way to the gateway.
    pub link: LinkState,
    /// Held payments that the gateway has not answered yet.
    pub queued: u32,
    /// When the oldest of them was held; milliseconds since 1970, corrected by the gateway's clock
    /// where that is known.
    pub queued_since_ms: Option<i64>,
    /// Requests (cancel, withdraw) that the gateway has not answered yet.
    pub queued_requests: u32,
    /// Records that could not be read.
    pub quarantine: Vec<QuarantineView>,
    /// Whether the keys are there.
    pub keys: KeyState,
    /// True if an older file was put back: the gateway knows orders of this handheld that its file
    /// does not. They were taken over from the gateway, and sequence numbers go on after a gap.
    pub older_file: bool,
}

/// The modules of a QR code, without the quiet zone around it.
#[uniffi::remote(Record)]
pub struct QrMatrix {
    /// Modules on each side.
    pub size: u32,
    /// Row by row; 1 is dark, 0 is light.
    pub modules: Vec<u8>,
}

/// Where a payment stands. The words beside each are those of `look.md`.
#[uniffi::remote(Enum)]
pub enum PaymentState {
    /// On the handheld only, not held yet.
    Draft,
    /// Held and on disk; the gateway has not answered yet.
    Queued,
    /// The gateway has it; nobody has opened the card page yet.
    Sent,
    /// Stripe's page is open.
    WaitingForCard,
    /// Stripe or the bank is working on it.
    Processing,
    /// The last card was declined; the same session takes another.
    Declined,
    /// Paid, once.
    Paid,
    /// Past its lifetime, unpaid.
    Expired,
    /// Unpaid, and no card page is open.
    Owed,
    /// Cancelling was asked for, and it is not certain yet that nothing was paid.
    CancelRequested,
    /// Canceled, and certainly unpaid.
    Canceled,
    /// Given up by a person, with a reason.
    Withdrawn,
    /// A refund is on its way.
    RefundPending,
    /// All of it went back.
    Refunded,
    /// Some of it went back.
    PartlyRefunded,
    /// The last refund failed; the money is still here.
    RefundFailed,
    /// The payer's bank disputes it, or took it back.
    Disputed,
    /// The charge was settled by another payment.
    AlreadyPaid,
    /// A person must look.
    NeedsAttention,
}

/// Why a person must look at a payment.
#[uniffi::remote(Enum)]
pub enum AttentionReason {
    /// Stripe reports another amount or currency than was held for.
    AmountDiffers,
    /// A live object answers for a test order, or the other way round.
    ModeDiffers,
    /// The object belongs to another Stripe account.
    AccountDiffers,
    /// Money arrived through a session that we did not open for this payment.
    ForeignSession,
    /// Money arrived twice.
    PaidTwice,
    /// Stripe refused to open a session, and will refuse again.
    StripeRefuses,
    /// It was held on a handheld that is revoked: a person says whether the hold is genuine.
    AwaitsApproval,
}

/// A decline as the officer and the payer hear it.
///
/// Stripe tells lost, stolen and fraudulent cards apart; a payer or officer must not, so these
/// all become [`DeclineReason::BankDeclined`] (the table stands in `look.md`; Stripe's page is
/// "Decline codes").
#[uniffi::remote(Enum)]
pub enum DeclineReason {
    /// Ask for another card.
    NotEnoughFunds,
    /// Ask for another card; also every reason that is nobody's business here.
    BankDeclined,
    /// Ask for another card.
    CardExpired,
    /// Check the code and try again.
    SecurityCodeWrong,
    /// Check the number and try again.
    CardNumberWrong,
    /// Try again in a minute.
    TryAgainLater,
    /// The payer follows the bank's steps on the phone.
    PayerMustConfirm,
}

/// Which of Stripe's two worlds a key, an order or an event belongs to. They never mix.
#[uniffi::remote(Enum)]
pub enum Mode {
    /// Made-up cards, no money.
    Test,
    /// Real cards, real money.
    Live,
}
