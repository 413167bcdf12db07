//! Payment types, and how their keys are stored: sealed on the way in, shown only masked.

use crate::core::{Core, FolderError};
use crate::credentials::{
    Credentials, CredentialsError, credentials, newest_generation, processor_row, secret_key_place,
};
use crate::store::{StoreError, rows};
use crate::webhook_secrets::{Kept, WebhookSecretRow, prepare};
use holdfast_domain::{Currency, Mode, Money, OfficerId, PaymentTypeCode, TenantSlug};
use holdfast_protocol::wire::Provider;
use holdfast_stripe::ApiKey;
use holdfast_stripe::amount::{self, AmountError};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};

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
    /// Who may use it: officers, tables, portal; with commas between.
    pub(crate) user_types: String,
    /// While Live Mode is on trial: the officers who may use it.
    pub(crate) trial: Option<Vec<OfficerId>>,
}

impl PaymentTypeRow {
    /// True if this officer may use it now.
    pub(crate) fn is_open_to(&self, officer: OfficerId) -> bool {
        self.is_for("officers") && self.trial.as_ref().is_none_or(|it| it.contains(&officer))
    }

    pub(crate) fn is_for(&self, users: &str) -> bool {
        self.user_types.split(',').any(|it| it == users)
    }
}

/// What Stripe takes in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) minor_min: i64,
    pub(crate) minor_max: i64,
}

/// What officers take in cash: anything up to what a cart can come to.
pub(crate) const CASH_LIMITS: Limits =
    Limits { minor_min: 1, minor_max: holdfast_domain::cart::TOTAL_MINOR_MAX };

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
        "SELECT t.code, t.name, t.provider, t.mode, t.currency, t.user_types, t.trial_officers, EXISTS (SELECT 1 FROM processors p \
         WHERE p.tenant = t.tenant AND p.code = t.code AND p.mode = t.mode) OR t.provider = 'cash' AS ready \
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
            user_types: rows::text(row, "user_types")?,
            trial: rows::trial(row)?,
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
        Some(webhook) => Some(prepare(core, &new.tenant, new.mode, webhook).await?),
        None => None,
    };
    let limits = limits(new.currency).map_err(|_| StoreError::Damaged("currency"))?;
    let write = Write { new, limits, generation, sealed_key, webhook, now_ms: core.now_ms() };
    let mode_in_force =
        core.store.writer.run(move |tx| Box::pin(write.write(&mut tx.connection))).await?;
    Ok(Stored { generation, mode_in_force })
}

struct Write {
    new: NewProcessor,
    limits: Limits,
    generation: u32,
    sealed_key: Vec<u8>,
    webhook: Option<Kept>,
    now_ms: i64,
}

impl Write {
    async fn write(self, connection: &mut SqliteConnection) -> Result<Mode, StoreError> {
        let Self { new, limits, generation, sealed_key, webhook, now_ms } = self;
        let sql = query(
            "INSERT INTO payment_types (tenant, code, name, provider, mode, currency, minor_min, \
             minor_max, created_at_ms) VALUES (?, ?, ?, ?, 'test', ?, ?, ?, ?) \
             ON CONFLICT (tenant, code) DO UPDATE SET name = excluded.name RETURNING mode",
        );
        let sql = sql.bind(new.tenant.as_str()).bind(new.code.as_str()).bind(&new.name);
        let sql = sql.bind(rows::provider_text(Provider::Stripe));
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
            webhook.write(connection, &new.tenant, new.mode, now_ms).await?;
        }
        Ok(mode_in_force)
    }
}

async fn newest(core: &Core, new: &NewProcessor) -> Result<Option<Credentials>, FolderError> {
    let newest = newest_generation(core, &new.tenant, &new.code, new.mode).await?;
    let Some(generation) = newest else { return Ok(None) };
    match credentials(core, &new.tenant, &new.code, new.mode, generation).await {
        Ok(credentials) => Ok(Some(credentials)),
        Err(CredentialsError::Folder(error)) => Err(error),
        Err(_) => Err(StoreError::Damaged("processors").into()),
    }
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
