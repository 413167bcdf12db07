//! Whose Stripe account a key belongs to. It is asked when a key is stored, when somebody checks the
//! connection, and before a key's first payment; then it stands with the key, and with each payment.

use crate::core::Core;
use crate::store::{StoreError, rows};
use holdfast_domain::{Mode, PaymentTypeCode, TenantSlug};
use holdfast_stripe::objects::Account;
use holdfast_stripe::retry::RetryPolicy;
use holdfast_stripe::{ApiKey, CallError, Client, ClientConfig, ConfigError, Timeouts};
use sqlx::query;
use std::time::Duration;

/// How long storing a key waits for Stripe; the account is asked again later.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Which key is meant.
#[derive(Debug, Clone)]
pub(crate) struct KeyOf {
    pub(crate) tenant: TenantSlug,
    pub(crate) code: PaymentTypeCode,
    pub(crate) mode: Mode,
    pub(crate) generation: u32,
}

/// A key with the place that its calls go to.
pub(crate) fn config(
    core: &Core,
    api_base: &str,
    key: ApiKey,
) -> Result<ClientConfig, ConfigError> {
    let config = ClientConfig::new(api_base, key)?;
    match core.world.live_stand_in() {
        Some(base) if config.mode() == Mode::Live => config.at_stand_in(base),
        _ => Ok(config),
    }
}

/// A client that asks once and gives up soon: somebody waits for it.
pub(crate) fn impatient(core: &Core, api_base: &str, key: ApiKey) -> Result<Client, ConfigError> {
    let mut config = config(core, api_base, key)?;
    config.timeouts = Timeouts { connect: ASK_TIMEOUT, answer: ASK_TIMEOUT };
    config.retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    Client::new(config)
}

/// Whose key this is.
pub(crate) async fn ask(
    core: &Core,
    api_base: &str,
    key: ApiKey,
) -> Result<Result<Account, CallError>, ConfigError> {
    Ok(impatient(core, api_base, key)?.account().await)
}

/// The account that stands with a key; none while it is not known.
pub(crate) async fn known(core: &Core, key: &KeyOf) -> Result<Option<String>, StoreError> {
    let sql = query(
        "SELECT account FROM processors WHERE tenant = ? AND code = ? AND mode = ? AND \
         generation = ?",
    );
    let sql = sql.bind(key.tenant.as_str()).bind(key.code.as_str()).bind(key.mode.as_str());
    let row = sql.bind(i64::from(key.generation)).fetch_optional(&core.store.reads).await?;
    let account = row.map(|row| rows::text(&row, "account")).transpose()?;
    Ok(account.and_then(rows::some))
}

/// The account of the newest key of the other mode; none while there is none, or it is not known.
pub(crate) async fn of_other_mode(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
) -> Result<Option<String>, StoreError> {
    let sql = query(
        "SELECT account FROM processors WHERE tenant = ? AND code = ? AND mode <> ? \
         ORDER BY generation DESC LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
    let row = sql.fetch_optional(&core.store.reads).await?;
    let account = row.map(|row| rows::text(&row, "account")).transpose()?;
    Ok(account.and_then(rows::some))
}

/// Writes the account down, with the key and with the payments that were taken before it was known.
pub(crate) async fn remember(core: &Core, key: KeyOf, account: String) -> Result<(), StoreError> {
    let now_ms = core.now_ms();
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE processors SET account = ?, checked_at_ms = ? WHERE tenant = ? AND \
                 code = ? AND mode = ? AND generation = ?",
            );
            let sql = sql.bind(&account).bind(now_ms).bind(key.tenant.as_str());
            let sql = sql.bind(key.code.as_str()).bind(key.mode.as_str());
            sql.bind(i64::from(key.generation)).execute(&mut tx.connection).await?;
            let sql = query(
                "UPDATE payments SET pin_account = ? WHERE tenant = ? AND payment_type = ? AND \
                 mode = ? AND pin_generation = ? AND pin_account = ''",
            );
            let sql = sql.bind(&account).bind(key.tenant.as_str()).bind(key.code.as_str());
            let sql = sql.bind(key.mode.as_str()).bind(i64::from(key.generation));
            sql.execute(&mut tx.connection).await?;
            let (tenant, mode) = (&key.tenant, key.mode);
            crate::webhook_secrets::learn_account(&mut tx.connection, tenant, mode).await
        })
    });
    write.await
}

/// An account that would be left with payments nobody could follow or give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StillNeeded {
    pub(crate) account: String,
    pub(crate) payments: i64,
}

/// The account other than `new` that has open or refundable payments of this type and mode.
pub(crate) async fn still_needed(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
    new: &str,
) -> Result<Option<StillNeeded>, StoreError> {
    let sql = query(
        "SELECT pin_account, COUNT(*) AS n FROM payments WHERE tenant = ? AND payment_type = ? AND \
         mode = ? AND pin_account NOT IN ('', ?) AND state NOT IN ('expired', 'canceled', \
         'withdrawn', 'refunded', 'already_paid') GROUP BY pin_account ORDER BY n DESC LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
    let row = sql.bind(new.to_owned()).fetch_optional(&core.store.reads).await?;
    let needed = |row| {
        Ok(StillNeeded {
            account: rows::text(&row, "pin_account")?,
            payments: rows::number(&row, "n")?,
        })
    };
    row.map(needed).transpose()
}
