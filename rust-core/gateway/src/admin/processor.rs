//! Setting Stripe up from the command line: each key is checked where it was entered, then sealed.

mod error;
mod fields;

pub use error::ProcessorError;

use super::catalogue::newest_currency;
use super::tenant::checked_name;
use crate::accounts::{self, KeyOf};
use crate::audit::{self, OPERATOR};
use crate::core::{Core, UnknownTenant};
use crate::processors::{self, NewProcessor};
use crate::webhook_secrets::{self, WebhookSecretRow};
use crate::world::SystemWorld;
use fields::{currency, publishable_key, secret_key, webhook_id, webhook_secret};
use holdfast_domain::{Currency, Mode, PaymentTypeCode, Secret, TenantSlug};
use holdfast_stripe::{ApiKey, ClientConfig, WebhookSecret};
use std::path::Path;
use std::sync::Arc;

/// What a payment type is called unless it is given a name.
const NAME_DEFAULT: &str = "Online Payment";

/// What to set. The keys come from the environment and are never written on a command line.
pub struct SetProcessor {
    /// Whose.
    pub tenant: TenantSlug,
    /// The payment type, made if it is not there.
    pub code: PaymentTypeCode,
    /// Which set of keys this is.
    pub mode: Mode,
    /// A new name for the payment type.
    pub name: Option<String>,
    /// Its currency; US dollars for a new one.
    pub currency: Option<String>,
    /// Destination ID of the webhook.
    pub webhook_id: Option<String>,
    /// Where Stripe's API is, if not at Stripe.
    pub api_base: Option<String>,
    /// `STRIPE_SECRET_KEY`.
    pub secret_key: Option<Secret<String>>,
    /// `STRIPE_PUBLISHABLE_KEY`.
    pub publishable_key: Option<Secret<String>>,
    /// `STRIPE_WEBHOOK_SECRET`.
    pub webhook_secret: Option<Secret<String>>,
}

/// What was set, with secrets masked.
#[derive(Debug, Clone)]
pub struct ProcessorSet {
    /// The generation of the credentials that is in force in this mode now.
    pub generation: u32,
    /// Prefix and last four of the secret key.
    pub secret_key: String,
    /// Prefix and last four of the webhook secret that was added.
    pub webhook_secret: Option<String>,
    /// The account that the key belongs to, and that of the other mode's key, if they are two.
    pub two_accounts: Option<(String, String)>,
    /// The mode that the payment type is in.
    pub mode_in_force: Mode,
    /// The currency of the price list, if it is not the payment type's: then nothing can be sold
    /// until the list is loaded again.
    pub prices_in: Option<Currency>,
}

/// Checks and stores a set of credentials. A running server uses it from its next call on.
pub async fn stripe_set(data: &Path, what: SetProcessor) -> Result<ProcessorSet, ProcessorError> {
    let checked = Checked::of(what)?;
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let set = checked.store(&core).await;
    core.close().await;
    set
}

struct Checked {
    tenant: TenantSlug,
    code: PaymentTypeCode,
    mode: Mode,
    name: Option<String>,
    currency: Option<Currency>,
    api_base: String,
    secret_key: ApiKey,
    publishable_key: Option<ApiKey>,
    webhook: Option<WebhookSecret>,
    webhook_id: String,
}

impl Checked {
    fn of(what: SetProcessor) -> Result<Self, ProcessorError> {
        let secret_key = secret_key(what.secret_key.as_ref(), what.mode)?;
        let publishable_key = publishable_key(what.publishable_key.as_ref(), what.mode)?;
        if let Some(publishable) = &publishable_key
            && secret_key.account_digits().is_some()
            && publishable.account_digits().is_some()
            && secret_key.account_digits() != publishable.account_digits()
        {
            return Err(ProcessorError::PublishableOfAnother);
        }
        let webhook = webhook_secret(what.webhook_secret.as_ref())?;
        let api_base = what.api_base.unwrap_or_else(|| holdfast_stripe::STRIPE_API_BASE.to_owned());
        ClientConfig::new(&api_base, secret_key.clone())?;
        Ok(Self {
            tenant: what.tenant,
            code: what.code,
            mode: what.mode,
            name: what.name.as_deref().map(checked_name).transpose()?,
            currency: what.currency.as_deref().map(currency).transpose()?,
            api_base,
            secret_key,
            publishable_key,
            webhook,
            webhook_id: webhook_id(what.webhook_id)?,
        })
    }

    async fn store(self, core: &Core) -> Result<ProcessorSet, ProcessorError> {
        core.tenant(&self.tenant).await?.ok_or_else(|| UnknownTenant(self.tenant.clone()))?;
        let existing = processors::payment_type(core, &self.tenant, &self.code).await?;
        let currency = match (&existing, self.currency) {
            (Some(existing), Some(wanted)) if existing.currency != wanted => {
                return Err(ProcessorError::CurrencyFixed {
                    code: self.code,
                    current: existing.currency,
                    wanted,
                });
            }
            (Some(existing), _) => existing.currency,
            (None, wanted) => wanted.unwrap_or(Currency::USD),
        };
        let name = self.name.or_else(|| existing.map(|it| it.name));
        let webhook = self.webhook.as_ref();
        let new = NewProcessor {
            tenant: self.tenant,
            code: self.code,
            name: name.unwrap_or_else(|| NAME_DEFAULT.to_owned()),
            mode: self.mode,
            currency,
            api_base: self.api_base,
            secret_key: self.secret_key.clone(),
            publishable_key: self.publishable_key.map(|key| key.expose().to_owned()),
            webhook: webhook.cloned().map(|secret| WebhookSecretRow {
                secret,
                endpoint: self.webhook_id.clone(),
                until_ms: None,
            }),
        };
        let tenant = new.tenant.clone();
        if let Some(secret) = webhook
            && !webhook_secrets::has_room(core, &tenant, new.mode, secret).await?
        {
            return Err(ProcessorError::SecretsFull);
        }
        let (base, mode, code) = (new.api_base.clone(), new.mode, new.code.clone());
        let account = match accounts::ask(core, &base, self.secret_key.clone()).await {
            Ok(Ok(account)) => Some(account.id),
            // The key is stored all the same: it can be set before the network is there.
            Ok(Err(_)) | Err(_) => None,
        };
        if let Some(account) = &account {
            may_replace(core, &tenant, &code, mode, account).await?;
        }
        let stored = processors::store(core, new).await?;
        let key = KeyOf { tenant: tenant.clone(), code, mode, generation: stored.generation };
        let detail = format!("{} {mode}: secret key {}", key.code, self.secret_key.masked());
        let mut two_accounts = None;
        if let Some(account) = account {
            let other = accounts::of_other_mode(core, &tenant, &key.code, mode).await?;
            let differs = other.filter(|other| *other != account);
            two_accounts = differs.map(|other| (account.clone(), other));
            accounts::remember(core, key, account).await?;
        }
        audit::note(core, &tenant, OPERATOR, "keys_saved", &detail).await?;
        let prices_in = newest_currency(core, &tenant).await?;
        Ok(ProcessorSet {
            generation: stored.generation,
            secret_key: self.secret_key.masked(),
            webhook_secret: webhook.map(WebhookSecret::masked),
            two_accounts,
            mode_in_force: stored.mode_in_force,
            prices_in: prices_in.filter(|prices_in| *prices_in != currency),
        })
    }
}

/// A key of another account would leave payments that nobody can follow or give back.
async fn may_replace(
    core: &Core,
    tenant: &TenantSlug,
    code: &PaymentTypeCode,
    mode: Mode,
    new: &str,
) -> Result<(), ProcessorError> {
    match accounts::still_needed(core, tenant, code, mode, new).await? {
        None => Ok(()),
        Some(accounts::StillNeeded { account, payments }) => Err(ProcessorError::AccountInUse {
            code: code.clone(),
            new: new.to_owned(),
            account,
            payments,
        }),
    }
}

#[cfg(test)]
mod tests;
