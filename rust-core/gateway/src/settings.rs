//! What an administrator types about a payment type: checked field by field, then sealed.

mod typed;

pub(crate) use typed::TypedKeys;

use crate::accounts::{self, KeyOf};
use crate::audit::{self, Act};
use crate::core::{Core, FolderError};
use crate::credentials::{CredentialsError, credentials, newest_generation, webhook_secrets};
use crate::processors::{self, NewProcessor, PaymentTypeRow};
use crate::store::{StoreError, rows};
use crate::webhook_secrets::{self as kept_secrets, NO_ROOM, WebhookSecretRow};
use holdfast_domain::{Currency, Mode, PaymentTypeCode, TenantSlug};
use holdfast_stripe::{ApiKey, CallError, STRIPE_API_BASE, WebhookSecret};
use sqlx::query;

/// One refused field: its name in the form, and what to change.
pub(crate) type FieldError = (&'static str, String);

/// What is known of a set of keys, with secrets masked.
#[derive(Debug, Clone)]
pub(crate) struct KeysView {
    pub(crate) secret_key: String,
    pub(crate) publishable_key: String,
    pub(crate) account: String,
    pub(crate) webhook_id: String,
    pub(crate) webhook_secret: String,
}

/// A refusal as a sentence.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Why keys were not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("refused fields")]
    Fields(Vec<FieldError>),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for SettingsError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

fn refused(field: &'static str, why: impl Into<String>) -> SettingsError {
    SettingsError::Fields(vec![(field, why.into())])
}

/// Checks and stores a set of keys. A new secret key is shown to Stripe first: one that Stripe does not
/// know is refused, and so is another account's while the old one has payments to follow.
pub(crate) async fn save_keys(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    kind: &PaymentTypeRow,
    mode: Mode,
    typed: &TypedKeys<'_>,
) -> Result<(), SettingsError> {
    let parsed = typed::parse(typed, mode).map_err(SettingsError::Fields)?;
    if let Some(secret) = &parsed.webhook_secret {
        not_of_the_other_mode(core, tenant, mode, secret).await?;
    }
    let current = current(core, tenant, &kind.code, mode).await?;
    let (secret_key, api_base) = match (parsed.secret_key, current) {
        (Some(new), Some((_, base))) => (new, base),
        (Some(new), None) => (new, api_base_default(core, tenant, mode).await?),
        (None, Some(known)) => known,
        (None, None) => {
            return Err(refused("secret_key", "Enter the Secret Key first; the rest may follow."));
        }
    };
    let account = account_of(core, tenant, kind, mode, (&api_base, &secret_key)).await?;
    if let (Some(key), Some(account)) = (&parsed.publishable_key, &account)
        && secret_key.names(account)
        && !key.names(account)
    {
        return Err(refused("publishable_key", typed::OTHER_ACCOUNTS_KEY));
    }
    if parsed.webhook_secret.is_none() && !parsed.webhook_id.is_empty() {
        set_webhook_id(core, tenant, mode, parsed.webhook_id.clone()).await?;
    }
    if let Some(secret) = &parsed.webhook_secret
        && !kept_secrets::has_room(core, tenant, mode, secret).await?
    {
        return Err(refused("webhook_secret", NO_ROOM));
    }
    let detail = changed(kind, mode, typed, &secret_key);
    let new = NewProcessor {
        tenant: tenant.clone(),
        code: kind.code.clone(),
        name: kind.name.clone(),
        mode,
        currency: kind.currency,
        api_base,
        secret_key,
        publishable_key: parsed.publishable_key.map(|key| key.expose().to_owned()),
        webhook: parsed.webhook_secret.map(|secret| WebhookSecretRow {
            secret,
            endpoint: parsed.webhook_id,
            until_ms: None,
        }),
    };
    let stored = processors::store(core, new).await?;
    if let Some(account) = account {
        let (tenant, code) = (tenant.clone(), kind.code.clone());
        let key = KeyOf { tenant, code, mode, generation: stored.generation };
        accounts::remember(core, key, account).await?;
    }
    Ok(audit::note(core, tenant, who, "keys_saved", &detail).await?)
}

/// A signing secret names no mode, but the endpoints of both modes have secrets of their own.
async fn not_of_the_other_mode(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    secret: &WebhookSecret,
) -> Result<(), SettingsError> {
    let known = webhook_secrets(core, tenant).await?;
    match known.iter().find(|it| it.mode != mode && it.secret == *secret) {
        Some(it) => Err(refused(
            "webhook_secret",
            format!(
                "This secret is stored for {} mode already. Each mode has a webhook of its own at Stripe: \
                 copy the secret of the {mode} one.",
                it.mode
            ),
        )),
        None => Ok(()),
    }
}

/// Which fields were filled in, for the log; keys only masked.
fn changed(kind: &PaymentTypeRow, mode: Mode, typed: &TypedKeys<'_>, secret: &ApiKey) -> String {
    let given = [
        ("publishable key", typed.publishable_key),
        ("webhook ID", typed.webhook_id),
        ("webhook secret", typed.webhook_secret),
    ];
    let others = given.iter().filter(|(_, text)| !text.trim().is_empty()).map(|(name, _)| *name);
    let others: Vec<&str> = others.collect();
    format!("{} {mode}: secret key {} {}", kind.code, secret.masked(), others.join(", "))
}

/// Shows a key to Stripe. A Stripe that does not answer is no reason to refuse it.
async fn account_of(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
    mode: Mode,
    (api_base, key): (&str, &ApiKey),
) -> Result<Option<String>, SettingsError> {
    let asked = accounts::ask(core, api_base, key.clone()).await;
    let account = match asked.map_err(|why| refused("secret_key", sentence(&why.to_string())))? {
        Ok(account) => account.id,
        Err(CallError::Unauthorized(_)) => {
            let why = "Stripe does not know this key; it is mistyped, expired or revoked. Copy it \
                       again from Developers, API keys.";
            return Err(refused("secret_key", why));
        }
        Err(error) => {
            tracing::info!(%error, "the account of a key is not known yet");
            return Ok(None);
        }
    };
    let needed = accounts::still_needed(core, tenant, &kind.code, mode, &account).await?;
    match needed {
        Some(needed) => Err(refused(
            "secret_key",
            format!(
                "This key is of the account {account}, and {} not finished or could still be refunded. \
                 Enter a key of that account, or make another payment type.",
                match needed.payments {
                    1 => format!("1 payment of {} is", needed.account),
                    many => format!("{many} payments of {} are", needed.account),
                }
            ),
        )),
        None => Ok(Some(account)),
    }
}

async fn current(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
) -> Result<Option<(ApiKey, String)>, FolderError> {
    let Some(generation) = newest_generation(core, tenant, code, mode).await? else {
        return Ok(None);
    };
    match credentials(core, tenant, code, mode, generation).await {
        Ok(found) => Ok(Some((found.secret_key, found.api_base))),
        Err(CredentialsError::Folder(error)) => Err(error),
        Err(_) => Err(StoreError::Damaged("processors").into()),
    }
}

/// Where keys of a type go that has none yet in this mode: live ones only to Stripe, test ones where
/// the other test keys of the tenant go (a stand-in on this machine, say).
async fn api_base_default(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
) -> Result<String, StoreError> {
    if mode == Mode::Live {
        return Ok(STRIPE_API_BASE.to_owned());
    }
    let sql = query(
        "SELECT api_base FROM processors WHERE tenant = ? AND mode = 'test' \
         ORDER BY created_at_ms DESC LIMIT 1",
    );
    let row = sql.bind(tenant.as_str()).fetch_optional(&core.store.reads).await?;
    let known = row.map(|row| rows::text(&row, "api_base")).transpose()?;
    Ok(known.unwrap_or_else(|| STRIPE_API_BASE.to_owned()))
}

async fn set_webhook_id(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    id: String,
) -> Result<(), SettingsError> {
    let tenant = tenant.clone();
    let update = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE webhook_secrets SET endpoint = ? WHERE tenant = ? AND mode = ? AND number = \
                 (SELECT MAX(number) FROM webhook_secrets WHERE tenant = ? AND mode = ?)",
            );
            let sql = sql.bind(id).bind(tenant.as_str()).bind(mode.as_str());
            let sql = sql.bind(tenant.as_str()).bind(mode.as_str());
            Ok::<_, StoreError>(sql.execute(&mut tx.connection).await?.rows_affected())
        })
    });
    if update.await? == 0 {
        let why = "Enter the Webhook Secret too; the ID only says which endpoint it belongs to.";
        return Err(refused("webhook_secret", why));
    }
    Ok(())
}

/// A payment type as it was typed.
pub(crate) struct TypedType<'t> {
    pub(crate) code: &'t str,
    pub(crate) name: &'t str,
    pub(crate) provider: &'t str,
    pub(crate) currency: &'t str,
    /// With commas between.
    pub(crate) user_types: String,
}

/// Makes a payment type, in test mode, or gives a known one another name and users.
pub(crate) async fn save_type(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    typed: TypedType<'_>,
    is_new: bool,
) -> Result<PaymentTypeCode, SettingsError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let code = PaymentTypeCode::parse(typed.code.trim());
    if code.is_err() {
        errors.push((
            "code",
            "A code has 1 to 12 capital letters, digits and hyphens, such as STRIPE.".into(),
        ));
    }
    let name = crate::admin::checked_name(typed.name);
    if name.is_err() {
        errors.push(("name", "A name has 1 to 60 characters on one line.".into()));
    }
    let is_cash = typed.provider == "cash";
    if !is_cash && typed.provider != "stripe" {
        errors.push(("provider", "Choose Stripe or Cash.".into()));
    }
    let currency = Currency::from_code(typed.currency.trim());
    let limits = currency.as_ref().ok().and_then(|it| match is_cash {
        true => Some(processors::CASH_LIMITS),
        false => processors::limits(*it).ok(),
    });
    if limits.is_none() {
        errors.push((
            "currency",
            "There is no such currency, or Stripe does not take it; write three letters, such as USD.".into(),
        ));
    }
    if typed.user_types.is_empty() {
        errors.push(("user_types", "Choose at least one; nobody could pay otherwise.".into()));
    }
    if is_cash && typed.user_types != "officers" && !typed.user_types.is_empty() {
        errors.push(("user_types", "Cash is taken by officers; choose them alone.".into()));
    }
    let (Ok(code), Ok(name), Ok(currency), Some(limits), true) =
        (code, name, currency, limits, errors.is_empty())
    else {
        return Err(SettingsError::Fields(errors));
    };
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let (saved, user_types) = (code.clone(), typed.user_types);
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = if is_new {
                query(
                    "INSERT INTO payment_types (name, user_types, currency, minor_min, minor_max, \
                     tenant, code, provider, mode, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, \
                     ?, 'test', ?) ON CONFLICT DO NOTHING",
                )
            } else {
                // The currency changes only while no payment is in it.
                query(
                    "UPDATE payment_types SET name = ?, user_types = ?, currency = ?, minor_min = ?, \
                     minor_max = ? WHERE tenant = ? AND code = ? AND (currency = ? OR NOT EXISTS \
                     (SELECT 1 FROM payments p WHERE p.tenant = payment_types.tenant AND \
                     p.payment_type = payment_types.code))",
                )
            };
            let currency = currency.code().to_owned();
            let sql = sql.bind(&name).bind(&user_types).bind(&currency).bind(limits.minor_min);
            let sql = sql.bind(limits.minor_max).bind(tenant.as_str()).bind(code.as_str());
            let provider = if is_cash { "cash" } else { "stripe" };
            let sql = if is_new { sql.bind(provider).bind(at_ms) } else { sql.bind(&currency) };
            let done = sql.execute(&mut tx.connection).await.map_err(StoreError::Sql)?;
            if done.rows_affected() == 0 {
                return Err(if is_new {
                    refused("code", "There is a payment type with this code already.")
                } else {
                    refused("currency", "There are payments in the present currency; make another payment type for this one.")
                });
            }
            let detail = format!("{code}: {name}, {currency}, for {user_types}");
            let what = if is_new { "payment_type_added" } else { "payment_type_changed" };
            Ok(audit::record(tx, tenant.as_str(), Act { at_ms, who: &who, what, detail: &detail }).await?)
        })
    });
    write.await.map(|()| saved)
}

/// Both sets of keys of a payment type, masked.
pub(crate) async fn keys(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
) -> Result<Option<KeysView>, StoreError> {
    let sql = query(
        "SELECT p.*, COALESCE(w.endpoint, '') AS endpoint, COALESCE(w.secret_masked, '') AS \
         secret_masked FROM processors p LEFT JOIN webhook_secrets w ON w.tenant = p.tenant AND \
         w.mode = p.mode AND w.number = (SELECT MAX(number) FROM webhook_secrets x WHERE \
         x.tenant = p.tenant AND x.mode = p.mode) WHERE p.tenant = ? AND p.code = ? AND p.mode = ? \
         ORDER BY p.generation DESC LIMIT 1",
    );
    let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
    let row = sql.fetch_optional(&core.store.reads).await?;
    let view = |row: sqlx::sqlite::SqliteRow| {
        Ok(KeysView {
            secret_key: rows::text(&row, "secret_key_masked")?,
            publishable_key: rows::text(&row, "publishable_key")?,
            account: rows::text(&row, "account")?,
            webhook_id: rows::text(&row, "endpoint")?,
            webhook_secret: rows::text(&row, "secret_masked")?,
        })
    };
    row.map(view).transpose()
}
