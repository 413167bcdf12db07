//! What the gateway decides, without HTTP, SQL or a clock.
//!
//! Every change of the ledger is a [`Decision`]: a value that says what is wanted ([`Accept`] an
//! order, [`Pay`], [`Learn`] evidence …). A [`Store`] runs it inside one database transaction; the
//! decision reads and writes rows through [`Tx`] and answers with an outcome. Because a decision is
//! data, a store may run many of them in one transaction, or run one again after a conflict.
//!
//! The way of a payment through here:
//!
//! 1. [`Accept`] verifies the signed order and writes the payment. The same order again answers
//!    as before; the same payment ID with another payload is a conflict.
//! 2. [`Pay`] (the payer pressed *Pay*) writes an attempt with its frozen request before anything is
//!    sent, or names the attempt that is there already. At most one attempt of a payment is not
//!    disposed of.
//! 3. [`SessionOpened`] and [`OpenRefused`] tell what became of the request.
//! 4. [`Learn`] stores evidence, lets `holdfast_domain` read the state off it, disposes of attempts
//!    that can no longer be paid, and makes the one order in the same transaction as the state.
//! 5. [`TakeNotice`] hears a handheld out that cancels or withdraws. Paid wins: a payment is only
//!    canceled once it is certain that no session of it takes money any more.
//! 6. [`RecordEvent`] stores a webhook event once, and makes the job that looks at its payment.
//! 7. [`AskRefund`] and what follows it ([`refund`]) send money back, never more than came.
//!    [`DecideLoss`] says what becomes of a charge whose money a bank took back.
//! 8. [`LeaseJobs`] and [`FinishJob`] hand durable work to workers, fenced, so that a slow worker
//!    cannot finish what another has taken over.
//! 9. After a restore, [`BeginRecovery`], [`TakeSessions`], [`TakeEvents`] and [`TakeNamed`] bring back
//!    what Stripe knows and the backup does not ([`recovery`]); until that is done, [`Pay`] opens no new
//!    card page.
//!
//! What orders are for may be owed already: [`charges`] holds who settles what, so that a charge is
//! paid once.
//!
//! [`work`] carries those jobs out: what is asked of Stripe, and what the ledger is told of it.
//!
//! [`memory`] is the store of the simulation; `conformance` is the suite that every store passes.

pub mod charges;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod decisions;
pub mod memory;
pub mod observe;
pub mod recovery;
pub mod refund;
mod rows;
pub mod schedule;
mod store;
pub mod work;

pub use charges::{
    Charge, ChargeLine, ChargeRefused, Claim, PutCharges, PutOutcome, WithdrawCharge,
    WithdrawOutcome,
};
pub use decisions::accept::{Accept, AcceptOutcome};
pub use decisions::approve::{Approve, ApproveOutcome};
pub use decisions::cash::{VoidCash, VoidOutcome};
pub use decisions::event::{RecordEvent, RecordEventOutcome};
pub use decisions::follow::{FollowFound, FoundSeen};
pub use decisions::jobs::{FinishJob, JobEnd, LeaseJobs};
pub use decisions::learn::{EndLifetime, Learn, LearnOutcome};
pub use decisions::loss::{DecideLoss, LossOutcome};
pub use decisions::notice::{NoticeOutcome, TakeNotice};
pub use decisions::open::{OpenRefused, SessionOpened};
pub use decisions::pay::{Pay, PayOutcome, Proposal};
pub use decisions::recover::{
    BeginRecovery, PassList, PutOffRecovery, TakeEvents, TakeNamed, TakeSessions,
};
pub use decisions::refused_cash::{HandleRefusedCash, Handled, RefusedCash};
pub use refund::{
    Acknowledge, AlertStatus, AskRefund, AskRefundOutcome, AuditAct, FinanceAlert, RefundKey,
    RefundMade, RefundRefused, RefundRequest, RefundWaits, RefundsOf, RequestState, refunds_known,
};
pub use rows::{
    Attempt, AttemptState, Carrier, Device, DeviceStatus, Event, Hint, Job, JobKind, Notice, Order,
    Payment, PaymentType, Pin, Source,
};
pub use store::{
    AuditTx, ChargeTx, Decision, Env, EvidenceTx, JobTx, PaymentTx, RecoveryTx, RefundTx, SetupTx,
    Store, StoreError, Tx,
};
