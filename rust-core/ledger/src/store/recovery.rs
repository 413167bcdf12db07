//! What a restored ledger asks Stripe, and what it found.

use super::StoreError;
use crate::recovery::{FoundSession, Recovery};
use holdfast_domain::{PaymentId, TenantSlug};
use std::future::Future;

/// Asking Stripe what was lost with a ledger.
pub trait RecoveryTx: Send {
    /// What is asked of Stripe since the ledger was last put back, finished or not.
    fn recoveries(
        &mut self,
        tenant: &TenantSlug,
    ) -> impl Future<Output = Result<Vec<Recovery>, StoreError>> + Send;

    /// Writes a recovery, new or changed, by its key.
    fn put_recovery(
        &mut self,
        recovery: &Recovery,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sessions at Stripe of a payment that was not known when they were found, lowest number first.
    fn found_sessions(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<FoundSession>, StoreError>> + Send;

    /// Keeps a found session, new or as it is now, by its ID.
    fn put_found_session(
        &mut self,
        session: &FoundSession,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The payment is known now: its sessions are attempts.
    fn remove_found_sessions(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
