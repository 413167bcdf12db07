//! Proving that keys and webhook work, before a payer does.

use crate::accounts::{self, KeyOf};
use crate::core::Core;
use crate::credentials::{Credentials, webhook_secrets};
use crate::deliveries::about::META_CHECK;
use crate::permissions;
use crate::processors::{self, PaymentTypeRow};
use crate::store::{StoreError, rows};
use crate::tokens;
use crate::webhook_books::{describe, endpoint_trouble};
use crate::webhook_secrets::{self as kept_secrets, NO_ROOM, WebhookSecretRow};
use holdfast_domain::{Mode, Money, TenantSlug};
use holdfast_ledger::work::FOLLOWED;
use holdfast_stripe::objects::{CheckoutSession, PaymentIntent, WebhookEndpoint};
use holdfast_stripe::request::{
    CreateIntent, CreateSession, CreateWebhookEndpoint, SessionLine, cancel_intent, expire_session,
};
use holdfast_stripe::{CallError, Client, KeyKind};
use serde::{Deserialize, Serialize};
use sqlx::query;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a verification waits for Stripe's deliveries; they mostly take a second or two.
const DELIVERY_WAIT: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Our mark on an endpoint that the button made: the gateway's ID.
const MARK: &str = "holdfast_gateway";

/// One line of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) good: bool,
    pub(crate) words: String,
}

impl Step {
    pub(crate) fn good(words: impl Into<String>) -> Self {
        Self { good: true, words: words.into() }
    }

    pub(crate) fn bad(words: impl Into<String>) -> Self {
        Self { good: false, words: words.into() }
    }
}

/// What is looked at: one set of keys.
pub(crate) struct Subject<'s> {
    pub(crate) core: &'s Core,
    pub(crate) tenant: &'s TenantSlug,
    pub(crate) kind: &'s PaymentTypeRow,
    pub(crate) mode: Mode,
    pub(crate) keys: Credentials,
}

impl Subject<'_> {
    pub(crate) fn client(&self) -> Result<Client, Step> {
        accounts::impatient(self.core, &self.keys.api_base, self.keys.secret_key.clone())
            .map_err(|error| Step::bad(error.to_string()))
    }

    /// Tries the key: account, mode, currency, and what a restricted key may not do.
    pub(crate) async fn check(&self) -> Result<Vec<Step>, StoreError> {
        let client = match self.client() {
            Ok(client) => client,
            Err(step) => return Ok(vec![step]),
        };
        let mut steps = Vec::new();
        match client.account().await {
            Ok(account) => {
                let name = account.display_name().map(|name| format!(" ({name})"));
                steps.push(Step::good(format!(
                    "Account {}{}",
                    account.id,
                    name.unwrap_or_default()
                )));
                steps.push(self.currency(account.default_currency.as_deref()));
                if self.mode == Mode::Live && !account.charges_enabled {
                    steps.push(Step::bad("Stripe does not let this account take live payments yet; finish its activation in Stripe's Dashboard."));
                }
                steps.extend(self.other_account(&account.id).await?);
                let key = self.key_of(self.mode, self.keys.generation);
                accounts::remember(self.core, key, account.id).await?;
            }
            Err(CallError::PermissionMissing(error)) => {
                steps.push(Step::bad(format!(
                    "The account is not known: {}",
                    missing(&error.object.message)
                )));
            }
            Err(error) => return Ok(vec![Step::bad(explain(&error))]),
        }
        steps.push(Step::good(format!("Mode: {}", self.mode)));
        if self.keys.secret_key.kind() == KeyKind::Restricted {
            steps.extend(self.permissions(&client).await);
        }
        Ok(steps)
    }

    fn key_of(&self, mode: Mode, generation: u32) -> KeyOf {
        let (tenant, code) = (self.tenant.clone(), self.kind.code.clone());
        KeyOf { tenant, code, mode, generation }
    }

    fn currency(&self, settles_in: Option<&str>) -> Step {
        let ours = self.kind.currency.code();
        match settles_in.map(str::to_ascii_uppercase) {
            Some(theirs) if theirs != ours => Step::good(format!(
                "Currency: {ours}; the account settles in {theirs}, so Stripe converts"
            )),
            _ => Step::good(format!("Currency: {ours}")),
        }
    }

    /// Test and live keys of two accounts are easily mixed up; new kinds of test accounts may differ on
    /// purpose, so it is said and not refused.
    async fn other_account(&self, account: &str) -> Result<Option<Step>, StoreError> {
        other_account(self.core, self.tenant, self.kind, (self.mode, account)).await
    }

    async fn permissions(&self, client: &Client) -> Vec<Step> {
        let new_key = || tokens::new_token(self.core.world.as_ref()).unwrap_or_default();
        let missing = permissions::missing(client, new_key).await;
        if missing.is_empty() {
            return vec![Step::good("The restricted key has every permission it needs")];
        }
        missing.into_iter().map(Step::bad).collect()
    }

    /// Registers the webhook at Stripe, or finds the one that an earlier press made.
    pub(crate) async fn register(
        &self,
        address: &str,
    ) -> Result<Vec<Step>, crate::core::FolderError> {
        let client = match self.client() {
            Ok(client) => client,
            Err(step) => return Ok(vec![step]),
        };
        let found = match client.webhook_endpoints().await {
            Ok(found) => found.data,
            Err(error) => return Ok(vec![Step::bad(explain(&error))]),
        };
        let gateway = self.core.installation().await?.gateway.to_string();
        let same: Vec<&WebhookEndpoint> = found.iter().filter(|it| it.url == address).collect();
        let mut number = 0_usize;
        for endpoint in same {
            if self.holds_secret_of(&endpoint.id).await? {
                return Ok(describe(endpoint));
            }
            if endpoint.metadata.get(MARK) != Some(&gateway) {
                return Ok(vec![Step::bad(format!(
                    "{} was made by hand for this address. Reveal its signing secret at Stripe and \
                     enter it as Webhook Secret, or delete it there and press the button again.",
                    endpoint.id
                ))]);
            }
            // Ours, and the answer that held its secret was lost: Stripe never tells it again.
            number = number.saturating_add(1);
            if let Err(error) = client.delete_webhook_endpoint(&endpoint.id).await {
                return Ok(vec![Step::bad(explain(&error))]);
            }
        }
        let salt = tokens::new_token(self.core.world.as_ref()).map_err(StoreError::Entropy)?;
        let create = CreateWebhookEndpoint {
            url: address.to_owned(),
            enabled_events: FOLLOWED.to_vec(),
            metadata: BTreeMap::from([(MARK.to_owned(), gateway)]),
        };
        let frozen = match create.freeze(&format!("holdfast-webhook-{number}-{salt}")) {
            Ok(frozen) => frozen,
            Err(error) => return Ok(vec![Step::bad(error.to_string())]),
        };
        match client.send::<WebhookEndpoint>(&frozen).await {
            Ok(mut endpoint) => self.keep(&mut endpoint).await,
            Err(error) => Ok(vec![Step::bad(format!(
                "{} Press the button again; what was made already is found by its address.",
                explain(&error)
            ))]),
        }
    }

    async fn keep(
        &self,
        endpoint: &mut WebhookEndpoint,
    ) -> Result<Vec<Step>, crate::core::FolderError> {
        let Some(secret) = endpoint.secret.take() else {
            return Ok(vec![Step::bad(
                "Stripe made the webhook but told no secret; press the button again.",
            )]);
        };
        if !kept_secrets::has_room(self.core, self.tenant, self.mode, &secret).await? {
            return Ok(vec![Step::bad(format!("{NO_ROOM} Then press the button again."))]);
        }
        let row = WebhookSecretRow { secret, endpoint: endpoint.id.clone(), until_ms: None };
        kept_secrets::add(self.core, self.tenant, self.mode, row).await?;
        let mut steps = describe(endpoint);
        steps.push(Step::good("Its secret is stored. Verify the webhook now."));
        Ok(steps)
    }

    async fn holds_secret_of(&self, endpoint: &str) -> Result<bool, StoreError> {
        let sql =
            query("SELECT 1 FROM webhook_secrets WHERE tenant = ? AND mode = ? AND endpoint = ?");
        let sql = sql.bind(self.tenant.as_str()).bind(self.mode.as_str()).bind(endpoint.to_owned());
        Ok(sql.fetch_optional(&self.core.store.reads).await?.is_some())
    }

    /// Makes Stripe send something, and waits for it: an intent is created and canceled, a session
    /// opened and expired. Nobody can pay either.
    pub(crate) async fn verify(
        &self,
        public_url: &str,
    ) -> Result<Vec<Step>, crate::core::FolderError> {
        let known = webhook_secrets(self.core, self.tenant).await?;
        if !known.iter().any(|it| it.mode == self.mode) {
            return Ok(vec![Step::bad(
                "There is no Webhook Secret for this mode yet. Register the webhook, or enter its secret.",
            )]);
        }
        let client = match self.client() {
            Ok(client) => client,
            Err(step) => return Ok(vec![step]),
        };
        let began_ms = self.core.now_ms();
        let (intent, session) = match self.provoke(&client, public_url).await {
            Ok(made) => made,
            Err(step) => return Ok(vec![step]),
        };
        let off_s = intent.created.abs_diff(began_ms.div_euclid(1000));
        let wanted =
            [("payment_intent.canceled", intent.id), ("checkout.session.expired", session.id)];
        let arrived = self.wait_for(&wanted).await?;
        let mut steps = Vec::new();
        for ((kind, _), came) in wanted.iter().zip(&arrived) {
            steps.push(if *came {
                Step::good(format!("{kind} came, signed with a secret of this mode"))
            } else {
                Step::bad(format!("{kind} did not come within {} s", DELIVERY_WAIT.as_secs()))
            });
        }
        if arrived.iter().all(|came| *came) {
            steps.push(Step::good("Address, secret, mode and event types are right."));
        } else {
            steps.extend(self.why_not(&client, public_url, began_ms).await?);
        }
        if off_s > 60 {
            steps.push(Step::bad(format!(
                "This machine's clock is off by {off_s} s from Stripe's; set it, best by NTP."
            )));
        }
        Ok(steps)
    }

    async fn provoke(
        &self,
        client: &Client,
        public_url: &str,
    ) -> Result<(PaymentIntent, CheckoutSession), Step> {
        let refused = |error: CallError| Step::bad(explain(&error));
        let broken = |error: &dyn std::fmt::Display| Step::bad(error.to_string());
        let limits = processors::limits(self.kind.currency).map_err(|error| broken(&error))?;
        let amount = Money::new(limits.minor_min, self.kind.currency);
        let salt = tokens::new_token(self.core.world.as_ref()).map_err(|error| broken(&error))?;
        let notes = BTreeMap::from([(META_CHECK.to_owned(), "webhook".to_owned())]);
        let frozen = CreateIntent { amount, metadata: notes.clone() }.freeze(&format!("{salt}-1"));
        let intent: PaymentIntent =
            client.send(&frozen.map_err(|error| broken(&error))?).await.map_err(refused)?;
        let frozen =
            cancel_intent(&intent.id, &format!("{salt}-2")).map_err(|error| broken(&error))?;
        client.send::<PaymentIntent>(&frozen).await.map_err(refused)?;
        let session = CreateSession {
            lines: vec![SessionLine {
                name: "Webhook check".to_owned(),
                unit: amount,
                quantity: 1,
            }],
            success_url: public_url.to_owned(),
            cancel_url: public_url.to_owned(),
            client_reference_id: "holdfast-webhook-check".to_owned(),
            metadata: notes.clone(),
            intent_metadata: notes,
            expires_at: self.core.now_ms().div_euclid(1000).saturating_add(60 * 60),
        };
        let frozen = session.freeze(&format!("{salt}-3")).map_err(|error| broken(&error))?;
        let session: CheckoutSession = client.send(&frozen).await.map_err(refused)?;
        let frozen =
            expire_session(&session.id, &format!("{salt}-4")).map_err(|error| broken(&error))?;
        client.send::<CheckoutSession>(&frozen).await.map_err(refused)?;
        Ok((intent, session))
    }

    async fn wait_for(&self, wanted: &[(&str, String)]) -> Result<Vec<bool>, StoreError> {
        let began = Instant::now();
        loop {
            let mut arrived = Vec::new();
            for (kind, object) in wanted {
                let sql = query(
                    "SELECT 1 FROM events WHERE tenant = ? AND mode = ? AND kind = ? AND object = ?",
                );
                let sql = sql.bind(self.tenant.as_str()).bind(self.mode.as_str());
                let sql = sql.bind((*kind).to_owned()).bind(object.clone());
                arrived.push(sql.fetch_optional(&self.core.store.reads).await?.is_some());
            }
            if arrived.iter().all(|came| *came) || began.elapsed() > DELIVERY_WAIT {
                return Ok(arrived);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// What was refused meanwhile, and what Stripe has on its books.
    async fn why_not(
        &self,
        client: &Client,
        public_url: &str,
        since_ms: i64,
    ) -> Result<Vec<Step>, StoreError> {
        let sql = query(
            "SELECT DISTINCT reason FROM deliveries WHERE tenant = ? AND received_at_ms >= ? AND \
             answer >= 400 LIMIT 3",
        );
        let sql = sql.bind(self.tenant.as_str()).bind(since_ms);
        let refused = sql.fetch_all(&self.core.store.reads).await?;
        let mut steps = Vec::new();
        for row in &refused {
            steps.push(Step::bad(format!(
                "A delivery came and was refused: {}.",
                rows::text(row, "reason")?
            )));
        }
        if let Ok(found) = client.webhook_endpoints().await {
            steps.extend(endpoint_trouble(&found.data, public_url, self.tenant));
        }
        Ok(steps)
    }
}

/// A line that names the other mode's account, if the keys of both modes are of two.
pub(crate) async fn other_account(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
    (mode, account): (Mode, &str),
) -> Result<Option<Step>, StoreError> {
    let other = match mode {
        Mode::Test => Mode::Live,
        Mode::Live => Mode::Test,
    };
    let keys = crate::settings::keys(core, tenant, &kind.code, other).await?;
    let differs = keys.filter(|it| !it.account.is_empty() && it.account != account);
    Ok(differs.map(|it| {
        Step::bad(format!(
            "These {mode} keys are of the account {account}, and the {other} keys of another, {}. Unless one \
             is a sandbox of the same business, enter the Secret Key again that is of the wrong account.",
            it.account
        ))
    }))
}

fn missing(message: &Option<String>) -> String {
    format!("Stripe says: {}", message.as_deref().unwrap_or("permission missing"))
}

/// A failed call in words that say what to do. Stripe's own message never holds the whole key.
pub(crate) fn explain(error: &CallError) -> String {
    match error {
        CallError::Unauthorized(_) => {
            "Stripe does not know this Secret Key; it is mistyped, expired or revoked. Copy it again from Developers, API keys.".to_owned()
        }
        CallError::NotSent(_) | CallError::Unknown { .. } | CallError::RateLimited { .. } => {
            format!("Stripe could not be asked: {error}. Check the network, then try again.")
        }
        _ => format!("Stripe refused: {error}."),
    }
}
