//! The two traits between decisions and databases.

mod audit;
mod charges;
mod evidence;
mod jobs;
mod payments;
mod recovery;
mod refunds;
mod setup;

pub use audit::AuditTx;
pub use charges::ChargeTx;
pub use evidence::EvidenceTx;
pub use jobs::JobTx;
pub use payments::PaymentTx;
pub use recovery::RecoveryTx;
pub use refunds::RefundTx;
pub use setup::SetupTx;

use std::future::Future;

/// The store could not do it: disk, connection, or a row that cannot be read. Nothing of the
/// decision happened; it can be run again.
#[derive(Debug, thiserror::Error)]
#[error("the ledger's store failed")]
pub struct StoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// A failure that is only words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into().into())
    }
}

/// What a decision may not find out by itself.
#[derive(Debug, Clone)]
pub struct Env {
    /// The gateway's clock: milliseconds since 1970.
    pub now_ms: i64,
    /// Fresh random bytes; receipt order IDs are drawn from them.
    pub entropy: [u8; 30],
}

/// Something the ledger is asked to decide.
pub trait Decision: Send + Sync + 'static {
    /// The answer, refusals included.
    type Outcome: Send + 'static;

    /// Decides within one transaction. An error rolls the transaction back. It may be called
    /// again, on another transaction, if the first could not be committed.
    fn decide<T: Tx>(
        &self,
        tx: &mut T,
        env: &Env,
    ) -> impl Future<Output = Result<Self::Outcome, StoreError>> + Send;
}

/// A ledger on some database.
pub trait Store: Send + Sync {
    /// Runs a decision in one transaction, durable when this returns.
    fn run<D: Decision>(
        &self,
        decision: D,
    ) -> impl Future<Output = Result<D::Outcome, StoreError>> + Send;
}

/// One transaction's view of the rows. Every method sees what the transaction wrote before. Each
/// part has a trait and a file of its own, here and in each store.
pub trait Tx:
    SetupTx + PaymentTx + EvidenceTx + ChargeTx + JobTx + RefundTx + RecoveryTx + AuditTx
{
}

impl<T> Tx for T where
    T: SetupTx + PaymentTx + EvidenceTx + ChargeTx + JobTx + RefundTx + RecoveryTx + AuditTx
{
}
