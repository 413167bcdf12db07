//! Deliveries that are not believed. Whoever sends a flood of them costs us counters: a row is
//! written for the first few of a minute only, and of those the latest two hundred are kept.

use super::{Delivery, Outcome, RECENT_MS, record};
use crate::core::Core;
use crate::http::limits::RateLimit;
use crate::store::StoreError;
use holdfast_domain::TenantSlug;
use sqlx::query;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Refused deliveries that are kept for a tenant, without their bodies.
const KEPT_MAX: i64 = 200;
/// Refused deliveries that are written down in a minute, from one address and from all.
const RECORDS: (u32, u32) = (60, 120);

/// What came too often to be written down one by one.
pub(crate) struct Refusals {
    limit: RateLimit,
    /// Not on disk yet; at most one number for each tenant and cause.
    counts: Mutex<HashMap<(TenantSlug, Outcome), u32>>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { limit: RateLimit::per_minute(RECORDS.0, RECORDS.1), counts: Mutex::default() }
    }
}

impl Refusals {
    /// Counts a refused delivery, and remembers it unless there are too many of them.
    pub(crate) async fn note(
        &self,
        core: &Core,
        tenant: &TenantSlug,
        from: IpAddr,
        refused: Delivery,
    ) -> Result<(), StoreError> {
        self.count(tenant, refused.outcome);
        if !self.limit.admit(from, refused.at_ms) {
            return Ok(());
        }
        tracing::warn!(%tenant, reason = refused.reason, "a webhook delivery was refused");
        let (tenant, counts) = (tenant.clone(), self.take());
        let told = tenant.clone();
        let write = core.store.writer.run(move |tx| {
            Box::pin(async move {
                let day = refused.at_ms.div_euclid(RECENT_MS);
                record(tx, &tenant, refused).await?;
                for ((tenant, outcome), times) in counts {
                    let sql = query(
                        "INSERT INTO refused_counts (tenant, day, outcome, times) VALUES (?, ?, ?, \
                         ?) ON CONFLICT (tenant, day, outcome) DO UPDATE SET times = \
                         refused_counts.times + excluded.times",
                    );
                    let sql = sql.bind(tenant.as_str().to_owned()).bind(day);
                    let sql = sql.bind(outcome.as_str()).bind(i64::from(times));
                    sql.execute(&mut tx.connection).await?;
                }
                let oldest_kept = query(
                    "DELETE FROM deliveries WHERE tenant = ? AND answer >= 400 AND number <= \
                     (SELECT number FROM deliveries WHERE tenant = ? AND answer >= 400 ORDER BY \
                     number DESC LIMIT 1 OFFSET ?)",
                );
                let oldest_kept =
                    oldest_kept.bind(tenant.as_str()).bind(tenant.as_str()).bind(KEPT_MAX);
                oldest_kept.execute(&mut tx.connection).await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await?;
        core.store.tell_delivery(&told);
        Ok(())
    }

    /// How many of a cause are counted and not on disk yet.
    pub(crate) fn waiting(&self, tenant: &TenantSlug, outcome: Outcome) -> u32 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(tenant.clone(), outcome)).copied().unwrap_or(0)
    }

    fn count(&self, tenant: &TenantSlug, outcome: Outcome) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((tenant.clone(), outcome)).or_default();
        *count = count.saturating_add(1);
    }

    fn take(&self) -> HashMap<(TenantSlug, Outcome), u32> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
