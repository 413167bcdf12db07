//! Making a data folder.

use super::tenant::{NewTenant, TenantError, insert_tenant};
use crate::core::{Core, FolderError};
use crate::store::{StoreError, database_path, has_log, rows};
use crate::urls::{PublicUrl, UrlError};
use crate::vault::{GATEWAY_SCOPE, MasterKey, MasterKeyError, Place, SealError, wrap_new};
use crate::world::{SharedWorld, SystemWorld, World, random};
use holdfast_domain::{GatewayId, Secret, TenantSlug};
use holdfast_protocol::sealed_copy::public_half;
use p256::ecdsa::SigningKey;
use sqlx::query;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folder, within the data folder, in which the database is made before it gets its name.
const STAGING: &str = ".init";
/// Nobody but the owner may look into the data folder.
const FOLDER_MODE: u32 = 0o700;
/// Nobody but the owner may read the database: it names payers' amounts and officers.
const FILE_MODE: u32 = 0o600;
/// Draws for a signing key: the first is good but for a chance of one in 2^32.
const KEY_DRAWS_MAX: usize = 8;

/// What to make.
#[derive(Debug, Clone)]
pub struct Init {
    /// The data folder; made if it is not there.
    pub data: PathBuf,
    /// The first tenant.
    pub tenant: TenantSlug,
    /// Its name; the slug if none is given.
    pub name: Option<String>,
    /// Where payers reach the gateway, if that is known.
    pub public_url: Option<String>,
    /// Host names of the tenant.
    pub hosts: Vec<String>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Initialised {
    /// The ID that every order will name.
    pub gateway: GatewayId,
    /// The administrator's one-time link.
    pub sign_in_link: String,
}

/// Why no gateway was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder is in use.
    #[error(
        "{path}: there is a gateway already; add a tenant with `holdfast tenant add`, or choose \
         another folder"
    )]
    AlreadyThere {
        /// The folder.
        path: PathBuf,
    },
    /// There is a key without a database.
    #[error(
        "{path}: there is a master key but no database. If an earlier init was interrupted, remove \
         {path}/master.key and try again; otherwise restore the database from its backup"
    )]
    KeyWithoutDatabase {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be made or written.
    #[error("{path}: the folder cannot be made or written; check the path and its owner")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The public address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The tenant cannot be made.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// Database or keys.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

macro_rules! through_folder_error {
    ($($source:ty),*) => {$(
        impl From<$source> for InitError {
            fn from(error: $source) -> Self {
                Self::Folder(error.into())
            }
        }
    )*};
}
through_folder_error!(StoreError, SealError, MasterKeyError);

/// Makes database, master key, gateway ID and key, and the first tenant.
pub async fn init(what: Init) -> Result<Initialised, InitError> {
    init_in(what, Arc::new(SystemWorld)).await
}

pub(crate) async fn init_in(what: Init, world: SharedWorld) -> Result<Initialised, InitError> {
    let public_url = what.public_url.as_deref().map(PublicUrl::parse).transpose()?;
    let tenant = NewTenant::check(what.tenant, what.name, &what.hosts)?;
    refuse_used(&what.data)?;
    let io_error = |source| InitError::Io { path: what.data.clone(), source };
    let staging = what.data.join(STAGING);
    make_folder(&what.data).map_err(io_error)?;
    if staging.exists() {
        std::fs::remove_dir_all(&staging).map_err(io_error)?;
    }
    make_folder(&staging).map_err(io_error)?;
    let master = MasterKey::create(&what.data, world.as_ref())?;
    make_private_file(&database_path(&staging)).map_err(io_error)?;
    let core = Core::assemble(&staging, master, world, true).await?;
    let gateway = write_installation(&core, public_url.as_ref()).await?;
    insert_tenant(&core, &tenant).await?;
    let sign_in_link = super::tenant::link(&core, &tenant.slug).await?;
    core.close().await;
    if has_log(&staging) {
        return Err(io_error(io::Error::other("the new database was not closed in order")));
    }
    // The database gets its name last: a folder with a database is a whole gateway.
    std::fs::rename(database_path(&staging), database_path(&what.data)).map_err(io_error)?;
    std::fs::remove_dir_all(&staging).map_err(io_error)?;
    std::fs::File::open(&what.data).and_then(|folder| folder.sync_all()).map_err(io_error)?;
    Ok(Initialised { gateway, sign_in_link })
}

fn refuse_used(folder: &Path) -> Result<(), InitError> {
    if database_path(folder).exists() {
        return Err(InitError::AlreadyThere { path: folder.to_owned() });
    }
    if MasterKey::path(folder).exists() {
        return Err(InitError::KeyWithoutDatabase { path: folder.to_owned() });
    }
    Ok(())
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// SQLite takes an empty file for a new database, and gives its own files the same rights.
pub(super) fn make_private_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path).map(|_| ())
}

async fn write_installation(
    core: &Core,
    public_url: Option<&PublicUrl>,
) -> Result<GatewayId, InitError> {
    let world = core.world.as_ref();
    let gateway = GatewayId::from_bytes(random(world).map_err(StoreError::Entropy)?);
    let (key, wrapped) = wrap_new(core.vault().master(), GATEWAY_SCOPE, 1, world)?;
    let signing = new_signing_key(world)?;
    let public_key = signing.verifying_key().to_sec1_point(true).as_bytes().to_vec();
    let private_key = Secret::new(<[u8; 32]>::from(signing.to_bytes()));
    let seal = |column, plain: &[u8]| key.seal(place(column), plain, world);
    let signing_sealed = seal("signing_key", private_key.expose())?;
    let copy_secret = Secret::new(random::<32>(world).map_err(StoreError::Entropy)?);
    let copy_public = public_half(&copy_secret).map_err(|_| StoreError::Damaged("copy_key"))?;
    let copy_sealed = seal("copy_key", copy_secret.expose())?;
    let copy_public = copy_public.as_bytes().to_vec();
    let token_secret = Secret::new(random::<32>(world).map_err(StoreError::Entropy)?);
    let token_sealed = seal("token_secret", token_secret.expose())?;
    let public_url = public_url.map(|url| url.as_str().to_owned()).unwrap_or_default();
    let now_ms = core.now_ms();
    let number = i64::from(key.number());
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let data_key = query(
                "INSERT INTO data_keys (scope, number, wrapped, created_at_ms) VALUES (?, ?, ?, ?)",
            );
            let data_key = data_key.bind(GATEWAY_SCOPE).bind(number).bind(wrapped).bind(now_ms);
            data_key.execute(&mut tx.connection).await?;
            let row = query(
                "INSERT INTO installation (one, gateway, epoch, public_url, serving_url, \
                 signing_key_sealed, signing_public_key, copy_key_sealed, copy_public_key, \
                 token_secret_sealed, last_fence, created_at_ms) \
                 VALUES (1, ?, 1, ?, '', ?, ?, ?, ?, ?, 0, ?)",
            );
            let row = row.bind(gateway.to_string()).bind(public_url).bind(signing_sealed);
            let row = row.bind(public_key).bind(copy_sealed).bind(copy_public);
            let row = row.bind(token_sealed).bind(now_ms);
            row.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    insert.await?;
    Ok(gateway)
}

/// The secret that tokens of handhelds are made with.
pub(crate) async fn token_secret(core: &Core) -> Result<Secret<Vec<u8>>, FolderError> {
    installation_secret(core, "token_secret", "token_secret_sealed").await
}

/// The key that signs receipts.
pub(crate) async fn signing_key(core: &Core) -> Result<SigningKey, FolderError> {
    let plain = installation_secret(core, "signing_key", "signing_key_sealed").await?;
    Ok(SigningKey::from_slice(plain.expose()).map_err(|_| StoreError::Damaged("signing_key"))?)
}

/// The key that opens the sealed copies of handhelds.
pub(crate) async fn copy_secret(core: &Core) -> Result<Secret<[u8; 32]>, FolderError> {
    let plain = installation_secret(core, "copy_key", "copy_key_sealed").await?;
    let bytes = <[u8; 32]>::try_from(plain.expose().as_slice());
    Ok(Secret::new(bytes.map_err(|_| StoreError::Damaged("copy_key"))?))
}

async fn installation_secret(
    core: &Core,
    name: &'static str,
    column: &'static str,
) -> Result<Secret<Vec<u8>>, FolderError> {
    let row = query("SELECT * FROM installation").fetch_one(&core.store.reads);
    let row = row.await.map_err(StoreError::Sql)?;
    core.open_sealed(place(name), &rows::bytes(&row, column)?).await
}

/// Where the installation's own secrets stand.
fn place(column: &'static str) -> Place<'static> {
    Place { scope: GATEWAY_SCOPE, table: "installation", row: "1", column }
}

fn new_signing_key(world: &dyn World) -> Result<SigningKey, StoreError> {
    for _ in 0..KEY_DRAWS_MAX {
        let bytes = Secret::new(random::<32>(world)?);
        // Almost every draw is a key: those from the curve's order up are not.
        if let Ok(key) = SigningKey::from_slice(bytes.expose()) {
            return Ok(key);
        }
    }
    Err(StoreError::Entropy(crate::world::NoEntropy))
}
