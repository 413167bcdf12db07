//! Refunds in memory.

use super::MemoryTx;
use crate::refund::{AuditAct, FinanceAlert, RefundKey, RefundRequest, RequestState};
use crate::store::{AuditTx, RefundTx, StoreError};
use holdfast_domain::{PaymentId, TenantSlug};

impl RefundTx for MemoryTx<'_> {
    async fn refund_requests(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<RefundRequest>, StoreError> {
        let of_payment = |it: &&RefundRequest| it.tenant == *tenant && it.payment == payment;
        let found = self.tables.refund_requests.values().filter(of_payment);
        let mut found: Vec<RefundRequest> = found.cloned().collect();
        found.sort_by(|a, b| (a.asked_at_ms, &a.key).cmp(&(b.asked_at_ms, &b.key)));
        Ok(found)
    }

    async fn refund_request(
        &mut self,
        tenant: &TenantSlug,
        key: &RefundKey,
    ) -> Result<Option<RefundRequest>, StoreError> {
        Ok(self.tables.refund_requests.get(&(tenant.clone(), key.clone())).cloned())
    }

    async fn put_refund_request(&mut self, request: &RefundRequest) -> Result<(), StoreError> {
        let others = self.refund_requests(&request.tenant, request.payment).await?;
        let frozen = |it: &RefundRequest| it.state == RequestState::Frozen;
        if frozen(request) && others.iter().any(|it| it.key != request.key && frozen(it)) {
            return Err(StoreError::new("a second refund request that is not decided"));
        }
        let key = (request.tenant.clone(), request.key.clone());
        self.tables.write(|it| &mut it.refund_requests, key, Some(request.clone()));
        Ok(())
    }

    async fn alert(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> Result<Option<FinanceAlert>, StoreError> {
        Ok(self.tables.alerts.get(&(tenant.clone(), object.to_owned())).cloned())
    }

    async fn put_alert(&mut self, alert: &FinanceAlert) -> Result<(), StoreError> {
        let key = (alert.tenant.clone(), alert.object.clone());
        self.tables.write(|it| &mut it.alerts, key, Some(alert.clone()));
        Ok(())
    }
}

impl AuditTx for MemoryTx<'_> {
    async fn record_act(&mut self, act: AuditAct) -> Result<(), StoreError> {
        self.tables.push(|it| &mut it.acts, act);
        Ok(())
    }
}
