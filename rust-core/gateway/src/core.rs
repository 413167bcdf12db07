//! The opened data folder: database, keys, clock. What the server and the command line share.

use crate::metrics::Metrics;
use crate::store::{Store, StoreError, rows};
use crate::vault::{
    DataKey, GATEWAY_SCOPE, MasterKey, MasterKeyError, Place, SealError, Vault, key_number,
};
use crate::world::SharedWorld;
use holdfast_domain::{GatewayId, Secret, TenantSlug};
use sqlx::query;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no gateway in this folder.
    #[error("{path}: no gateway here; make one with `holdfast init --data {path} --tenant SLUG`")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The master key is missing, or not as it should be.
    #[error(transparent)]
    Key(#[from] MasterKeyError),
    /// The database does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key does not fit the database.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// No such tenant.
#[derive(Debug, Clone, thiserror::Error)]
#[error("there is no tenant {0}; add it with `holdfast tenant add {0} --data DIR`")]
pub struct UnknownTenant(pub TenantSlug);

/// An opened data folder.
pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) world: SharedWorld,
    /// What is counted in this process.
    pub(crate) metrics: Arc<Metrics>,
    /// Whose turn it is to ask Stripe for events: one at a time.
    pub(crate) asking: Mutex<()>,
    folder: PathBuf,
    vault: Vault,
    writing: JoinHandle<()>,
}

/// The row of facts about this installation.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) gateway: GatewayId,
    pub(crate) epoch: u64,
    pub(crate) public_url: Option<String>,
    pub(crate) serving_url: Option<String>,
    /// Compressed SEC 1.
    pub(crate) signing_public_key: Vec<u8>,
    /// X25519, for the sealed copies of handhelds.
    pub(crate) copy_public_key: Vec<u8>,
    /// The private CA that vouches for the gateway, DER.
    pub(crate) ca_certificate: Option<Vec<u8>>,
}

/// A tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) slug: TenantSlug,
    pub(crate) name: String,
    pub(crate) revision: u64,
}

impl Core {
    /// Opens the folder that `init` made.
    pub(crate) async fn open(folder: &Path, world: SharedWorld) -> Result<Self, FolderError> {
        if !crate::store::database_path(folder).is_file() {
            return Err(FolderError::Missing { path: folder.to_owned() });
        }
        let master = MasterKey::open(folder)?;
        let core = Self::assemble(folder, master, world, false).await?;
        // A wrong master key is found now, not at the first payment.
        core.newest_data_key(GATEWAY_SCOPE).await?;
        Ok(core)
    }

    /// Opens a folder whose database may not exist yet.
    pub(crate) async fn assemble(
        database_folder: &Path,
        master: MasterKey,
        world: SharedWorld,
        create: bool,
    ) -> Result<Self, FolderError> {
        let (store, writing) = Store::open(database_folder, create, Arc::clone(&world)).await?;
        let vault = Vault::new(database_folder, master);
        let (metrics, folder) = (Arc::default(), database_folder.to_owned());
        let asking = Mutex::default();
        Ok(Self { store, world, metrics, asking, folder, vault, writing })
    }

    /// Finishes what is being written and closes every connection.
    pub(crate) async fn close(self) {
        let Self { store, writing, .. } = self;
        store.reads.close().await;
        drop(store);
        if writing.await.is_err() {
            tracing::error!("the writer stopped before its time");
        }
    }

    /// Where the database lies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.world.now_ms()
    }

    /// The key that new secrets of a scope are sealed with.
    pub(crate) async fn newest_data_key(&self, scope: &str) -> Result<Arc<DataKey>, FolderError> {
        let newest = query(
            "SELECT number, wrapped FROM data_keys WHERE scope = ? ORDER BY number DESC LIMIT 1",
        );
        let row = newest.bind(scope).fetch_optional(&self.store.reads).await;
        let row = row.map_err(StoreError::Sql)?.ok_or(StoreError::Damaged("data_keys"))?;
        let number = rows::small(&row, "number")?;
        Ok(self.vault.data_key(scope, number, &rows::bytes(&row, "wrapped")?)?)
    }

    /// Opens a sealed value with the key that sealed it.
    pub(crate) async fn open_sealed(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Secret<Vec<u8>>, FolderError> {
        let number = key_number(sealed).ok_or(SealError::DoesNotOpen)?;
        if let Some(key) = self.vault.known(place.scope, number) {
            return Ok(key.open(place, sealed)?);
        }
        let key = query("SELECT wrapped FROM data_keys WHERE scope = ? AND number = ?");
        let key = key.bind(place.scope).bind(i64::from(number));
        let row = key.fetch_optional(&self.store.reads).await.map_err(StoreError::Sql)?;
        let row = row.ok_or(SealError::DoesNotOpen)?;
        let key = self.vault.data_key(place.scope, number, &rows::bytes(&row, "wrapped")?)?;
        Ok(key.open(place, sealed)?)
    }

    /// Seals a secret of a scope.
    pub(crate) async fn seal(
        &self,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, FolderError> {
        let key = self.newest_data_key(place.scope).await?;
        Ok(key.seal(place, plain, self.world.as_ref())?)
    }

    pub(crate) async fn installation(&self) -> Result<Installation, StoreError> {
        let row = query("SELECT * FROM installation").fetch_optional(&self.store.reads).await?;
        let row = row.ok_or(StoreError::Damaged("installation"))?;
        Ok(Installation {
            gateway: rows::parsed(&row, "gateway")?,
            epoch: rows::unsigned(&row, "epoch")?,
            public_url: rows::some(rows::text(&row, "public_url")?),
            serving_url: rows::some(rows::text(&row, "serving_url")?),
            signing_public_key: rows::bytes(&row, "signing_public_key")?,
            copy_public_key: rows::bytes(&row, "copy_public_key")?,
            ca_certificate: Some(rows::bytes(&row, "ca_certificate")?).filter(|ca| !ca.is_empty()),
        })
    }

    pub(crate) async fn tenant(&self, slug: &TenantSlug) -> Result<Option<Tenant>, StoreError> {
        let sql = query("SELECT name, revision FROM tenants WHERE tenant = ?").bind(slug.as_str());
        let Some(row) = sql.fetch_optional(&self.store.reads).await? else { return Ok(None) };
        Ok(Some(Tenant {
            slug: slug.clone(),
            name: rows::text(&row, "name")?,
            revision: rows::unsigned(&row, "revision")?,
        }))
    }

    /// Where links lead when they are printed: the public address, or the one it was last
    /// served under.
    pub(crate) async fn base_url(&self) -> Result<String, StoreError> {
        let installation = self.installation().await?;
        let known = installation.public_url.or(installation.serving_url);
        Ok(known.unwrap_or_else(|| format!("http://{}", crate::DEFAULT_LISTEN)))
    }

    /// Remembers where the gateway is reached now, and which private CA vouches for it there.
    pub(crate) async fn set_serving(&self, url: &str, ca: Option<&[u8]>) -> Result<(), StoreError> {
        let (url, ca) = (url.to_owned(), ca.unwrap_or_default().to_vec());
        let update = self.store.writer.run(move |tx| {
            Box::pin(async move {
                let sql = query("UPDATE installation SET serving_url = ?, ca_certificate = ?");
                let sql = sql.bind(url).bind(ca);
                sql.execute(&mut tx.connection).await?;
                Ok::<_, StoreError>(())
            })
        });
        update.await
    }
}
