//! Setting Stripe up: each key is checked where it was entered, then sealed.

use super::catalogue::newest_currency;
use super::tenant::{NotAName, checked_name};
use crate::accounts::{self, KeyOf};
use crate::audit::{self, OPERATOR};
use crate::core::{Core, FolderError, UnknownTenant};
use crate::processors::{self, NewProcessor};
use crate::store::StoreError;
use crate::webhook_secrets::{self, NO_ROOM, WebhookSecretRow};
use crate::world::SystemWorld;
use holdfast_domain::{Currency, Mode, PaymentTypeCode, Secret, TenantSlug};
use holdfast_stripe::amount::AmountError;
use holdfast_stripe::{ApiKey, ClientConfig, ConfigError, KeyError, KeyKind, WebhookSecret};
use std::path::Path;
use std::sync::Arc;

/// What a payment type is called unless it is given a name.
const NAME_DEFAULT: &str = "Online Payment";
/// Longest ID of a webhook destination.
const WEBHOOK_ID_CHARS_MAX: usize = 100;

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
    /// The mode that the payment type is in.
    pub mode_in_force: Mode,
    /// The currency of the price list, if it is not the payment type's: then nothing can be sold
    /// until the list is loaded again.
    pub prices_in: Option<Currency>,
}

/// Why nothing was set. Each names the field to change.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {
    /// A key is missing or is not that kind of key.
    #[error("{field}: {source}")]
    Key {
        /// The environment variable.
        field: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A key of one mode was given for the other.
    #[error(
        "{field} is a {found} key and --mode is {wanted}; give the {wanted} key, or --mode {found}"
    )]
    Mode {
        /// The environment variable.
        field: &'static str,
        /// What the key says.
        found: Mode,
        /// What the command said.
        wanted: Mode,
    },
    /// A key of the wrong kind stands in a field.
    #[error("{field} holds a {found}; {todo}")]
    Kind {
        /// The environment variable.
        field: &'static str,
        /// What it is.
        found: &'static str,
        /// What to do.
        todo: &'static str,
    },
    /// The secret key may not be sent to that address.
    #[error("--api-base: {0}")]
    ApiBase(#[from] ConfigError),
    /// The currency is none, or none of Stripe's.
    #[error("--currency: {0}")]
    Currency(String),
    /// The payment type has another currency already.
    #[error(
        "--currency: {code} takes {current} and has payments or prices in it; make another payment \
         type with its own --code for {wanted}"
    )]
    CurrencyFixed {
        /// The payment type.
        code: PaymentTypeCode,
        /// What it takes.
        current: Currency,
        /// What was asked for.
        wanted: Currency,
    },
    /// The webhook's ID is none.
    #[error(
        "--webhook-id: a destination ID begins with we_ or ed_; copy it from Stripe's Webhooks page"
    )]
    WebhookId,
    /// There is no room for another webhook secret.
    #[error("STRIPE_WEBHOOK_SECRET: {NO_ROOM}")]
    SecretsFull,
    /// Another account still has payments to follow or to give back.
    #[error(
        "STRIPE_SECRET_KEY is of the account {new}, and {payments} payments of {code} in {account} are \
         not finished or could still be refunded; give a key of {account}, or make another payment \
         type with its own --code"
    )]
    AccountInUse {
        /// The payment type.
        code: PaymentTypeCode,
        /// Whose key was given.
        new: String,
        /// Whose payments there are.
        account: String,
        /// How many.
        payments: i64,
    },
    /// The name cannot be shown.
    #[error("--name: {0}")]
    Name(#[from] NotAName),
    /// There is no such tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownTenant),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for ProcessorError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
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
        if let Some(account) = account {
            accounts::remember(core, key, account).await?;
        }
        audit::note(core, &tenant, OPERATOR, "keys_saved", &detail).await?;
        let prices_in = newest_currency(core, &tenant).await?;
        Ok(ProcessorSet {
            generation: stored.generation,
            secret_key: self.secret_key.masked(),
            webhook_secret: webhook.map(WebhookSecret::masked),
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

fn secret_key(given: Option<&Secret<String>>, mode: Mode) -> Result<ApiKey, ProcessorError> {
    let field = "STRIPE_SECRET_KEY";
    let key = parse_key(field, given.map_or("", |key| key.expose()))?;
    if key.kind() == KeyKind::Publishable {
        let todo = "put it in STRIPE_PUBLISHABLE_KEY, and the secret key (sk_) or a restricted \
                    key (rk_) here";
        return Err(ProcessorError::Kind { field, found: key.kind().name(), todo });
    }
    of_mode(field, key, mode)
}

fn publishable_key(
    given: Option<&Secret<String>>,
    mode: Mode,
) -> Result<Option<ApiKey>, ProcessorError> {
    let field = "STRIPE_PUBLISHABLE_KEY";
    let Some(given) = given.filter(|key| !key.expose().trim().is_empty()) else { return Ok(None) };
    let key = parse_key(field, given.expose())?;
    if key.kind() != KeyKind::Publishable {
        let todo = "a browser would see it; put the publishable key (pk_) here";
        return Err(ProcessorError::Kind { field, found: key.kind().name(), todo });
    }
    of_mode(field, key, mode).map(Some)
}

fn parse_key(field: &'static str, text: &str) -> Result<ApiKey, ProcessorError> {
    ApiKey::parse(text).map_err(|source| ProcessorError::Key { field, source })
}

fn of_mode(field: &'static str, key: ApiKey, wanted: Mode) -> Result<ApiKey, ProcessorError> {
    let found = key.mode();
    if found == wanted { Ok(key) } else { Err(ProcessorError::Mode { field, found, wanted }) }
}

fn webhook_secret(given: Option<&Secret<String>>) -> Result<Option<WebhookSecret>, ProcessorError> {
    let given = given.filter(|secret| !secret.expose().trim().is_empty());
    let parse = |secret: &Secret<String>| {
        WebhookSecret::parse(secret.expose())
            .map_err(|source| ProcessorError::Key { field: "STRIPE_WEBHOOK_SECRET", source })
    };
    given.map(parse).transpose()
}

fn webhook_id(given: Option<String>) -> Result<String, ProcessorError> {
    let Some(id) = given else { return Ok(String::new()) };
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = id.starts_with("we_") || id.starts_with("ed_");
    let good = known && plain && id.len() <= WEBHOOK_ID_CHARS_MAX;
    good.then_some(id).ok_or(ProcessorError::WebhookId)
}

fn currency(code: &str) -> Result<Currency, ProcessorError> {
    let refused = |words: String| ProcessorError::Currency(words);
    let currency = Currency::from_code(code).map_err(|error| refused(error.to_string()))?;
    match processors::limits(currency) {
        Ok(_) => Ok(currency),
        Err(AmountError::Unsupported { code }) => {
            Err(refused(format!("Stripe does not take {code}; choose another currency")))
        }
        Err(other) => Err(refused(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(mode: Mode, key: &str) -> SetProcessor {
        SetProcessor {
            tenant: "demo".parse().unwrap(),
            code: "STRIPE".parse().unwrap(),
            mode,
            name: None,
            currency: None,
            webhook_id: None,
            api_base: None,
            secret_key: Some(Secret::new(key.to_owned())),
            publishable_key: None,
            webhook_secret: None,
        }
    }

    fn refused(what: SetProcessor) -> String {
        Checked::of(what).err().unwrap().to_string()
    }

    fn secret(text: &str) -> Option<Secret<String>> {
        Some(Secret::new(text.to_owned()))
    }

    #[test]
    fn a_key_of_the_other_mode_is_refused_with_its_field() {
        let words = refused(set(Mode::Test, "sk_live_51Abc"));
        assert!(words.contains("STRIPE_SECRET_KEY is a live key and --mode is test"), "{words}");
        let words = refused(SetProcessor {
            publishable_key: secret("pk_live_51Abc"),
            ..set(Mode::Test, "sk_test_51Abcdefghijk")
        });
        assert!(words.contains("STRIPE_PUBLISHABLE_KEY is a live key"), "{words}");
    }

    #[test]
    fn keys_in_the_wrong_field_are_told_apart() {
        for (what, part) in [
            (set(Mode::Test, ""), "STRIPE_SECRET_KEY: it is empty"),
            (set(Mode::Test, "pk_test_51Abcdefghijk"), "STRIPE_SECRET_KEY holds a publishable key"),
            (set(Mode::Test, "whsec_abc"), "Webhook Secret"),
            (
                SetProcessor {
                    publishable_key: secret("sk_test_51Abcdefghijk"),
                    ..set(Mode::Test, "sk_test_51Abcdefghijk")
                },
                "STRIPE_PUBLISHABLE_KEY holds a secret key",
            ),
            (
                SetProcessor {
                    webhook_secret: secret("we_123"),
                    ..set(Mode::Test, "sk_test_51Abcdefghijk")
                },
                "STRIPE_WEBHOOK_SECRET: it is the ID of a webhook endpoint",
            ),
            (
                SetProcessor {
                    webhook_id: Some("whsec_1".into()),
                    ..set(Mode::Test, "sk_test_51Abcdefghijk")
                },
                "--webhook-id",
            ),
            (
                SetProcessor {
                    currency: Some("zzz".into()),
                    ..set(Mode::Test, "sk_test_51Abcdefghijk")
                },
                "--currency",
            ),
        ] {
            let words = refused(what);
            assert!(words.contains(part), "{words} does not say {part}");
        }
    }

    #[test]
    fn another_api_address_is_for_test_keys_on_this_machine_or_by_https() {
        let at =
            |base: &str, mode, key| SetProcessor { api_base: Some(base.into()), ..set(mode, key) };
        assert!(Checked::of(at("http://127.0.0.1:9", Mode::Test, "sk_test_51Abcdef")).is_ok());
        for what in [
            at("http://example.com", Mode::Test, "sk_test_51Abcdef"),
            at("https://example.com", Mode::Live, "sk_live_51Abc"),
            at("not an address", Mode::Test, "sk_test_51Abcdef"),
        ] {
            let words = refused(what);
            assert!(words.starts_with("--api-base: "), "{words}");
        }
    }

    #[test]
    fn no_refusal_repeats_a_key() {
        for what in [
            set(Mode::Test, "sk_live_51Abc"),
            set(Mode::Test, "pk_test_51AbcdefghijkWXYZ"),
            set(Mode::Test, "sk_bad 51AbcdefghijkWXYZ"),
        ] {
            assert!(!refused(what).contains("51Abc"));
        }
    }
}
