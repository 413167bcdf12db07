//! Carrying out durable work: what is asked of Stripe, and what the ledger is told of it.
//!
//! This is the gateway's half of every promise to Stripe, written over two traits, so that the
//! server runs it on SQLite and the real Stripe, and the simulation on memory and a Stripe that
//! loses answers. What a job does may be done twice without harm: requests are frozen, and
//! evidence is evidence however often it is brought.
//!
//! - [`propose`] freezes the request for a checkout session.
//! - [`open_session`] sends it, again if need be, or looks up what it made.
//! - [`look`] asks how the sessions of a payment stand, and has those ended that nobody wants any
//!   more (cancel, withdraw).
//! - [`send_refund`] sends a frozen refund, or looks up what it made.
//! - [`recover`] asks for what a restored ledger has lost; [`recorded`] reads the events among it;
//!   [`follow_found`] looks at card pages whose order nobody has brought again.

mod event;
mod look;
mod open;
mod propose;
mod recover;
mod refund;
mod stripe_calls;

pub use event::{FOLLOWED, hint, recorded};
pub use look::look;
use look::look_closely;
pub use open::open_session;
pub use propose::{META_PAYMENT, META_REFUND, mode, propose};
pub use recover::{follow_found, recover};
pub use refund::send_refund;
pub use stripe_calls::StripeCalls;

use crate::rows::{Attempt, Job, JobKind, Payment, Source};
use crate::store::{Store, StoreError};
use crate::{EndLifetime, JobEnd, observe, schedule};
use holdfast_domain::{PaymentId, TenantSlug};
use holdfast_stripe::{CallError, FreezeError};
use std::future::Future;

/// What work reads outside of decisions.
pub trait Reads: Send + Sync {
    /// A payment as it stands.
    fn payment(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<Payment>, StoreError>> + Send;

    /// Its attempts, oldest first.
    fn attempts(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Attempt>, StoreError>> + Send;
}

/// Why work is left for later. Nothing follows from it: the payment stands as it stood.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Stripe did not answer as it should.
    #[error(transparent)]
    Stripe(#[from] CallError),
    /// The ledger's store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A request could not be written down.
    #[error(transparent)]
    Freeze(#[from] FreezeError),
}

/// Carries out one leased job of a payment.
pub async fn carry_out<L: Store + Reads, S: StripeCalls>(
    ledger: &L,
    stripe: &S,
    job: &Job,
    payment: &Payment,
    source: Source,
    now_ms: i64,
) -> Result<JobEnd, WorkError> {
    match job.kind {
        JobKind::OpenSession => open_session(ledger, stripe, payment, now_ms).await,
        JobKind::CheckSession => {
            let (after, any_open) = look_closely(ledger, stripe, payment, source).await?;
            let attempts = ledger.attempts(&after.tenant, after.payment).await?;
            let again = any_open || observe::may_change_by_itself(&after, &attempts);
            Ok(if again { JobEnd::Again } else { JobEnd::Done })
        }
        JobKind::EndLifetime => {
            let over = payment.lifetime_ends_at_ms <= now_ms;
            let end = EndLifetime { tenant: job.tenant.clone(), payment: job.payment };
            ledger.run(end).await?;
            Ok(if over { JobEnd::Done } else { JobEnd::Again })
        }
        JobKind::SendRefund => send_refund(ledger, stripe, payment, now_ms).await,
        JobKind::FollowRefunds => {
            look(ledger, stripe, payment, source).await?;
            let again = schedule::goes_on_following(job.tries);
            Ok(if again { JobEnd::Again } else { JobEnd::Done })
        }
    }
}
