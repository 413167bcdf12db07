//! Payment types and the credentials behind them. Keys are sealed on the way in, opened for the
//! one call that needs them, and shown only masked.

use crate::core::{Core, FolderError};
use crate::store::{StoreError, rows};
use crate::vault::Place;
use holdfast_domain::{Currency, Mode, Money, PaymentTypeCode, TenantSlug};
use holdfast_ledger::Payment;
use holdfast_protocol::wire::Provider;
use holdfast_stripe::amount::{self, AmountError};
use holdfast_stripe::{ApiKey, Client, ClientConfig, ConfigError, KeyError, WebhookSecret};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Webhook secrets that are tried for a mode, newest first: two while one is replaced, and two more
/// for a second endpoint.
const WEBHOOK_SECRETS_MAX: i64 = 4;

/// A payment type as handhelds and pages show it.
#[derive(Debug, Clone)]
pub(crate) struct PaymentTypeRow {
    pub(crate) code: PaymentTypeCode,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) mode: Mode,
    pub(crate) currency: Currency,
    /// True if the credentials of its mode are set.
    pub(crate) ready: bool,
}

/// What Stripe takes in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) minor_min: i64,
    pub(crate) minor_max: i64,
}

/// The least and the most of a charge, by the rules of the Stripe crate.
pub(crate) fn limits(currency: Currency) -> Result<Limits, AmountError> {
    let step = amount::units_step(currency)?;
    let least = amount::units_min(currency.code());
    let least = least.saturating_add(step - 1) / step * step;
    let most = amount::UNITS_MAX / step * step;
    let minor = |units| amount::money(units, currency.code()).map(Money::minor);
    Ok(Limits { minor_min: minor(least)?, minor_max: minor(most)? })
}

/// Credentials to store; every part was checked.
pub(crate) struct NewProcessor {
    pub(crate) tenant: TenantSlug,
    pub(crate) code: PaymentTypeCode,
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) currency: Currency,
    pub(crate) api_base: String,
    pub(crate) secret_key: ApiKey,
    pub(crate) publishable_key: Option<String>,
    pub(crate) webhook: Option<WebhookSecretRow>,
}

/// A webhook secret with the destination it belongs to (empty if not told).
pub(crate) struct WebhookSecretRow {
    pub(crate) secret: WebhookSecret,
    pub(crate) endpoint: String,
}

/// What was stored.
pub(crate) struct Stored {
    pub(crate) generation: u32,
    pub(crate) mode_in_force: Mode,
}

pub(crate) async fn payment_type(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
) -> Result<Option<PaymentTypeRow>, StoreError> {
    let found = payment_types(core, tenant).await?;
    Ok(found.into_iter().find(|it| it.code == *code))
}

pub(crate) async fn payment_types(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Vec<PaymentTypeRow>, StoreError> {
    let sql = query(
        "SELECT t.code, t.name, t.provider, t.mode, t.currency, EXISTS (SELECT 1 FROM processors p \
         WHERE p.tenant = t.tenant AND p.code = t.code AND p.mode = t.mode) AS ready \
         FROM payment_types t WHERE t.tenant = ? ORDER BY t.code",
    );
    let found = sql.bind(tenant.as_str()).fetch_all(&core.store.reads).await?;
    let row = |row: &SqliteRow| {
        Ok(PaymentTypeRow {
            code: rows::type_code(row)?,
            name: rows::text(row, "name")?,
            provider: rows::provider(row)?,
            mode: rows::mode(row)?,
            currency: rows::currency(row)?,
            ready: rows::number(row, "ready")? == 1,
        })
    };
    found.iter().map(row).collect()
}

/// Stores credentials. The same secret key again keeps its generation, wherever it goes; another is a new one. A
/// payment type is made in test mode; storing live keys does not turn it live.
pub(crate) async fn store(core: &Core, new: NewProcessor) -> Result<Stored, FolderError> {
    let current = newest(core, &new).await?;
    let same_key = match &current {
        Some(current) => current.secret_key == new.secret_key,
        None => false,
    };
    let generation = match &current {
        Some(current) if same_key => current.generation,
        Some(current) => current.generation.saturating_add(1),
        None => 1,
    };
    let row = processor_row(&new.code, new.mode, generation);
    let place = secret_key_place(&new.tenant, &row);
    let sealed_key = core.seal(place, new.secret_key.expose().as_bytes()).await?;
    let webhook = match &new.webhook {
        Some(webhook) => seal_webhook(core, &new, webhook).await?,
        None => None,
    };
    let limits = limits(new.currency).map_err(|_| StoreError::Damaged("currency"))?;
    let write = Write { new, limits, generation, sealed_key, webhook, now_ms: core.now_ms() };
    let mode_in_force =
        core.store.writer.run(move |tx| Box::pin(write.write(&mut tx.connection))).await?;
    Ok(Stored { generation, mode_in_force })
}

struct SealedWebhook {
    number: i64,
    endpoint: String,
    sealed: Vec<u8>,
    masked: String,
}

/// Seals a webhook secret, unless the same one is stored already.
async fn seal_webhook(
    core: &Core,
    new: &NewProcessor,
    webhook: &WebhookSecretRow,
) -> Result<Option<SealedWebhook>, FolderError> {
    let known = webhook_secrets(core, &new.tenant).await?;
    if known.iter().any(|it| it.mode == new.mode && it.secret == webhook.secret) {
        return Ok(None);
    }
    let sql = query(
        "SELECT COALESCE(MAX(number), 0) + 1 AS number FROM webhook_secrets \
         WHERE tenant = ? AND mode = ?",
    );
    let sql = sql.bind(new.tenant.as_str()).bind(new.mode.as_str());
    let row = sql.fetch_one(&core.store.reads).await.map_err(StoreError::Sql)?;
    let number = rows::number(&row, "number")?;
    let name = webhook_row(new.mode, number);
    let place = webhook_place(&new.tenant, &name);
    Ok(Some(SealedWebhook {
        number,
        endpoint: webhook.endpoint.clone(),
        sealed: core.seal(place, webhook.secret.expose().as_bytes()).await?,
        masked: webhook.secret.masked(),
    }))
}

struct Write {
    new: NewProcessor,
    limits: Limits,
    generation: u32,
    sealed_key: Vec<u8>,
    webhook: Option<SealedWebhook>,
    now_ms: i64,
}

impl Write {
    async fn write(self, connection: &mut SqliteConnection) -> Result<Mode, StoreError> {
        let Self { new, limits, generation, sealed_key, webhook, now_ms } = self;
        let sql = query(
            "INSERT INTO payment_types (tenant, code, name, provider, mode, currency, minor_min, \
             minor_max, created_at_ms) VALUES (?, ?, ?, 'stripe', 'test', ?, ?, ?, ?) \
             ON CONFLICT (tenant, code) DO UPDATE SET name = excluded.name RETURNING mode",
        );
        let sql = sql.bind(new.tenant.as_str()).bind(new.code.as_str()).bind(&new.name);
        let sql = sql.bind(new.currency.code().to_owned()).bind(limits.minor_min);
        let sql = sql.bind(limits.minor_max).bind(now_ms);
        let mode_in_force = rows::mode(&sql.fetch_one(&mut *connection).await?)?;
        let sql = query(
            "INSERT INTO processors (tenant, code, mode, generation, account, api_base, \
             secret_key_sealed, secret_key_masked, publishable_key, created_at_ms) \
             VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?) ON CONFLICT (tenant, code, mode, generation) \
             DO UPDATE SET api_base = excluded.api_base, publishable_key = CASE WHEN excluded.publishable_key = '' THEN \
             processors.publishable_key ELSE excluded.publishable_key END",
        );
        let sql = sql
            .bind(new.tenant.as_str())
            .bind(new.code.as_str())
            .bind(new.mode.as_str())
            .bind(i64::from(generation))
            .bind(new.api_base)
            .bind(sealed_key)
            .bind(new.secret_key.masked())
            .bind(new.publishable_key.unwrap_or_default())
            .bind(now_ms);
        sql.execute(&mut *connection).await?;
        if let Some(webhook) = webhook {
            let sql = query(
                "INSERT INTO webhook_secrets (tenant, mode, number, endpoint, secret_sealed, \
                 secret_masked, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            );
            let sql = sql
                .bind(new.tenant.as_str())
                .bind(new.mode.as_str())
                .bind(webhook.number)
                .bind(webhook.endpoint)
                .bind(webhook.sealed)
                .bind(webhook.masked)
                .bind(now_ms);
            sql.execute(connection).await?;
        }
        Ok(mode_in_force)
    }
}

/// Credentials as they are used.
struct Credentials {
    generation: u32,
    api_base: String,
    secret_key: ApiKey,
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

async fn newest(core: &Core, new: &NewProcessor) -> Result<Option<Credentials>, FolderError> {
    let sql = query(
        "SELECT generation FROM processors WHERE tenant = ? AND code = ? AND mode = ? \
         ORDER BY generation DESC LIMIT 1",
    );
    let sql = sql.bind(new.tenant.as_str()).bind(new.code.as_str()).bind(new.mode.as_str());
    let row = sql.fetch_optional(&core.store.reads).await.map_err(StoreError::Sql)?;
    let Some(row) = row else { return Ok(None) };
    let generation = rows::small(&row, "generation")?;
    match credentials(core, &new.tenant, &new.code, new.mode, generation).await {
        Ok(credentials) => Ok(Some(credentials)),
        Err(CredentialsError::Folder(error)) => Err(error),
        Err(_) => Err(StoreError::Damaged("processors").into()),
    }
}

async fn credentials(
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

fn processor_row(code: &PaymentTypeCode, mode: Mode, generation: u32) -> String {
    format!("{code}/{mode}/{generation}")
}

fn secret_key_place<'a>(tenant: &'a TenantSlug, row: &'a str) -> Place<'a> {
    Place { scope: tenant.as_str(), table: "processors", row, column: "secret_key" }
}

fn webhook_row(mode: Mode, number: i64) -> String {
    format!("{mode}/{number}")
}

fn webhook_place<'a>(tenant: &'a TenantSlug, row: &'a str) -> Place<'a> {
    Place { scope: tenant.as_str(), table: "webhook_secrets", row, column: "secret" }
}

/// A webhook secret with its mode.
pub(crate) struct KnownSecret {
    pub(crate) mode: Mode,
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
            "SELECT number, secret_sealed FROM webhook_secrets WHERE tenant = ? AND mode = ? \
             ORDER BY number DESC LIMIT ?",
        );
        let sql = sql.bind(tenant.as_str()).bind(mode.as_str()).bind(WEBHOOK_SECRETS_MAX);
        for row in sql.fetch_all(&core.store.reads).await.map_err(StoreError::Sql)? {
            let name = webhook_row(mode, rows::number(&row, "number")?);
            let sealed = rows::bytes(&row, "secret_sealed")?;
            let plain = core.open_sealed(webhook_place(tenant, &name), &sealed).await?;
            let text = std::str::from_utf8(plain.expose());
            let secret = text.ok().and_then(|text| WebhookSecret::parse(text).ok());
            let secret = secret.ok_or(StoreError::Damaged("webhook_secrets"))?;
            known.push(KnownSecret { mode, secret });
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
    /// The client of the credentials that a payment is tied to.
    pub(crate) async fn of(
        &self,
        core: &Core,
        payment: &Payment,
    ) -> Result<Client, CredentialsError> {
        let base = api_base(core, payment).await.map_err(FolderError::from)?;
        let base = base.ok_or(CredentialsError::Missing(payment.pin.generation))?;
        let (tenant, code) = (&payment.tenant, &payment.payment_type);
        let generation = payment.pin.generation;
        let key = (tenant.clone(), code.clone(), payment.mode, generation, base);
        let known = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let found = credentials(core, tenant, code, payment.mode, generation).await?;
        let client = Client::new(ClientConfig::new(&found.api_base, found.secret_key)?)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(made.entry(key).or_insert(client).clone())
    }
}

/// Where the calls of a payment go; none if its credentials are gone.
pub(crate) async fn api_base(core: &Core, payment: &Payment) -> Result<Option<String>, StoreError> {
    let sql = query(
        "SELECT api_base FROM processors WHERE tenant = ? AND code = ? AND mode = ? AND \
         generation = ?",
    );
    let sql = sql.bind(payment.tenant.as_str()).bind(payment.payment_type.as_str());
    let sql = sql.bind(payment.mode.as_str()).bind(i64::from(payment.pin.generation));
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.as_ref().map(|row| rows::text(row, "api_base")).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_stripes_in_our_minor_units() {
        let check = |code: &str, minor_min, minor_max| {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(limits(currency).unwrap(), Limits { minor_min, minor_max }, "{code}");
        };
        check("USD", 50, 99_999_999);
        check("JPY", 50, 99_999_999);
        check("KWD", 10, 99_999_990);
        check("ISK", 1, 999_999);
        assert!(limits(Currency::from_code("IQD").unwrap()).is_err());
    }
}
