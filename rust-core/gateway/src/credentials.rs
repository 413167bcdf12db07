//! The keys behind payment types: sealed in the database, opened for the call that needs them.

use crate::core::{Core, FolderError};
use crate::metrics::{Counter, Metrics, Timer};
use crate::store::{StoreError, rows};
use crate::vault::Place;
use holdfast_domain::{Mode, PaymentTypeCode, TenantSlug};
use holdfast_ledger::Payment;
use holdfast_ledger::recovery::RecoveryKey;
use holdfast_ledger::work::StripeCalls;
use holdfast_stripe::objects::{
    Charge, CheckoutSession, Dispute, Event, List, PaymentIntent, Refund,
};
use holdfast_stripe::{
    ApiKey, CallError, Client, ConfigError, Created, FrozenRequest, KeyError, Page, WebhookSecret,
};
use sqlx::query;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Webhook secrets of a mode at the most, each of which every delivery is compared with: two while
/// one is rolled, for as many endpoints as an account may have for one gateway and its tests.
pub(crate) const WEBHOOK_SECRETS_MAX: i64 = 16;

/// Credentials as they are used.
pub(crate) struct Credentials {
    pub(crate) generation: u32,
    pub(crate) api_base: String,
    pub(crate) secret_key: ApiKey,
}

/// Why a payment's credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("the credentials of generation {0} are not there; restore a backup")]
    Missing(u32),
    #[error("a stored key is damaged: {0}")]
    Key(#[from] KeyError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

pub(crate) async fn credentials(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
    generation: u32,
) -> Result<Credentials, CredentialsError> {
    let sql = query(
        "SELECT api_base, secret_key_sealed FROM processors WHERE tenant = ? AND code = ? \
         AND mode = ? AND generation = ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
    let row = sql.bind(i64::from(generation)).fetch_optional(&core.store.reads).await;
    let row = row.map_err(|error| FolderError::from(StoreError::Sql(error)))?;
    let row = row.ok_or(CredentialsError::Missing(generation))?;
    let sealed = rows::bytes(&row, "secret_key_sealed").map_err(FolderError::from)?;
    let name = processor_row(code, mode, generation);
    let plain = core.open_sealed(secret_key_place(tenant, &name), &sealed).await?;
    let text = std::str::from_utf8(plain.expose()).map_err(|_| KeyError::Characters)?;
    let api_base = rows::text(&row, "api_base").map_err(FolderError::from)?;
    Ok(Credentials { generation, api_base, secret_key: ApiKey::parse(text)? })
}

/// Opens every stored key of a tenant; how many there are.
pub(crate) async fn open_all(core: &Core, tenant: &TenantSlug) -> Result<usize, FolderError> {
    let sql =
        query("SELECT code, mode, generation, secret_key_sealed FROM processors WHERE tenant = ?");
    let found = sql.bind(tenant.as_str()).fetch_all(&core.store.reads).await;
    let found = found.map_err(StoreError::Sql)?;
    for row in &found {
        let generation = rows::small(row, "generation")?;
        let name = processor_row(&rows::type_code(row)?, rows::mode(row)?, generation);
        let sealed = rows::bytes(row, "secret_key_sealed")?;
        core.open_sealed(secret_key_place(tenant, &name), &sealed).await?;
    }
    Ok(found.len())
}

pub(crate) fn processor_row(code: &PaymentTypeCode, mode: Mode, generation: u32) -> String {
    format!("{code}/{mode}/{generation}")
}

pub(crate) fn secret_key_place<'a>(tenant: &'a TenantSlug, row: &'a str) -> Place<'a> {
    Place { scope: tenant.as_str(), table: "processors", row, column: "secret_key" }
}

pub(crate) fn webhook_row(mode: Mode, number: i64) -> String {
    format!("{mode}/{number}")
}

pub(crate) fn webhook_place<'a>(tenant: &'a TenantSlug, row: &'a str) -> Place<'a> {
    Place { scope: tenant.as_str(), table: "webhook_secrets", row, column: "secret" }
}

/// A webhook secret with its mode.
pub(crate) struct KnownSecret {
    pub(crate) mode: Mode,
    pub(crate) number: i64,
    pub(crate) endpoint: String,
    pub(crate) last_used_at_ms: i64,
    pub(crate) alone_at_ms: i64,
    /// True for the Stripe CLI's, which ends by itself.
    pub(crate) is_temporary: bool,
    pub(crate) secret: WebhookSecret,
}

/// Every secret that a delivery to this tenant may be signed with.
pub(crate) async fn webhook_secrets(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Vec<KnownSecret>, FolderError> {
    let mut known = Vec::new();
    for mode in [Mode::Test, Mode::Live] {
        let sql = query(
            "SELECT * FROM webhook_secrets WHERE tenant = ? AND mode = ? AND (expires_at_ms = 0 OR \
             expires_at_ms > ?) ORDER BY number DESC LIMIT ?",
        );
        let sql = sql.bind(tenant.as_str()).bind(mode.as_str()).bind(core.now_ms());
        let sql = sql.bind(WEBHOOK_SECRETS_MAX);
        for row in sql.fetch_all(&core.store.reads).await.map_err(StoreError::Sql)? {
            let number = rows::number(&row, "number")?;
            let name = webhook_row(mode, number);
            let sealed = rows::bytes(&row, "secret_sealed")?;
            let plain = core.open_sealed(webhook_place(tenant, &name), &sealed).await?;
            let text = std::str::from_utf8(plain.expose());
            let secret = text.ok().and_then(|text| WebhookSecret::parse(text).ok());
            let secret = secret.ok_or(StoreError::Damaged("webhook_secrets"))?;
            known.push(KnownSecret {
                mode,
                number,
                endpoint: rows::text(&row, "endpoint")?,
                last_used_at_ms: rows::number(&row, "last_used_at_ms")?,
                alone_at_ms: rows::number(&row, "alone_at_ms")?,
                is_temporary: rows::number(&row, "expires_at_ms")? > 0,
                secret,
            });
        }
    }
    Ok(known)
}

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

pub(crate) async fn newest_generation(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
) -> Result<Option<u32>, StoreError> {
    let sql = query(
        "SELECT generation FROM processors WHERE tenant = ? AND code = ? AND mode = ? \
         ORDER BY generation DESC LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.as_ref().map(|row| rows::small(row, "generation")).transpose()
}

/// Where the calls of a payment go with credentials of a generation; none if those are gone.
pub(crate) async fn api_base(
    core: &Core,
    payment: &Payment,
    generation: u32,
) -> Result<Option<String>, StoreError> {
    let set = (&payment.tenant, &payment.payment_type, payment.mode);
    api_base_of(core, set, generation).await
}

async fn api_base_of(
    core: &Core,
    (tenant, code, mode): (&TenantSlug, &PaymentTypeCode, Mode),
    generation: u32,
) -> Result<Option<String>, StoreError> {
    let sql = query(
        "SELECT api_base FROM processors WHERE tenant = ? AND code = ? AND mode = ? AND \
         generation = ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
    let row = sql.bind(i64::from(generation)).fetch_optional(&core.store.reads).await?;
    row.as_ref().map(|row| rows::text(row, "api_base")).transpose()
}
