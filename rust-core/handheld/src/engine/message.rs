//! What goes into the engine and what comes out of it.

use super::exchange::{Request, Response, TransportFault};
use super::record::Write;
use crate::error::{
    CodeError, EnrolError, HoldError, MethodError, ReceiptError, RefreshError, RequestError,
    RetryError, SummaryError,
};
use crate::port::DeviceKeyError;
use crate::search::{FoundCharges, SearchError};
use crate::view::CartLine;
use holdfast_domain::{PaymentId, PaymentTypeCode};
use holdfast_protocol::EnrolmentLink;

/// Names one piece of work that the engine asked for; the answer carries it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Names one caller who waits for a [`Reply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller(pub u64);

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// The records are loaded; begin.
    Started,
    /// Somebody asks for something, and waits.
    Called {
        /// Who.
        caller: Caller,
        /// What.
        call: Call,
    },
    /// The device key's public half (SPKI, DER), or why not.
    PublicKey {
        /// Of [`Command::PublicKey`].
        ticket: Ticket,
        /// The answer.
        answer: Result<Vec<u8>, DeviceKeyError>,
    },
    /// A signature (DER), or why not.
    Signed {
        /// Of [`Command::Sign`].
        ticket: Ticket,
        /// The answer.
        answer: Result<Vec<u8>, DeviceKeyError>,
    },
    /// An HTTP answer, or why there is none.
    Answered {
        /// Of [`Command::Send`].
        ticket: Ticket,
        /// The answer.
        answer: Result<Response, TransportFault>,
    },
    /// The time of [`super::Engine::next_wake_ms`] has come.
    Woke,
    /// The system says that there is a network now, or none.
    Network {
        /// True if there is one.
        available: bool,
    },
}

/// What callers can ask for.
#[derive(Debug)]
pub enum Call {
    /// Join a gateway.
    Enrol(EnrolmentLink),
    /// Send, ask and fetch now.
    Refresh,
    /// Mint a payment for these lines.
    OpenSummary(Vec<CartLine>),
    /// The same for these lines and these charges, which were found before.
    OpenSummaryOf(Vec<CartLine>, Vec<String>),
    /// Look for charges.
    SearchCharges(String),
    /// Choose how a draft will be paid.
    ChooseMethod(PaymentId, PaymentTypeCode),
    /// Promise it.
    Hold(PaymentId),
    /// Forget a draft.
    DiscardDraft(PaymentId),
    /// Ask the gateway to cancel a held payment.
    Cancel(PaymentId),
    /// Give a held payment up, for a reason.
    Withdraw(PaymentId, String),
    /// Queue a parked payment again.
    Retry(PaymentId),
    /// Check the receipt of a payer.
    VerifyReceipt(String),
    /// Check the confirm code of a payer.
    VerifyCode(PaymentId, String),
}

/// What the engine wants done, in this order, once the writes of the step are durable.
#[derive(Debug)]
pub enum Command {
    /// Ask the device key for its public half; answer with [`Event::PublicKey`].
    PublicKey {
        /// For the answer.
        ticket: Ticket,
    },
    /// Have the device key sign; answer with [`Event::Signed`].
    Sign {
        /// For the answer.
        ticket: Ticket,
        /// What to sign (hashed with SHA-256 inside).
        message: Vec<u8>,
    },
    /// Make one HTTP exchange; answer with [`Event::Answered`].
    Send {
        /// For the answer.
        ticket: Ticket,
        /// What to send.
        request: Request,
    },
    /// The answer to this is not wanted any more.
    Abandon {
        /// Of an earlier [`Command::Send`].
        ticket: Ticket,
    },
    /// Answer a caller.
    Reply {
        /// Who.
        caller: Caller,
        /// The answer.
        reply: Reply,
    },
    /// Tell the screens.
    Notify {
        /// Of the snapshot.
        revision: u64,
    },
}

/// Answers to [`Call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To [`Call::Enrol`].
    Enrol(Result<(), EnrolError>),
    /// To [`Call::Refresh`].
    Refresh(Result<(), RefreshError>),
    /// To [`Call::SearchCharges`].
    SearchCharges(Result<FoundCharges, SearchError>),
    /// To [`Call::OpenSummary`] and [`Call::OpenSummaryOf`]: the ID of the draft.
    OpenSummary(Result<PaymentId, SummaryError>),
    /// To [`Call::ChooseMethod`].
    ChooseMethod(Result<(), MethodError>),
    /// To [`Call::Hold`].
    Hold(Result<(), HoldError>),
    /// To [`Call::DiscardDraft`].
    DiscardDraft(Result<(), SummaryError>),
    /// To [`Call::Cancel`] and [`Call::Withdraw`].
    Request(Result<(), RequestError>),
    /// To [`Call::Retry`].
    Retry(Result<(), RetryError>),
    /// To [`Call::VerifyReceipt`]: the payment that is paid.
    VerifyReceipt(Result<PaymentId, ReceiptError>),
    /// To [`Call::VerifyCode`].
    VerifyCode(Result<(), CodeError>),
}

/// Why records were not stored. Nothing of the commit is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// There is no room.
    #[error("no room")]
    Full,
    /// The storage does not work.
    #[error("the storage failed")]
    Failed,
}

impl Reply {
    /// The same answer, if what it promises could not be stored.
    pub(crate) fn not_stored(self, fault: StoreFault) -> Self {
        let full = fault == StoreFault::Full;
        let summary = if full { SummaryError::StorageFull } else { SummaryError::Storage };
        match self {
            Self::Enrol(_) if full => Self::Enrol(Err(EnrolError::StorageFull)),
            Self::Enrol(_) => Self::Enrol(Err(EnrolError::Storage)),
            Self::Refresh(_) => Self::Refresh(Err(RefreshError::Storage)),
            // A search promises nothing that is stored.
            Self::SearchCharges(answer) => Self::SearchCharges(answer),
            Self::OpenSummary(_) => Self::OpenSummary(Err(summary)),
            Self::ChooseMethod(_) if full => Self::ChooseMethod(Err(MethodError::StorageFull)),
            Self::ChooseMethod(_) => Self::ChooseMethod(Err(MethodError::Storage)),
            Self::Hold(_) if full => Self::Hold(Err(HoldError::StorageFull)),
            Self::Hold(_) => Self::Hold(Err(HoldError::Storage)),
            Self::DiscardDraft(_) => Self::DiscardDraft(Err(summary)),
            Self::Request(_) if full => Self::Request(Err(RequestError::StorageFull)),
            Self::Request(_) => Self::Request(Err(RequestError::Storage)),
            Self::Retry(_) if full => Self::Retry(Err(RetryError::StorageFull)),
            Self::Retry(_) => Self::Retry(Err(RetryError::Storage)),
            Self::VerifyReceipt(_) if full => Self::VerifyReceipt(Err(ReceiptError::StorageFull)),
            Self::VerifyReceipt(_) => Self::VerifyReceipt(Err(ReceiptError::Storage)),
            Self::VerifyCode(_) if full => Self::VerifyCode(Err(CodeError::StorageFull)),
            Self::VerifyCode(_) => Self::VerifyCode(Err(CodeError::Storage)),
        }
    }
}

/// What one event leads to. The shell commits [`Step::writes`] (all or nothing, durable) and then
/// calls [`super::Engine::settle`] with the outcome.
#[derive(Debug, Default)]
#[must_use = "a step that is not settled is lost"]
pub struct Step {
    pub(crate) writes: Vec<Write>,
    pub(crate) commands: Vec<Command>,
    pub(crate) replies: Vec<(Caller, Reply)>,
    pub(crate) chore: Option<Chore>,
}

/// What has succeeded if the step's writes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chore {
    /// The configuration was fetched.
    Config,
    /// Changes were fetched.
    Changes,
}

impl Step {
    /// To be stored before anything else happens; empty for many steps.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    pub(crate) fn reply(caller: Caller, reply: Reply) -> Self {
        Self { replies: vec![(caller, reply)], ..Self::default() }
    }

    pub(crate) fn store(writes: Vec<Write>) -> Self {
        Self { writes, ..Self::default() }
    }

    pub(crate) fn command(command: Command) -> Self {
        Self { commands: vec![command], ..Self::default() }
    }
}
