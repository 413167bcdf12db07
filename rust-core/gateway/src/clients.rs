//! Clients of Stripe: which key asks about a payment, and what becomes of a call.

use crate::core::{Core, FolderError};
use crate::credentials::{CredentialsError, api_base_of, credentials, newest_generation};
use crate::metrics::{Counter, Metrics, Timer};
use holdfast_domain::{Mode, PaymentTypeCode, TenantSlug};
use holdfast_ledger::Payment;
use holdfast_ledger::recovery::RecoveryKey;
use holdfast_ledger::work::StripeCalls;
use holdfast_stripe::objects::{
    Charge, CheckoutSession, Dispute, Event, List, PaymentIntent, Refund,
};
use holdfast_stripe::{CallError, Client, Created, FrozenRequest, Page};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Which credentials a client was made of, and where they go. The key of a generation never
/// changes, so clients are kept.
type ClientKey = (TenantSlug, PaymentTypeCode, Mode, u32, String);

/// Clients of Stripe, one for each generation of credentials.
#[derive(Default)]
pub(crate) struct Clients {
    made: Mutex<HashMap<ClientKey, Client>>,
}

impl Clients {
    /// The keys that may answer for a payment: the one it is tied to and, if that is another, the
    /// newest of its payment type and mode.
    pub(crate) async fn of(
        &self,
        core: &Core,
        payment: &Payment,
    ) -> Result<Keys, CredentialsError> {
        let pinned = payment.pin.generation;
        let (tenant, code) = (&payment.tenant, &payment.payment_type);
        let newest = newest_generation(core, tenant, code, payment.mode).await;
        let newest = newest.map_err(FolderError::from)?.filter(|newest| *newest != pinned);
        let newest = match newest {
            Some(newest) if self.is_elsewhere(core, payment, newest).await? => None,
            other => other,
        };
        Ok(Keys {
            metrics: Arc::clone(&core.metrics),
            account: self.account_of(core, payment, pinned).await?,
            pinned: self.of_generation(core, payment, pinned).await?,
            successor: match newest {
                Some(newest) => Some(self.of_generation(core, payment, newest).await?),
                None => None,
            },
        })
    }

    /// True if a later key is known to be another account's: that account knows nothing of the payment.
    async fn is_elsewhere(
        &self,
        core: &Core,
        payment: &Payment,
        generation: u32,
    ) -> Result<bool, CredentialsError> {
        let account = self.account_of(core, payment, generation).await?;
        let ours = &payment.pin.account;
        Ok(!ours.is_empty() && account.is_some_and(|account| account != *ours))
    }

    /// The account of a payment type's key, as it is known now.
    async fn account_of(
        &self,
        core: &Core,
        payment: &Payment,
        generation: u32,
    ) -> Result<Option<String>, CredentialsError> {
        let (tenant, code) = (payment.tenant.clone(), payment.payment_type.clone());
        let key = crate::accounts::KeyOf { tenant, code, mode: payment.mode, generation };
        Ok(crate::accounts::known(core, &key).await.map_err(FolderError::from)?)
    }

    /// The key that a payment is tied to, made to ask once: nobody waits for more.
    pub(crate) async fn pinned(
        &self,
        core: &Core,
        payment: &Payment,
    ) -> Result<Client, CredentialsError> {
        let (tenant, code) = (&payment.tenant, &payment.payment_type);
        let generation = payment.pin.generation;
        let found = credentials(core, tenant, code, payment.mode, generation).await?;
        Ok(crate::accounts::impatient(core, &found.api_base, found.secret_key)?)
    }

    /// The keys that a restored ledger asks with: those that were in force, or what has taken their
    /// place since.
    pub(crate) async fn for_recovery(
        &self,
        core: &Core,
        key: &RecoveryKey,
    ) -> Result<Keys, CredentialsError> {
        let RecoveryKey { tenant, payment_type, mode, generation } = key;
        let set = (tenant, payment_type, *mode);
        let newest = newest_generation(core, tenant, payment_type, *mode).await;
        let newest = newest.map_err(FolderError::from)?.filter(|newest| newest != generation);
        Ok(Keys {
            // Asked about no single payment.
            account: None,
            metrics: Arc::clone(&core.metrics),
            pinned: self.of_set(core, set, *generation).await?,
            successor: match newest {
                Some(newest) => Some(self.of_set(core, set, newest).await?),
                None => None,
            },
        })
    }

    async fn of_generation(
        &self,
        core: &Core,
        payment: &Payment,
        generation: u32,
    ) -> Result<Client, CredentialsError> {
        let set = (&payment.tenant, &payment.payment_type, payment.mode);
        self.of_set(core, set, generation).await
    }

    async fn of_set(
        &self,
        core: &Core,
        set: (&TenantSlug, &PaymentTypeCode, Mode),
        generation: u32,
    ) -> Result<Client, CredentialsError> {
        let base = api_base_of(core, set, generation).await.map_err(FolderError::from)?;
        let base = base.ok_or(CredentialsError::Missing(generation))?;
        let (tenant, code, mode) = set;
        let key = (tenant.clone(), code.clone(), mode, generation, base);
        let known = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let found = credentials(core, tenant, code, mode, generation).await?;
        let client =
            Client::new(crate::accounts::config(core, &found.api_base, found.secret_key)?)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(made.entry(key).or_insert(client).clone())
    }
}

/// The keys that may answer for one payment.
///
/// A key that was mistyped or revoked is refused before Stripe does or tells anything; then its
/// successor is asked. In the same account that finds what there is. In another account it finds
/// nothing, and nothing follows from that.
pub(crate) struct Keys {
    /// Of the pinned key; none while it is not known.
    account: Option<String>,
    pinned: Client,
    successor: Option<Client>,
    metrics: Arc<Metrics>,
}

/// A call's end by name, for the metrics.
fn result_of<T>(answer: &Result<T, CallError>) -> &'static str {
    match answer {
        Ok(_) => "good",
        Err(CallError::Refused(_)) => "refused",
        Err(CallError::CardDeclined { .. }) => "declined",
        Err(CallError::IdempotencyMismatch(_)) => "idempotency",
        Err(CallError::Unauthorized(_)) => "unauthorized",
        Err(CallError::PermissionMissing(_)) => "permission",
        Err(CallError::RateLimited { .. }) => "rate_limited",
        Err(CallError::NotSent(_)) => "not_sent",
        Err(CallError::Unknown { .. }) => "unknown",
    }
}

impl Keys {
    async fn first_good<'k, T, F>(
        &'k self,
        name: &'static str,
        call: impl Fn(&'k Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let began = Instant::now();
        let answer = match (call(&self.pinned).await, &self.successor) {
            (Err(CallError::Unauthorized(_)), Some(successor)) => call(successor).await,
            (answer, _) => answer,
        };
        self.metrics.took(Timer::StripeCalls, &[("call", name)], began.elapsed());
        let labels = [("call", name), ("result", result_of(&answer))];
        self.metrics.count(Counter::StripeCalls, &labels);
        answer
    }
}

impl StripeCalls for Keys {
    fn account(&self) -> Option<String> {
        self.account.clone()
    }

    async fn send_for_session(
        &self,
        request: &FrozenRequest,
    ) -> Result<CheckoutSession, CallError> {
        self.first_good("open_session", |client| client.send(request)).await
    }

    async fn checkout_session(&self, id: &str) -> Result<CheckoutSession, CallError> {
        self.first_good("session", |client| client.checkout_session(id)).await
    }

    async fn checkout_sessions_of(
        &self,
        client_reference_id: &str,
        created: Created,
    ) -> Result<Vec<CheckoutSession>, CallError> {
        self.first_good("sessions", |client| {
            client.checkout_sessions_of(client_reference_id, created)
        })
        .await
    }

    async fn sessions_page(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<CheckoutSession>, CallError> {
        self.first_good("sessions", |client| client.checkout_sessions(created, page)).await
    }

    async fn events_page(&self, created: Created, page: &Page) -> Result<List<Event>, CallError> {
        self.first_good("events", |client| client.events(created, false, page)).await
    }

    async fn refunds_page(&self, created: Created, page: &Page) -> Result<List<Refund>, CallError> {
        self.first_good("refunds", |client| client.refunds(created, page)).await
    }

    async fn disputes_page(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<Dispute>, CallError> {
        self.first_good("disputes", |client| client.disputes(created, page)).await
    }

    async fn payment_intent(&self, id: &str) -> Result<PaymentIntent, CallError> {
        self.first_good("payment_intent", |client| client.payment_intent(id)).await
    }

    async fn charge(&self, id: &str) -> Result<Charge, CallError> {
        self.first_good("charge", |client| client.charge(id)).await
    }

    async fn refunds_of(&self, intent: &str) -> Result<Vec<Refund>, CallError> {
        Ok(self.first_good("refunds", |client| client.refunds_of(intent)).await?.data)
    }

    async fn send_for_refund(&self, request: &FrozenRequest) -> Result<Refund, CallError> {
        self.first_good("refund", |client| client.send(request)).await
    }

    async fn disputes_of(&self, intent: &str) -> Result<Vec<Dispute>, CallError> {
        Ok(self.first_good("disputes", |client| client.disputes_of(intent)).await?.data)
    }
}
