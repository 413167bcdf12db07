//! Payments, notices about them, and their orders.

use super::StoreError;
use crate::rows::{Notice, Order, Payment};
use holdfast_domain::{DeviceId, PaymentId, ReceiptOrderId, TenantSlug};
use std::future::Future;

/// Payments, the notices about them, and what exists after one is paid.
pub trait PaymentTx: Send {
    /// A payment, by its ID.
    fn payment(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<Payment>, StoreError>> + Send;

    /// The payment that used a device's sequence number.
    fn payment_of_sequence(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        sequence: u64,
    ) -> impl Future<Output = Result<Option<PaymentId>, StoreError>> + Send;

    /// How many payments of a device wait for a person's approval.
    fn waiting_for_approval(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Writes a payment, new or changed, by its ID.
    fn put_payment(
        &mut self,
        payment: &Payment,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The next number of the tenant's change counter.
    fn next_revision(
        &mut self,
        tenant: &TenantSlug,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Stores a notice unless it is there already; true if it is new.
    fn add_notice(
        &mut self,
        notice: &Notice,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// True if a cancel or withdraw notice about this payment is stored.
    fn is_given_up(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The order of a payment.
    fn order(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// True if the tenant has an order of that receipt order ID.
    fn receipt_is_taken(
        &mut self,
        tenant: &TenantSlug,
        receipt: ReceiptOrderId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes the one order of a payment. The database itself refuses a second one.
    fn add_order(&mut self, order: &Order) -> impl Future<Output = Result<(), StoreError>> + Send;
}
