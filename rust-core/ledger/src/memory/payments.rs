//! Payments, notices about them, and their orders.

use super::MemoryTx;
use crate::rows::{Notice, Order, Payment};
use crate::store::{PaymentTx, StoreError};
use holdfast_domain::{AttentionReason, DeviceId, PaymentId, ReceiptOrderId, TenantSlug};

impl PaymentTx for MemoryTx<'_> {
    async fn payment(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        Ok(self.tables.payments.get(&(tenant.clone(), payment)).cloned())
    }

    async fn payment_of_sequence(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        sequence: u64,
    ) -> Result<Option<PaymentId>, StoreError> {
        let of_device = |p: &&Payment| p.device == device && p.sequence == sequence;
        let mut payments = self.tables.payments.values().filter(|p| p.tenant == *tenant);
        Ok(payments.find(of_device).map(|p| p.payment))
    }

    async fn waiting_for_approval(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> Result<u64, StoreError> {
        let waits = |p: &&Payment| p.attention == Some(AttentionReason::AwaitsApproval);
        let of_device = |p: &&Payment| p.tenant == *tenant && p.device == device;
        let count = self.tables.payments.values().filter(of_device).filter(waits).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn put_payment(&mut self, payment: &Payment) -> Result<(), StoreError> {
        let key = (payment.tenant.clone(), payment.payment);
        self.tables.write(|it| &mut it.payments, key, Some(payment.clone()));
        Ok(())
    }

    async fn next_revision(&mut self, tenant: &TenantSlug) -> Result<u64, StoreError> {
        let known = self.tables.revisions.get(tenant).copied().unwrap_or_default();
        let next = known.saturating_add(1);
        self.tables.write(|it| &mut it.revisions, tenant.clone(), Some(next));
        Ok(next)
    }

    async fn add_notice(&mut self, notice: &Notice) -> Result<bool, StoreError> {
        let key = (notice.tenant.clone(), notice.payment, notice.digest);
        let new = !self.tables.notices.contains_key(&key);
        if new {
            self.tables.write(|it| &mut it.notices, key, Some(notice.clone()));
        }
        Ok(new)
    }

    async fn is_given_up(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<bool, StoreError> {
        let from = (tenant.clone(), payment, [0; 32]);
        let to = (tenant.clone(), payment, [0xFF; 32]);
        Ok(self.tables.notices.range(from..=to).any(|(_, notice)| notice.gives_up()))
    }

    async fn order(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Order>, StoreError> {
        Ok(self.tables.orders.get(&(tenant.clone(), payment)).cloned())
    }

    async fn receipt_is_taken(
        &mut self,
        tenant: &TenantSlug,
        receipt: ReceiptOrderId,
    ) -> Result<bool, StoreError> {
        let taken = |order: &Order| order.tenant == *tenant && order.receipt_order_id == receipt;
        Ok(self.tables.orders.values().any(taken))
    }

    async fn add_order(&mut self, order: &Order) -> Result<(), StoreError> {
        let key = (order.tenant.clone(), order.payment);
        if self.tables.write(|it| &mut it.orders, key, Some(order.clone())) {
            return Err(StoreError::new("a second order of one payment"));
        }
        Ok(())
    }
}
