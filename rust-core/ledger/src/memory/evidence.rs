//! Attempts, evidence, and Stripe's objects and events.

use super::{MemoryTx, attempts_of};
use crate::rows::{Attempt, AttemptState, Event, Source};
use crate::store::{EvidenceTx, StoreError};
use holdfast_domain::{Evidence, PaymentId, TenantSlug};

impl EvidenceTx for MemoryTx<'_> {
    async fn attempts(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Attempt>, StoreError> {
        Ok(attempts_of(&self.tables, tenant, payment))
    }

    async fn put_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        let others = self.attempts(&attempt.tenant, attempt.payment).await?;
        let open = |a: &Attempt| a.state != AttemptState::Disposed;
        if open(attempt) && others.iter().any(|a| a.number != attempt.number && open(a)) {
            return Err(StoreError::new("a second attempt that is not disposed of"));
        }
        let key = (attempt.tenant.clone(), attempt.payment, attempt.number);
        self.tables.write(|it| &mut it.attempts, key, Some(attempt.clone()));
        Ok(())
    }

    async fn evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Evidence>, StoreError> {
        let pieces = self.tables.evidence.get(&(tenant.clone(), payment));
        Ok(pieces.into_iter().flatten().cloned().collect())
    }

    async fn add_evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
        evidence: &Evidence,
        _source: Source,
        _now_ms: i64,
    ) -> Result<bool, StoreError> {
        let key = (tenant.clone(), payment);
        let mut pieces = self.tables.evidence.get(&key).cloned().unwrap_or_default();
        let new = pieces.insert(evidence.clone());
        if new {
            self.tables.write(|it| &mut it.evidence, key, Some(pieces));
        }
        Ok(new)
    }

    async fn link_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<bool, StoreError> {
        let key = (tenant.clone(), object.to_owned());
        let new = !self.tables.objects.contains_key(&key);
        if new {
            self.tables.write(|it| &mut it.objects, key, Some(payment));
        }
        Ok(new)
    }

    async fn payment_of_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> Result<Option<PaymentId>, StoreError> {
        Ok(self.tables.objects.get(&(tenant.clone(), object.to_owned())).copied())
    }

    async fn add_event(&mut self, event: &Event) -> Result<bool, StoreError> {
        let key =
            (event.tenant.clone(), event.mode.as_str(), event.account.clone(), event.event.clone());
        if self.tables.events.contains_key(&key) {
            return Ok(false);
        }
        self.tables.write(|it| &mut it.events, key, Some(event.clone()));
        Ok(true)
    }

    async fn claim_events(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<bool, StoreError> {
        let waits = |it: &Event| it.tenant == *tenant && it.waiting_for.as_deref() == Some(object);
        let waiting = self.tables.events.iter().filter(|(_, event)| waits(event));
        let waiting: Vec<_> = waiting.map(|(key, event)| (key.clone(), event.clone())).collect();
        let any = !waiting.is_empty();
        for (key, event) in waiting {
            let given = Event { payment: Some(payment), waiting_for: None, ..event };
            self.tables.write(|it| &mut it.events, key, Some(given));
        }
        Ok(any)
    }
}
