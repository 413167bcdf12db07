//! What a restored ledger asks Stripe, and what it found.

use super::MemoryTx;
use crate::recovery::{FoundSession, Recovery};
use crate::store::{RecoveryTx, StoreError};
use holdfast_domain::{PaymentId, TenantSlug};

impl RecoveryTx for MemoryTx<'_> {
    async fn recoveries(&mut self, tenant: &TenantSlug) -> Result<Vec<Recovery>, StoreError> {
        let of_tenant = |it: &&Recovery| it.key.tenant == *tenant;
        Ok(self.tables.recoveries.values().filter(of_tenant).cloned().collect())
    }

    async fn put_recovery(&mut self, recovery: &Recovery) -> Result<(), StoreError> {
        self.tables.write(|it| &mut it.recoveries, recovery.key.clone(), Some(recovery.clone()));
        Ok(())
    }

    async fn found_sessions(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<FoundSession>, StoreError> {
        let ours = |it: &&FoundSession| it.tenant == *tenant && it.payment == payment;
        let mut found: Vec<_> = self.tables.found.values().filter(ours).cloned().collect();
        found.sort_by_key(|it| it.number);
        Ok(found)
    }

    async fn put_found_session(&mut self, session: &FoundSession) -> Result<(), StoreError> {
        let key = (session.tenant.clone(), session.session.clone());
        self.tables.write(|it| &mut it.found, key, Some(session.clone()));
        Ok(())
    }

    async fn remove_found_sessions(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<(), StoreError> {
        for found in self.found_sessions(tenant, payment).await? {
            self.tables.write(|it| &mut it.found, (found.tenant, found.session), None);
        }
        Ok(())
    }
}
