//! The keys behind payment types: sealed in the database, opened for the call that needs them.

use crate::core::{Core, FolderError};
use crate::store::{StoreError, rows};
use crate::vault::Place;
use holdfast_domain::{Mode, PaymentTypeCode, TenantSlug};
use holdfast_ledger::Payment;
use holdfast_stripe::{ApiKey, ConfigError, KeyError, WebhookSecret};
use sqlx::query;

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

pub(crate) async fn api_base_of(
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
