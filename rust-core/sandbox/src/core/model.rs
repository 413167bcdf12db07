//! What the sandbox remembers. Rows are shared (`Arc`) between tables, events and stored answers:
//! a change makes a new row, and whoever holds the old one keeps a photograph of it.

mod books;
mod shop;

pub use books::{Dispute, Entry, EntryKind};
pub use shop::{Customer, Method, Price, Product};

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use holdfast_stripe::objects::{
    EventType, IntentStatus, RefundReason, RefundStatus, SessionPaymentStatus, SessionStatus,
};

use super::cards::{CardFacts, Decline};
use super::notes::Notes;

/// An object's ID, shared by all who name it.
pub type Id = Arc<str>;

/// A Checkout Session: its terms, and what changes.
#[derive(Clone, Debug)]
pub struct Session {
    /// What never changes.
    pub terms: Arc<SessionTerms>,
    /// Where it stands.
    pub status: SessionStatus,
    /// Whether it is paid.
    pub payment_status: SessionPaymentStatus,
    /// Made when the payer first confirms.
    pub intent: Option<Id>,
    /// What the payer typed.
    pub payer: Option<Arc<Payer>>,
}

/// What a session was made with. Photographs of a session share it.
#[derive(Debug)]
pub struct SessionTerms {
    /// `cs_test_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub expires_at: i64,
    /// What is paid for.
    pub lines: Arc<[Line]>,
    /// Lower case.
    pub currency: Arc<str>,
    /// In Stripe's units.
    pub amount_total: i64,
    /// Where a paid session leads.
    pub success_url: Arc<str>,
    /// Where the back link leads.
    pub cancel_url: Option<Arc<str>>,
    /// The caller's reference.
    pub client_reference_id: Option<Arc<str>>,
    /// The caller's notes.
    pub metadata: Arc<Notes>,
    /// Notes and description for the PaymentIntent to come.
    pub intent_data: Arc<IntentData>,
    /// Whether the money is only reserved at first.
    pub capture_by_hand: bool,
    /// `cus_…`
    pub customer: Option<Id>,
    /// Given by the caller; the page then does not ask for it.
    pub customer_email: Option<Arc<str>>,
    /// The page's language, as asked for.
    pub locale: Option<Arc<str>>,
    /// The word on the pay button, as asked for.
    pub submit_type: Option<Arc<str>>,
}

impl Deref for Session {
    type Target = SessionTerms;

    fn deref(&self) -> &SessionTerms {
        &self.terms
    }
}

/// One line of a session.
#[derive(Clone, Debug)]
pub struct Line {
    /// The product's name.
    pub name: Arc<str>,
    /// Price of one, in Stripe's units.
    pub unit_amount: i64,
    /// How many.
    pub quantity: i64,
    /// Both multiplied.
    pub amount: i64,
    /// The price that it was made from; none for `price_data`.
    pub price: Option<Id>,
}

/// What a session hands on to its PaymentIntent.
#[derive(Clone, Debug, Default)]
pub struct IntentData {
    /// Notes.
    pub metadata: Arc<Notes>,
    /// Description.
    pub description: Option<Arc<str>>,
    /// Where the receipt goes.
    pub receipt_email: Option<Arc<str>>,
}

/// Who pays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    /// E-mail address.
    pub email: Option<String>,
    /// Name on the card.
    pub name: Option<String>,
}

static NOBODY: LazyLock<Arc<Payer>> = LazyLock::new(Arc::default);

impl Payer {
    /// Of whom nothing is known; all such are one.
    pub(super) fn nobody() -> Arc<Self> {
        NOBODY.clone()
    }
}

/// A PaymentIntent: its terms, and what happens to it.
#[derive(Clone, Debug)]
pub struct Intent {
    /// What only an update changes.
    pub terms: Arc<IntentTerms>,
    /// Where it stands.
    pub status: IntentStatus,
    /// The payment method to be used next, or that was used.
    pub method: Option<Id>,
    /// What was taken, in Stripe's units.
    pub amount_received: i64,
    /// Every attempt, oldest first.
    pub charges: Vec<Id>,
    /// Why the last attempt failed.
    pub last_error: Option<Arc<LastError>>,
    /// The card that waits for the payer's confirmation at the bank.
    pub pending: Option<Arc<PendingCard>>,
    /// That it was canceled.
    pub canceled: Option<Arc<Canceled>>,
}

/// What a PaymentIntent was made with. Photographs of it share it.
#[derive(Clone, Debug)]
pub struct IntentTerms {
    /// `pi_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// In Stripe's units.
    pub amount: i64,
    /// Lower case.
    pub currency: Arc<str>,
    /// Notes and description.
    pub data: Arc<IntentData>,
    /// The session it belongs to.
    pub session: Option<Id>,
    /// `cus_…`
    pub customer: Option<Id>,
    /// Which payment methods, and whether they may lead away from the page.
    pub automatic: AutomaticMethods,
    /// Whether the money is only reserved at first.
    pub capture_by_hand: bool,
}

impl Deref for Intent {
    type Target = IntentTerms;

    fn deref(&self) -> &IntentTerms {
        &self.terms
    }
}

/// That a PaymentIntent was canceled.
#[derive(Debug)]
pub struct Canceled {
    /// Unix seconds.
    pub at: i64,
    /// Why.
    pub reason: Option<Arc<str>>,
}

/// Whether Stripe chooses the payment methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutomaticMethods {
    /// They were named.
    Off,
    /// It does, and they may lead away.
    WithRedirects,
    /// It does, without such as lead away.
    WithoutRedirects,
}

/// Why an attempt failed.
#[derive(Clone, Debug)]
pub enum LastError {
    /// The bank declined this charge.
    Declined(&'static Decline, Id),
    /// The payer did not confirm at the bank.
    NotAuthenticated,
}

/// A card that waits for the payer's confirmation.
#[derive(Clone, Debug)]
pub struct PendingCard {
    /// What was presented.
    pub presented: Presented,
    /// Where the payer goes afterwards.
    pub return_url: Option<Arc<str>>,
}

/// A card as it is presented for a charge.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The card.
    pub card: CardFacts,
    /// Who pays.
    pub payer: Arc<Payer>,
    /// `pm_…`; none when it was typed into the hosted page.
    pub method: Option<Id>,
}

/// A charge.
#[derive(Clone, Debug)]
pub struct Charge {
    /// `ch_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// In Stripe's units.
    pub amount: i64,
    /// Lower case.
    pub currency: Arc<str>,
    /// Whose attempt it is.
    pub intent: Id,
    /// Notes and description, from the PaymentIntent.
    pub data: Arc<IntentData>,
    /// The card, who paid, and the payment method.
    pub presented: Presented,
    /// `cus_…`
    pub customer: Option<Id>,
    /// What was taken, in Stripe's units; less than the amount until it is captured.
    pub amount_captured: i64,
    /// Whether the money was taken, not only reserved.
    pub captured: bool,
    /// `du_…`
    pub dispute: Option<Id>,
    /// Why it failed; none means that it succeeded.
    pub decline: Option<&'static Decline>,
    /// What went back so far.
    pub amount_refunded: i64,
    /// The refunds, oldest first.
    pub refunds: Vec<Id>,
}

/// A refund.
#[derive(Clone, Debug)]
pub struct Refund {
    /// `re_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// In Stripe's units.
    pub amount: i64,
    /// Lower case.
    pub currency: Arc<str>,
    /// What it is of.
    pub charge: Id,
    /// What it is of.
    pub intent: Id,
    /// Why.
    pub reason: Option<RefundReason>,
    /// Notes.
    pub metadata: Arc<Notes>,
    /// Where it stands.
    pub status: RefundStatus,
    /// Where the payer is asked for an account to send the money to.
    pub instructions_email: Option<Arc<str>>,
    /// Why it failed or was canceled.
    pub failure_reason: Option<&'static str>,
    /// The entry that brought the money back after that.
    pub failure_entry: Option<Id>,
}

/// A webhook endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `we_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// Where events go.
    pub url: Arc<str>,
    /// The signing secret.
    pub secret: holdfast_stripe::WebhookSecret,
    /// The secret before a roll, and until when in Unix seconds it signs as well.
    pub old_secret: Option<(holdfast_stripe::WebhookSecret, i64)>,
    /// What it is for.
    pub description: Option<Arc<str>>,
    /// Switched off: nothing is sent.
    pub disabled: bool,
    /// Which events; `*` is all of them.
    pub enabled_events: Arc<[EventType]>,
    /// Notes.
    pub metadata: Arc<Notes>,
    /// The version it was registered with.
    pub api_version: Option<Arc<str>>,
    /// Asked for by the set-up, not by a call.
    pub configured: bool,
    /// Gone: kept so that its deliveries still have a name.
    pub deleted: bool,
}

impl Endpoint {
    /// What deliveries are signed with: during a roll, the secret before as well.
    pub(super) fn signing_secrets(&self, now_s: i64) -> Vec<holdfast_stripe::WebhookSecret> {
        let old = self.old_secret.as_ref().filter(|(_, until_s)| now_s < *until_s);
        let old = old.map(|(secret, _)| secret.clone());
        [Some(self.secret.clone()), old].into_iter().flatten().collect()
    }
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// `evt_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// What happened.
    pub kind: EventType,
    /// To what, photographed.
    pub subject: Snapshot,
    /// The request that caused it, with its idempotency key; the payer on the page is none.
    pub cause: Option<Arc<Cause>>,
    /// Endpoints that have not taken it yet.
    pub pending_webhooks: u32,
}

/// The request that caused an event.
#[derive(Clone, Debug)]
pub struct Cause {
    /// `req_…`
    pub request: Id,
    /// Its key.
    pub idempotency_key: Option<Arc<str>>,
}

/// An object at one moment.
#[derive(Clone, Debug)]
pub enum Snapshot {
    /// A Checkout Session.
    Session(Arc<Session>),
    /// A PaymentIntent.
    Intent(Arc<Intent>),
    /// A charge.
    Charge(Arc<Charge>),
    /// A refund.
    Refund(Arc<Refund>),
    /// A dispute.
    Dispute(Arc<Dispute>),
    /// A payment method.
    Method(Arc<Method>),
    /// A customer.
    Customer(Arc<Customer>),
}

impl Snapshot {
    /// The object's ID.
    pub fn id(&self) -> &Id {
        match self {
            Self::Session(row) => &row.id,
            Self::Intent(row) => &row.id,
            Self::Charge(row) => &row.id,
            Self::Refund(row) => &row.id,
            Self::Dispute(row) => &row.id,
            Self::Method(row) => &row.id,
            Self::Customer(row) => &row.id,
        }
    }
}

/// What a table holds.
pub(super) trait Row: Clone {
    fn id(&self) -> &Id;
    fn created(&self) -> i64;
}

macro_rules! row {
    ($($name:ident),+) => {
        $(impl Row for $name {
            fn id(&self) -> &Id { &self.id }
            fn created(&self) -> i64 { self.created }
        })+
    };
}
row!(Session, Intent, Charge, Refund, Endpoint, Dispute, Entry, Method, Customer, Product, Price);
