//! The rows that decisions read and write. Stores decide how they lie on disk.

use holdfast_domain::{
    AttentionReason, ChargeReference, Currency, DeclineReason, DeviceId, Mode, Money, OfficerId,
    PaymentId, PaymentState, PaymentTypeCode, PricedLine, ReceiptOrderId, TenantSlug,
};
use holdfast_protocol::wire::{PaymentStatus, Provider};
use holdfast_protocol::{DevicePublicKey, NoticeKind, OrderDigest};

/// A handheld as the ledger needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub device: DeviceId,
    /// Verifies its orders.
    pub public_key: DevicePublicKey,
    /// May it pay?
    pub status: DeviceStatus,
}

/// Whether a handheld's orders are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceStatus {
    /// Enrolled; an administrator has not approved yet.
    Pending,
    /// Approved.
    Approved,
    /// Lost or retired.
    Revoked,
}

/// The credentials that a payment is tied to for its whole life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Stripe's account ID, or empty while it is not known yet.
    pub account: String,
    /// Counts the sets of credentials of a payment type.
    pub generation: u32,
}

/// A payment type as the ledger needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentType {
    /// Code.
    pub code: PaymentTypeCode,
    /// Who moves the money.
    pub provider: Provider,
    /// Test or live, now.
    pub mode: Mode,
    /// The one currency it takes.
    pub currency: Currency,
    /// Least amount in minor units that the provider takes.
    pub minor_min: i64,
    /// Largest amount in minor units that the provider takes.
    pub minor_max: i64,
    /// The credentials in force; none before they are set.
    pub pin: Option<Pin>,
    /// While Live Mode is on trial: the officers who may use it. None otherwise.
    pub trial: Option<Vec<OfficerId>>,
}

/// Who brought an order first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The handheld sent it.
    Handheld,
    /// The payer's phone brought it inside the pay address.
    Payer,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Whose.
    pub tenant: TenantSlug,
    /// Which.
    pub payment: PaymentId,
    /// Who signed.
    pub device: DeviceId,
    /// The device's count.
    pub sequence: u64,
    /// Who held.
    pub officer: OfficerId,
    /// With tenant, device and payment ID: the order's identity.
    pub digest: OrderDigest,
    /// The envelope as it was first brought.
    pub order_bytes: Vec<u8>,
    /// Who brought it first.
    pub carrier: Carrier,
    /// Test or live, for ever.
    pub mode: Mode,
    /// How it is paid.
    pub payment_type: PaymentTypeCode,
    /// The credentials, for ever.
    pub pin: Pin,
    /// The lines in words.
    pub lines: Vec<PricedLine>,
    /// Their sum.
    pub total: Money,
    /// By the handheld's clock.
    pub held_at_unix_s: u64,
    /// When the gateway took it.
    pub accepted_at_ms: i64,
    /// When its lifetime ends.
    pub lifetime_ends_at_ms: i64,
    /// Where it stands; only [`crate::Learn`] and its kin write it, from evidence.
    pub state: PaymentState,
    /// With state declined.
    pub decline: Option<DeclineReason>,
    /// With state needs attention.
    pub attention: Option<AttentionReason>,
    /// Number of its last change within the tenant.
    pub revision: u64,
    /// When it last changed.
    pub changed_at_ms: i64,
    /// Once an order exists.
    pub receipt_order_id: Option<ReceiptOrderId>,
    /// Once an order exists.
    pub paid_at_ms: Option<i64>,
    /// A charge of it that another payment holds: until that is over it cannot be paid.
    pub held_up: Option<ChargeReference>,
}

impl Payment {
    /// The payment as handhelds read it.
    pub fn status(&self) -> PaymentStatus {
        let seconds = |ms: i64| u64::try_from(ms.div_euclid(1000)).unwrap_or(0);
        PaymentStatus {
            payment: self.payment,
            revision: self.revision,
            state: self.state,
            amount: self.total,
            receipt_order_id: self.receipt_order_id,
            paid_at_unix_s: self.paid_at_ms.map(seconds),
            decline: self.decline,
            attention: self.attention,
            held_up: self.held_up.clone(),
        }
    }
}

/// How far an attempt to open a checkout session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// The request is stored; it may or may not have reached Stripe.
    Frozen,
    /// Stripe answered with a session.
    Opened,
    /// Proven: it takes no money any more, or never came to be.
    Disposed,
}

/// One attempt to open a checkout session.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment.
    pub payment: PaymentId,
    /// From 1.
    pub number: u32,
    /// How far it is.
    pub state: AttemptState,
    /// Derived from payment ID and number.
    pub idempotency_key: String,
    /// The body, byte for byte, as it is sent and sent again.
    pub frozen_body: String,
    /// When it was frozen, before the first send.
    pub frozen_at_ms: i64,
    /// When Stripe will expire the session: part of the frozen body. Unix seconds.
    pub expires_at_unix_s: i64,
    /// Stripe's session, once known.
    pub session: Option<String>,
    /// Stripe's page, once known. It lets anybody pay, so it is in no log.
    pub url: Option<String>,
}

/// The one order of a paid payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whose.
    pub tenant: TenantSlug,
    /// The payment; unique.
    pub payment: PaymentId,
    /// What people call it; unique within the tenant.
    pub receipt_order_id: ReceiptOrderId,
    /// When the ledger learned that it is paid.
    pub paid_at_ms: i64,
    /// How much.
    pub amount: Money,
}

/// A handheld's signed notice as it is stored, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whose.
    pub tenant: TenantSlug,
    /// About which payment; its order may never have come.
    pub payment: PaymentId,
    /// Who signed.
    pub device: DeviceId,
    /// SHA-256 of the signed payload: the same notice again is the same row.
    pub digest: [u8; 32],
    /// What is said.
    pub kind: NoticeKind,
    /// By the handheld's clock.
    pub made_at_unix_s: u64,
    /// When it came first.
    pub received_at_ms: i64,
    /// The envelope.
    pub bytes: Vec<u8>,
}

impl Notice {
    /// True if nobody shall pay this payment any more.
    pub fn gives_up(&self) -> bool {
        matches!(self.kind, NoticeKind::Cancel | NoticeKind::Withdraw { .. })
    }
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The object names our payment in its metadata or client reference.
    Payment(PaymentId),
    /// Only Stripe's object is known (session, intent, charge or refund).
    Object(String),
    /// Nothing that this gateway follows.
    Nothing,
}

/// A webhook event as it is stored, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub tenant: TenantSlug,
    /// Test or live.
    pub mode: Mode,
    /// Stripe's account, or empty where the endpoint has only one.
    pub account: String,
    /// Stripe's ID.
    pub event: String,
    /// Such as `checkout.session.completed`.
    pub kind: String,
    /// The object's ID, or empty.
    pub object: String,
    /// When it came.
    pub received_at_ms: i64,
    /// The raw body whose signature was checked.
    pub body: Vec<u8>,
    /// The payment it is about, if that is one of ours.
    pub payment: Option<PaymentId>,
    /// The object of Stripe's, or the payment, that is not known here yet and that it is about.
    pub waiting_for: Option<String>,
}

/// Where evidence came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person's act in the gateway or on the handheld.
    Act,
    /// A webhook made us look.
    Webhook,
    /// The payer came back from Stripe's page.
    Redirect,
    /// The gateway asked by itself.
    Poll,
}

impl Source {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Webhook => "webhook",
            Self::Redirect => "redirect",
            Self::Poll => "poll",
        }
    }
}

/// Kinds of durable work. There is at most one job of a kind for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Send the frozen request of the attempt that is not disposed of.
    OpenSession,
    /// Ask Stripe how the session stands.
    CheckSession,
    /// The lifetime is over.
    EndLifetime,
    /// Send the frozen request of a refund that is not decided.
    SendRefund,
    /// Ask Stripe, over weeks, whether a refund stays as it was.
    FollowRefunds,
}

impl JobKind {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenSession => "open_session",
            Self::CheckSession => "check_session",
            Self::EndLifetime => "end_lifetime",
            Self::SendRefund => "send_refund",
            Self::FollowRefunds => "follow_refunds",
        }
    }

    /// Reads what [`JobKind::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::OpenSession,
            Self::CheckSession,
            Self::EndLifetime,
            Self::SendRefund,
            Self::FollowRefunds,
        ];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A piece of durable work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whose.
    pub tenant: TenantSlug,
    /// What.
    pub kind: JobKind,
    /// For which payment.
    pub payment: PaymentId,
    /// Not before.
    pub due_at_ms: i64,
    /// Leased until then; 0 if nobody has it.
    pub leased_until_ms: i64,
    /// New with every lease and never used twice: only the latest holder may finish it.
    pub fence: u64,
    /// Grows with every wish for it.
    pub wanted: u64,
    /// Leases since it last made progress.
    pub tries: u32,
}
