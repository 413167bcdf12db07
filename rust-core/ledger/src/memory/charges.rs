//! What is owed, and the claims on it.

use super::MemoryTx;
use crate::charges::{Charge, Claim};
use crate::decisions::refused_cash::RefusedCash;
use crate::store::{ChargeTx, StoreError};
use holdfast_domain::{ChargeReference, DeviceId, Mode, PaymentId, TenantSlug};

impl ChargeTx for MemoryTx<'_> {
    async fn charge(
        &mut self,
        tenant: &TenantSlug,
        reference: &ChargeReference,
    ) -> Result<Option<Charge>, StoreError> {
        Ok(self.tables.charges.get(&(tenant.clone(), reference.clone())).cloned())
    }

    async fn put_charge(&mut self, charge: &Charge) -> Result<(), StoreError> {
        let key = (charge.tenant.clone(), charge.reference.clone());
        self.tables.write(|it| &mut it.charges, key, Some(charge.clone()));
        Ok(())
    }

    async fn claims_of(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Claim>, StoreError> {
        let of = |claim: &&Claim| claim.tenant == *tenant && claim.payment == payment;
        Ok(self.tables.claims.values().filter(of).cloned().collect())
    }

    async fn claims_on(
        &mut self,
        tenant: &TenantSlug,
        mode: Mode,
        reference: &ChargeReference,
    ) -> Result<Vec<Claim>, StoreError> {
        let on = |claim: &&Claim| {
            claim.tenant == *tenant && claim.mode == mode && claim.reference == *reference
        };
        let mut found: Vec<_> = self.tables.claims.values().filter(on).cloned().collect();
        found.sort_by_key(|claim| (claim.made_at_ms, claim.payment));
        Ok(found)
    }

    async fn put_claim(&mut self, claim: &Claim) -> Result<(), StoreError> {
        let others = self.claims_on(&claim.tenant, claim.mode, &claim.reference).await?;
        let settling = |it: &Claim| it.payment != claim.payment && it.state.is_settling();
        if claim.state.is_settling() && others.iter().any(settling) {
            return Err(StoreError::new("a second settling claim on one charge"));
        }
        let key = (claim.tenant.clone(), claim.reference.clone(), claim.payment);
        self.tables.write(|it| &mut it.claims, key, Some(claim.clone()));
        Ok(())
    }

    async fn refused_cash(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<RefusedCash>, StoreError> {
        Ok(self.tables.refused_cash.get(&(tenant.clone(), payment)).cloned())
    }

    async fn refused_cash_waiting(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> Result<u64, StoreError> {
        let waits =
            |it: &&RefusedCash| it.tenant == *tenant && it.device == device && it.handled.is_none();
        let count = self.tables.refused_cash.values().filter(waits).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn put_refused_cash(&mut self, refused: &RefusedCash) -> Result<(), StoreError> {
        let key = (refused.tenant.clone(), refused.payment);
        self.tables.write(|it| &mut it.refused_cash, key, Some(refused.clone()));
        Ok(())
    }

    async fn is_handed_in(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<bool, StoreError> {
        Ok(self.tables.handed_in.contains(&(tenant.clone(), payment)))
    }
}
