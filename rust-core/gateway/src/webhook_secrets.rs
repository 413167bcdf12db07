//! Storing a signing secret of a webhook: sealed on the way in, and each once.

use crate::core::{Core, FolderError};
use crate::credentials::{WEBHOOK_SECRETS_MAX, webhook_place, webhook_row, webhook_secrets};
use crate::store::{StoreError, rows};
use holdfast_domain::{Mode, TenantSlug};
use holdfast_stripe::WebhookSecret;
use sqlx::{SqliteConnection, query};

/// A webhook secret with the destination it belongs to (empty if not told).
pub(crate) struct WebhookSecretRow {
    pub(crate) secret: WebhookSecret,
    pub(crate) endpoint: String,
    /// Until when it is good; none: for good.
    pub(crate) until_ms: Option<i64>,
}

/// A secret that is ready to be written.
pub(crate) struct Kept {
    number: i64,
    endpoint: String,
    /// What to write; none if the same secret is there already.
    sealed: Option<Vec<u8>>,
    masked: String,
    expires_at_ms: i64,
}

/// What is said when there is no room for another one.
pub(crate) const NO_ROOM: &str =
    "There are as many secrets of this mode as are kept. Drop one on the Deliveries page first.";

/// Adds a secret that webhooks of a mode may be signed with; the earlier ones stay good.
pub(crate) async fn add(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    webhook: WebhookSecretRow,
) -> Result<(), FolderError> {
    let kept = prepare(core, tenant, mode, &webhook).await?;
    let (tenant, now_ms) = (tenant.clone(), core.now_ms());
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move { kept.write(&mut tx.connection, &tenant, mode, now_ms).await })
    });
    Ok(insert.await?)
}

/// True if the secret is there already, or can be kept beside the others.
pub(crate) async fn has_room(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    secret: &WebhookSecret,
) -> Result<bool, FolderError> {
    let known = webhook_secrets(core, tenant).await?;
    let of_mode = known.iter().filter(|it| it.mode == mode);
    let room = usize::try_from(WEBHOOK_SECRETS_MAX).unwrap_or(0);
    Ok(of_mode.clone().count() < room || of_mode.clone().any(|it| it.secret == *secret))
}

/// Seals a secret. One that is there already only gets its destination, or is good for longer.
pub(crate) async fn prepare(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    webhook: &WebhookSecretRow,
) -> Result<Kept, FolderError> {
    let kept = |number, sealed, until_ms: Option<i64>| Kept {
        number,
        endpoint: webhook.endpoint.clone(),
        sealed,
        masked: webhook.secret.masked(),
        expires_at_ms: until_ms.unwrap_or(0),
    };
    let known = webhook_secrets(core, tenant).await?;
    let same = known.iter().find(|it| it.mode == mode && it.secret == webhook.secret);
    if let Some(same) = same {
        // One that is there for good does not become temporary.
        let until_ms = webhook.until_ms.filter(|_| same.is_temporary);
        return Ok(kept(same.number, None, until_ms));
    }
    let sql = query(
        "SELECT COALESCE(MAX(number), 0) + 1 AS number FROM webhook_secrets \
         WHERE tenant = ? AND mode = ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(mode.as_str());
    let row = sql.fetch_one(&core.store.reads).await.map_err(StoreError::Sql)?;
    let number = rows::number(&row, "number")?;
    let name = webhook_row(mode, number);
    let place = webhook_place(tenant, &name);
    let sealed = core.seal(place, webhook.secret.expose().as_bytes()).await?;
    Ok(kept(number, Some(sealed), webhook.until_ms))
}

impl Kept {
    /// Writes it. Its account is that of the keys of its mode, if those are of one account.
    pub(crate) async fn write(
        self,
        connection: &mut SqliteConnection,
        tenant: &TenantSlug,
        mode: Mode,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let Some(sealed) = self.sealed else {
            let sql = query(
                "UPDATE webhook_secrets SET endpoint = CASE WHEN ? = '' THEN endpoint ELSE ? END, \
                 expires_at_ms = ? WHERE tenant = ? AND mode = ? AND number = ?",
            );
            let sql = sql.bind(self.endpoint.clone()).bind(self.endpoint).bind(self.expires_at_ms);
            let sql = sql.bind(tenant.as_str()).bind(mode.as_str()).bind(self.number);
            sql.execute(connection).await?;
            return Ok(());
        };
        let sql = query(
            "INSERT INTO webhook_secrets (tenant, mode, number, endpoint, secret_sealed, \
             secret_masked, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        );
        let sql = sql.bind(tenant.as_str()).bind(mode.as_str()).bind(self.number);
        let sql = sql.bind(self.endpoint).bind(sealed).bind(self.masked).bind(now_ms);
        sql.bind(self.expires_at_ms).execute(&mut *connection).await?;
        learn_account(connection, tenant, mode).await
    }
}

/// Gives the secrets of a mode the account of its keys, as soon as it is known and is only one.
pub(crate) async fn learn_account(
    connection: &mut SqliteConnection,
    tenant: &TenantSlug,
    mode: Mode,
) -> Result<(), StoreError> {
    let sql = query(
        "UPDATE webhook_secrets SET account = COALESCE((SELECT MAX(p.account) FROM processors p \
         WHERE p.tenant = webhook_secrets.tenant AND p.mode = webhook_secrets.mode AND p.account <> \
         '' HAVING COUNT(DISTINCT p.account) = 1), '') WHERE tenant = ? AND mode = ? AND account = ''",
    );
    sql.bind(tenant.as_str()).bind(mode.as_str()).execute(connection).await?;
    Ok(())
}
