//! What is on disk, record by record. The storage seals and stores these; nothing else is durable.
//!
//! Old records must stay readable: a new field gets `#[serde(default)]`, and nothing is renamed.

mod spelling;

use super::exchange::Trust;
use crate::view::ParkedReason;
use holdfast_domain::{
    Cart, DeviceId, GatewayId, OfficerId, PaymentId, ReceiptOrderId, Secret, TenantSlug,
};
use holdfast_protocol::confirm::CONFIRM_SECRET_BYTES;
use holdfast_protocol::sealed_copy::COPY_KEY_BYTES;
use holdfast_protocol::wire::{ConfigResponse, PaymentStatus, PaymentTypeOffer, Provider};
use holdfast_protocol::{DevicePublicKey, SignatureError};
use serde::{Deserialize, Serialize};
use spelling::{base64_bytes, base64_bytes_or_none, secret_bytes, shared, shared_or_none};
use std::sync::Arc;

/// One record.
#[derive(Clone)]
pub enum Record {
    /// Who this handheld is.
    Enrolment(Box<Enrolment>),
    /// The last configuration.
    Config(Config),
    /// Where the counters stand.
    Counters(Counters),
    /// One payment.
    Payment(Box<Payment>),
    /// An enrolment before the present one: its orders still go, and its codes can still be checked.
    Earlier(Box<Enrolment>),
    /// What is known of the gateway's clock.
    Clock(ClockMark),
    /// What the handheld says about an order after the hold.
    Notice(Box<Notice>),
}

/// Names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The one [`Record::Enrolment`].
    Enrolment,
    /// The one [`Record::Config`].
    Config,
    /// The one [`Record::Counters`].
    Counters,
    /// One [`Record::Payment`].
    Payment(PaymentId),
    /// One [`Record::Earlier`].
    Earlier(DeviceId),
    /// The one [`Record::Clock`].
    Clock,
    /// One [`Record::Notice`].
    Notice(PaymentId, NoticeTag),
}

/// One change of the disk.
#[derive(Clone)]
pub enum Write {
    /// Stores a record in place of an older one.
    Put(Record),
    /// Forgets a record.
    Delete(Key),
}

impl Write {
    /// Stores a payment.
    pub fn payment(payment: Payment) -> Self {
        Self::Put(Record::Payment(Box::new(payment)))
    }

    /// Stores an enrolment.
    pub fn enrolment(enrolment: Enrolment) -> Self {
        Self::Put(Record::Enrolment(Box::new(enrolment)))
    }
}

impl Write {
    /// The name of the record that it stores or forgets.
    pub fn key(&self) -> Key {
        match self {
            Self::Put(record) => record.key(),
            Self::Delete(key) => *key,
        }
    }
}

impl std::fmt::Debug for Write {
    /// Only what is written, not its contents: they hold a secret and orders.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Put(record) => write!(f, "put {:?}", record.key()),
            Self::Delete(key) => write!(f, "delete {key:?}"),
        }
    }
}

impl Record {
    /// Its name.
    pub fn key(&self) -> Key {
        match self {
            Self::Enrolment(_) => Key::Enrolment,
            Self::Config(_) => Key::Config,
            Self::Counters(_) => Key::Counters,
            Self::Payment(payment) => Key::Payment(payment.payment),
            Self::Earlier(enrolment) => Key::Earlier(enrolment.device),
            Self::Clock(_) => Key::Clock,
            Self::Notice(notice) => Key::Notice(notice.payment, notice.tag),
        }
    }
}

/// Who this handheld is, and where its gateway is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Scheme and host of the gateway's API.
    pub gateway_url: String,
    /// Where payers reach the gateway.
    pub public_url: String,
    /// The tenant.
    pub tenant: TenantSlug,
    /// The gateway that every order names.
    pub gateway: GatewayId,
    /// The gateway's public key (SEC 1), for signed receipts.
    pub gateway_public_key: Vec<u8>,
    /// This handheld.
    pub device: DeviceId,
    /// The device key's public half (SEC 1).
    pub public_key: Vec<u8>,
    /// Number of the officer.
    pub officer: OfficerId,
    /// Name of the officer.
    pub officer_name: String,
    /// Name of the organisation.
    pub organisation: String,
    /// True once an administrator has approved, until the gateway says otherwise.
    pub approved: bool,
    /// Key of the confirm codes.
    #[serde(with = "secret_bytes")]
    pub confirm_secret: Secret<[u8; CONFIRM_SECRET_BYTES]>,
    /// The gateway's public key for sealed copies, if it has one.
    #[serde(default)]
    pub copy_key: Option<[u8; COPY_KEY_BYTES]>,
    /// The private CA that vouches for the gateway (DER); none if the public roots do.
    #[serde(default, with = "base64_bytes_or_none")]
    pub ca: Option<Vec<u8>>,
}

impl Enrolment {
    /// Who vouches for this enrolment's gateway.
    pub fn trust(&self) -> Trust {
        self.ca.clone().map_or(Trust::Public, Trust::Own)
    }

    /// The device key's public half.
    pub fn device_key(&self) -> Result<DevicePublicKey, SignatureError> {
        DevicePublicKey::from_sec1(&self.public_key)
    }

    /// Where an order of this enrolment is sent and paid.
    pub fn route(&self) -> Route {
        Route {
            gateway_url: self.gateway_url.clone(),
            public_url: self.public_url.clone(),
            tenant: self.tenant.clone(),
            copy_key: self.copy_key,
        }
    }
}

/// The last configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// When it was fetched, by the handheld's clock.
    pub fetched_at_ms: u64,
    /// What the gateway said.
    pub config: ConfigResponse,
}

/// Where the counters stand. Committed with what they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The handheld that they count for: another enrolment counts from 1 again.
    pub device: DeviceId,
    /// Sequence number of the next order.
    pub next_sequence: u64,
    /// Changes are asked for after this revision.
    pub changes_after: u64,
    /// The ledger's epoch that `changes_after` belongs to.
    pub epoch: u64,
    /// Payments minted up to this time (the milliseconds in their IDs) may have been forgotten as
    /// history: news of one of these is no sign of a lost record.
    #[serde(default)]
    pub forgotten_until_ms: u64,
    /// The gateway knew orders of this handheld that its file did not: an older file was put back.
    #[serde(default)]
    pub older_file: bool,
}

impl Counters {
    /// Nothing counted yet.
    pub fn new(device: DeviceId) -> Self {
        Self {
            device,
            next_sequence: 1,
            changes_after: 0,
            epoch: 0,
            forgotten_until_ms: 0,
            older_file: false,
        }
    }
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its ID.
    pub payment: PaymentId,
    /// Counts the changes of this record, from 1.
    pub revision: u64,
    /// When the summary was opened, by the handheld's clock.
    pub drafted_at_ms: u64,
    /// What is paid for.
    pub cart: Cart,
    /// How, as it was offered when it was chosen. Shared by the payments that chose alike.
    #[serde(with = "shared_or_none")]
    pub method: Option<Arc<PaymentTypeOffer>>,
    /// The promise; `None` for a draft.
    pub held: Option<Held>,
}

/// A promise: the order as it was signed, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The signed order. These bytes are sent, every time.
    #[serde(with = "base64_bytes")]
    pub order: Vec<u8>,
    /// Which of this handheld's orders it is.
    pub sequence: u64,
    /// Who signed it.
    pub device: DeviceId,
    /// When, by the handheld's clock.
    pub held_at_ms: u64,
    /// Where it belongs, whatever enrolment comes later. Shared by the orders of one enrolment.
    #[serde(with = "shared")]
    pub route: Arc<Route>,
    /// How far it is on its way.
    pub delivery: Delivery,
    /// What the gateway last said about it. Apart, like the proof: thousands of queued orders have
    /// neither.
    pub status: Option<Box<PaymentStatus>>,
    /// The moment of the hold, on better clocks than the handheld's own.
    #[serde(default)]
    pub moment: HeldMoment,
    /// False from the commit that holds until it is certain that somebody was told. An order that
    /// is found like this at a start counts as held, and its screen says how it was found.
    #[serde(default = "yes")]
    pub told: bool,
    /// True if this record was made from what the gateway said: there is no order in it.
    #[serde(default)]
    pub imported: bool,
    /// The ledger's epoch in which the gateway last answered for it.
    #[serde(default)]
    pub epoch: u64,
    /// When the gateway first answered for it, by its clock.
    #[serde(default)]
    pub acknowledged_at_unix_s: Option<u64>,
    /// What proves offline that it is paid.
    #[serde(default)]
    pub proof: Option<Box<Proof>>,
    /// Wrong confirm codes typed for it.
    #[serde(default)]
    pub wrong_codes: u32,
}

fn yes() -> bool {
    true
}

/// Tells one start of the operating system from another.
pub type BootId = [u8; 16];

/// The moment of a hold, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldMoment {
    /// By the gateway's clock, in milliseconds since 1970.
    pub gateway_ms: Option<u64>,
    /// The start of the operating system that `mono_ms` belongs to.
    pub boot: Option<BootId>,
    /// By the clock that only runs forward.
    pub mono_ms: u64,
}

/// The gateway's time at a moment of the clock that only runs forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMark {
    /// The gateway's clock, Unix seconds.
    pub gateway_unix_s: u64,
    /// The start of the operating system that `mono_ms` belongs to.
    pub boot: BootId,
    /// The moment.
    pub mono_ms: u64,
}

/// Offline evidence that a payment is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The gateway's receipt as it was scanned; none if the payer's confirm code was typed.
    #[serde(default, with = "base64_bytes_or_none")]
    pub receipt: Option<Vec<u8>>,
    /// From the receipt.
    pub receipt_order_id: Option<ReceiptOrderId>,
    /// When it was checked, by the best clock there was: Unix seconds.
    pub checked_at_unix_s: u64,
}

/// Kinds of notice. There is at most one of each for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeTag {
    /// The officer asks to cancel.
    Cancel,
    /// The officer gives the payment up.
    Withdraw,
    /// The handheld cannot read its record.
    Quarantined,
}

/// A signed notice, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub payment: PaymentId,
    /// What is said.
    pub tag: NoticeTag,
    /// Why; empty for a cancellation.
    pub reason: String,
    /// The signed notice. These bytes are sent, every time.
    #[serde(with = "base64_bytes")]
    pub signed: Vec<u8>,
    /// Where it belongs.
    #[serde(with = "shared")]
    pub route: Arc<Route>,
    /// How far it is on its way.
    pub state: NoticeState,
    /// The ledger's epoch in which the gateway answered.
    #[serde(default)]
    pub epoch: u64,
}

/// How far a notice is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// Not sent, or sent with an unknown outcome.
    Queued,
    /// The gateway answered.
    Answered,
    /// The gateway will never take it.
    Refused(ParkedReason),
}

/// Where an order is sent and paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Scheme and host of the gateway's API.
    pub gateway_url: String,
    /// Where payers reach the gateway.
    pub public_url: String,
    /// The tenant.
    pub tenant: TenantSlug,
    /// What copies of its orders are sealed to.
    #[serde(default)]
    pub copy_key: Option<[u8; COPY_KEY_BYTES]>,
}

/// How far an order is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// In the outbox: not sent, or sent with an unknown outcome.
    Queued,
    /// The gateway has it.
    Delivered,
    /// The gateway will never take it as it is; a person must act.
    Parked(ParkedReason),
    /// Given up by the officer, and the gateway refuses it from now on.
    Withdrawn,
}

impl Payment {
    /// True if the officer takes cash for it.
    pub fn is_cash(&self) -> bool {
        self.method.as_ref().is_some_and(|method| method.provider == Provider::Cash)
    }

    /// True while it waits in the outbox.
    pub fn is_queued(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.delivery == Delivery::Queued)
    }

    /// True if the gateway answered for it before it was restored, so that it may have lost it.
    pub fn is_to_be_presented_again(&self, epoch: u64) -> bool {
        self.held.as_ref().is_some_and(|held| {
            held.delivery == Delivery::Delivered && !held.imported && held.epoch < epoch
        })
    }

    /// True if only the gateway knew it, and the gateway was restored since it last spoke of it.
    pub fn is_to_be_asked_about(&self, epoch: u64) -> bool {
        self.held.as_ref().is_some_and(|held| {
            held.delivery == Delivery::Delivered && held.imported && held.epoch < epoch
        })
    }
}
