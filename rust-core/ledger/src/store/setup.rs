//! What is set up.

use super::StoreError;
use crate::rows::{Device, PaymentType};
use holdfast_domain::{Catalogue, DeviceId, GatewayId, PaymentTypeCode, TenantSlug};
use std::future::Future;

/// What an administrator set up: read by decisions, never written by them.
pub trait SetupTx: Send {
    /// This installation.
    fn gateway(&mut self) -> impl Future<Output = Result<GatewayId, StoreError>> + Send;

    /// An enrolled handheld.
    fn device(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
    ) -> impl Future<Output = Result<Option<Device>, StoreError>> + Send;

    /// True if the handheld has proved that it was another one before.
    fn continues(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        earlier: DeviceId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// A payment type.
    fn payment_type(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> impl Future<Output = Result<Option<PaymentType>, StoreError>> + Send;

    /// The trial of a payment type's Live Mode is over: it is open to everyone.
    fn end_trial(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A catalogue at a version it once had.
    fn catalogue(
        &mut self,
        tenant: &TenantSlug,
        version: u32,
    ) -> impl Future<Output = Result<Option<Catalogue>, StoreError>> + Send;
}
