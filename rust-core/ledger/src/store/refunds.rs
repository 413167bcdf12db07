//! Refunds.

use super::StoreError;
use crate::refund::{FinanceAlert, RefundKey, RefundRequest};
use holdfast_domain::{PaymentId, TenantSlug};
use std::future::Future;

/// What was asked back, and what the finance role was told.
pub trait RefundTx: Send {
    /// All requests of a payment, oldest first.
    fn refund_requests(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<RefundRequest>, StoreError>> + Send;

    /// A request by its key.
    fn refund_request(
        &mut self,
        tenant: &TenantSlug,
        key: &RefundKey,
    ) -> impl Future<Output = Result<Option<RefundRequest>, StoreError>> + Send;

    /// Writes a request, new or changed, by its key. The database itself refuses a second one of
    /// a payment that is frozen.
    fn put_refund_request(
        &mut self,
        request: &RefundRequest,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What the finance role was told about an object.
    fn alert(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> impl Future<Output = Result<Option<FinanceAlert>, StoreError>> + Send;

    /// Writes an alert, new or changed, by its object.
    fn put_alert(
        &mut self,
        alert: &FinanceAlert,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
