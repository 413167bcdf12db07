//! What is owed, and the claims on it.

use super::StoreError;
use crate::charges::{Charge, Claim};
use crate::decisions::refused_cash::RefusedCash;
use holdfast_domain::{ChargeReference, DeviceId, Mode, PaymentId, TenantSlug};
use std::future::Future;

/// Charges, the claims of payments on them, and cash that was handed in.
pub trait ChargeTx: Send {
    /// The charge of that reference.
    fn charge(
        &mut self,
        tenant: &TenantSlug,
        reference: &ChargeReference,
    ) -> impl Future<Output = Result<Option<Charge>, StoreError>> + Send;

    /// Writes a charge, new or changed, by its reference.
    fn put_charge(
        &mut self,
        charge: &Charge,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All claims of a payment.
    fn claims_of(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Claim>, StoreError>> + Send;

    /// All claims on a charge in a mode, the oldest first.
    fn claims_on(
        &mut self,
        tenant: &TenantSlug,
        mode: Mode,
        reference: &ChargeReference,
    ) -> impl Future<Output = Result<Vec<Claim>, StoreError>> + Send;

    /// Writes a claim, new or changed, by charge and payment. The database itself refuses a second
    /// claim on a charge that is settling.
    fn put_claim(&mut self, claim: &Claim) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What is kept of an order over cash that was refused.
    fn refused_cash(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<RefusedCash>, StoreError>> + Send;

    /// How many of a handheld's refused orders over cash nobody has dealt with.
    fn refused_cash_waiting(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Keeps a refused order over cash, or what was done about it, by its payment.
    fn put_refused_cash(
        &mut self,
        refused: &RefusedCash,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// True if the cash of this payment was handed in: its shift is closed.
    fn is_handed_in(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
