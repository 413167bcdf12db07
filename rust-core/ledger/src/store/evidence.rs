//! Attempts, evidence, and Stripe's objects and events.

use super::StoreError;
use crate::rows::{Attempt, Event, Source};
use holdfast_domain::{Evidence, PaymentId, TenantSlug};
use std::future::Future;

/// What was sent to Stripe and what was learned from it.
pub trait EvidenceTx: Send {
    /// All attempts of a payment, oldest first.
    fn attempts(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Attempt>, StoreError>> + Send;

    /// Writes an attempt, new or changed, by payment and number. The database itself refuses a
    /// second attempt of a payment that is not disposed of.
    fn put_attempt(
        &mut self,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All evidence of a payment.
    fn evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Evidence>, StoreError>> + Send;

    /// Stores a piece of evidence unless it is there already; true if it is new.
    fn add_evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
        evidence: &Evidence,
        source: Source,
        now_ms: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Remembers that an object of Stripe's belongs to a payment; true if that is new.
    fn link_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The payment that an object of Stripe's belongs to.
    fn payment_of_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> impl Future<Output = Result<Option<PaymentId>, StoreError>> + Send;

    /// Stores an event unless (mode, account, event ID) is there already; true if it is new.
    fn add_event(&mut self, event: &Event)
    -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives a payment the events that waited for an object of its; true if there were any.
    fn claim_events(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
