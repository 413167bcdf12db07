//! What is set up.

use super::MemoryTx;
use crate::rows::{Device, PaymentType};
use crate::store::{SetupTx, StoreError};
use holdfast_domain::{Catalogue, DeviceId, GatewayId, PaymentTypeCode, TenantSlug};

impl SetupTx for MemoryTx<'_> {
    async fn gateway(&mut self) -> Result<GatewayId, StoreError> {
        Ok(self.gateway)
    }

    async fn device(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> Result<Option<Device>, StoreError> {
        Ok(self.tables.devices.get(&(tenant.clone(), device)).cloned())
    }

    async fn continues(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        earlier: DeviceId,
    ) -> Result<bool, StoreError> {
        Ok(self.tables.continuity.contains(&(tenant.clone(), device, earlier)))
    }

    async fn payment_type(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> Result<Option<PaymentType>, StoreError> {
        Ok(self.tables.payment_types.get(&(tenant.clone(), code.clone())).cloned())
    }

    async fn end_trial(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> Result<(), StoreError> {
        let key = (tenant.clone(), code.clone());
        if let Some(kind) = self.tables.payment_types.get(&key) {
            let kind = PaymentType { trial: None, ..kind.clone() };
            self.tables.write(|it| &mut it.payment_types, key, Some(kind));
        }
        Ok(())
    }

    async fn catalogue(
        &mut self,
        tenant: &TenantSlug,
        version: u32,
    ) -> Result<Option<Catalogue>, StoreError> {
        Ok(self.tables.catalogues.get(&(tenant.clone(), version)).cloned())
    }
}
