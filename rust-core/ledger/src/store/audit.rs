//! The audit log.

use super::StoreError;
use crate::refund::AuditAct;
use std::future::Future;

/// What people did, and what was decided for them.
pub trait AuditTx: Send {
    /// Adds an act to the tenant's audit log.
    fn record_act(&mut self, act: AuditAct) -> impl Future<Output = Result<(), StoreError>> + Send;
}
