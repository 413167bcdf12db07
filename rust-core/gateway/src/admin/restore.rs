//! `holdfast restore`: a backup takes the database's place, under a new epoch.
//!
//! The ledger that is put back knows nothing of what came after the backup. The new epoch has
//! handhelds present their orders again, and a recovery for each set of keys has the next `serve` ask
//! Stripe what happened since (`holdfast_ledger::recovery`). The database that was there is kept.

use crate::audit::{self, Act, GATEWAY_CHAIN, OPERATOR};
use crate::core::{Core, FolderError};
use crate::folder_lock::FolderLock;
use crate::store::{StoreError, connect_file, database_path, has_log, is_whole, rows};
use crate::vault::{GATEWAY_SCOPE, MasterKey, MasterKeyError, SealError};
use crate::world::{SharedWorld, SystemWorld};
use holdfast_domain::Mode;
use holdfast_ledger::recovery::{EVENTS_REACH_S, Recovery, RecoveryKey};
use holdfast_ledger::{BeginRecovery, Store};
use sqlx::{Connection, Row, SqliteConnection, query};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the new database is made ready, within the data folder.
const STAGING: &str = "restoring";
/// Files that together are a database; the log is nothing without the first.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// What to put back.
#[derive(Debug, Clone)]
pub struct Restore {
    /// The data folder. Its master key must be there.
    pub data: PathBuf,
    /// The backup.
    pub file: PathBuf,
    /// Also if the database that is there is newer, another gateway's, or unreadable.
    pub force: bool,
}

/// A ledger that was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was begun.
    pub made_at_ms: i64,
    /// The new epoch.
    pub epoch: u64,
    /// Payments in it.
    pub payments: u64,
    /// Sets of keys that Stripe will be asked with.
    pub recoveries: usize,
    /// Where the database lies now that was there before.
    pub kept: Option<PathBuf>,
    /// True if the backup is older than Stripe's list of events reaches back.
    pub beyond_events: bool,
}

/// Why nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A gateway serves this folder.
    #[error("{path}: a gateway is serving this folder; stop it first")]
    Serving {
        /// The folder.
        path: PathBuf,
    },
    /// The file is no backup.
    #[error("{path}: this is no backup of `holdfast backup`")]
    NoBackup {
        /// The file.
        path: PathBuf,
    },
    /// The backup is damaged.
    #[error("the backup is damaged ({0}); take another one")]
    Damaged(String),
    /// What is there has more than the backup.
    #[error(
        "the database that is there knows more than this backup ({what}); if that is what you want \
         to go back from, give --force: it is kept beside the new one"
    )]
    Newer {
        /// What it has, in words.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: cannot be used; check that it is there, its permissions and the free space")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Database or keys.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

macro_rules! through_folder_error {
    ($($source:ty),*) => {$(
        impl From<$source> for RestoreError {
            fn from(error: $source) -> Self {
                Self::Folder(error.into())
            }
        }
    )*};
}
through_folder_error!(StoreError, SealError, MasterKeyError);

impl From<sqlx::Error> for RestoreError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::Sql(error).into()
    }
}

/// What a database says about itself.
struct Known {
    gateway: String,
    epoch: u64,
    made_at_ms: Option<i64>,
    payments: u64,
    /// The number of the last change of a payment, over all tenants.
    changes: i64,
}

/// Puts a backup back.
pub async fn restore(what: Restore) -> Result<Restored, RestoreError> {
    let Restore { data, file, force } = what;
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| RestoreError::Io { path, source }
    };
    let lock = FolderLock::take(&data).map_err(io_error(&data))?;
    let Some(_lock) = lock else { return Err(RestoreError::Serving { path: data }) };
    let master = MasterKey::open(&data)?;
    let staging = data.join(STAGING);
    if staging.exists() {
        std::fs::remove_dir_all(&staging).map_err(io_error(&staging))?;
    }
    super::init::make_folder(&staging).map_err(io_error(&staging))?;
    super::init::make_private_file(&database_path(&staging)).map_err(io_error(&staging))?;
    std::fs::copy(&file, database_path(&staging)).map_err(io_error(&file))?;
    let backup = look(&database_path(&staging)).await.ok();
    let backup = backup.and_then(|it| it.made_at_ms.map(|made_at_ms| (it, made_at_ms)));
    let Some((backup, made_at_ms)) = backup else {
        return Err(RestoreError::NoBackup { path: file });
    };
    let before = before(&data, &backup, force).await?;
    let world: SharedWorld = Arc::new(SystemWorld);
    let restored = prepare(&staging, master, world, &backup, made_at_ms, before).await?;
    let kept = swap(&data, &staging, restored.epoch).map_err(io_error(&data))?;
    Ok(Restored { kept, ..restored })
}

/// The epoch of the database that is there; none if there is none. Refuses to give away what only
/// that one knows, unless forced.
async fn before(data: &Path, backup: &Known, force: bool) -> Result<Option<u64>, RestoreError> {
    let path = database_path(data);
    if !path.exists() {
        return Ok(None);
    }
    let newer = |what: &str| RestoreError::Newer { what: what.to_owned() };
    match look(&path).await {
        Ok(there) if there.gateway != backup.gateway && !force => {
            Err(newer("it is another gateway's"))
        }
        Ok(there) if there.changes > backup.changes && !force => {
            let changes = there.changes.saturating_sub(backup.changes);
            Err(newer(&format!(
                "{changes} changes of payments; {} payments in place of {}",
                there.payments, backup.payments
            )))
        }
        Ok(there) => Ok(Some(there.epoch)),
        Err(_) if !force => Err(newer("it cannot be read, so nobody can tell")),
        Err(_) => Ok(None),
    }
}

async fn look(path: &Path) -> Result<Known, RestoreError> {
    let mut file = connect_file(path).await?;
    let known = read(&mut file).await;
    file.close().await?;
    known
}

async fn read(file: &mut SqliteConnection) -> Result<Known, RestoreError> {
    is_whole(file).await?.map_err(RestoreError::Damaged)?;
    let row = query("SELECT gateway, epoch FROM installation").fetch_one(&mut *file).await?;
    let mark = query("SELECT made_at_ms FROM backup").fetch_optional(&mut *file).await;
    let payments = query("SELECT COUNT(*) FROM payments").fetch_one(&mut *file).await?;
    let changes =
        query("SELECT COALESCE(SUM(revision), 0) FROM tenants").fetch_one(&mut *file).await?;
    Ok(Known {
        gateway: rows::text(&row, "gateway")?,
        epoch: rows::unsigned(&row, "epoch")?,
        // A database of before there were backups has no such table.
        made_at_ms: mark.ok().flatten().map(|row| rows::number(&row, "made_at_ms")).transpose()?,
        payments: u64::try_from(payments.try_get::<i64, _>(0)?).unwrap_or(0),
        changes: changes.try_get(0)?,
    })
}

/// Makes the copy a ledger of its own epoch that has to ask Stripe.
async fn prepare(
    staging: &Path,
    master: MasterKey,
    world: SharedWorld,
    backup: &Known,
    made_at_ms: i64,
    before: Option<u64>,
) -> Result<Restored, RestoreError> {
    let now_ms = world.now_ms();
    // No life of this ledger had a greater one: not the one that is lost, nor another restore of the
    // same backup elsewhere.
    let known = before.unwrap_or(0).max(backup.epoch).saturating_add(1);
    let epoch = known.max(u64::try_from(now_ms.div_euclid(1000)).unwrap_or(0));
    let core = Core::assemble(staging, master, world, false).await?;
    let done = async {
        // A master key that does not fit is found now.
        core.newest_data_key(GATEWAY_SCOPE).await?;
        let recoveries = recoveries(&core, made_at_ms).await?;
        let count = recoveries.len();
        begin_epoch(&core, epoch, made_at_ms).await?;
        let begin = core.store.run(BeginRecovery { recoveries }).await;
        begin.map_err(StoreError::of_ledger)?;
        Ok::<_, FolderError>(count)
    };
    let done = done.await;
    core.close().await;
    let reach_ms = EVENTS_REACH_S.saturating_mul(1000);
    Ok(Restored {
        made_at_ms,
        epoch,
        payments: backup.payments,
        recoveries: done?,
        kept: None,
        beyond_events: now_ms.saturating_sub(made_at_ms) > reach_ms,
    })
}

/// What Stripe is asked with: the newest keys of each account that a payment type has or had.
async fn recoveries(core: &Core, made_at_ms: i64) -> Result<Vec<Recovery>, FolderError> {
    let sql = query(
        "SELECT tenant, code, mode, account, MAX(generation) AS generation FROM processors \
         GROUP BY tenant, code, mode, account",
    );
    let found = sql.fetch_all(&core.store.reads).await.map_err(StoreError::Sql)?;
    let mut newest: BTreeMap<RecoveryKey, String> = BTreeMap::new();
    for row in &found {
        let mode: Mode = rows::mode(row)?;
        let key = RecoveryKey {
            tenant: rows::parsed(row, "tenant")?,
            payment_type: rows::type_code(row)?,
            mode,
            generation: rows::small(row, "generation")?,
        };
        newest.insert(key, rows::text(row, "account")?);
    }
    let now_ms = core.now_ms();
    let begin = |(key, account)| Recovery::begin(key, account, made_at_ms, now_ms);
    Ok(newest.into_iter().map(begin).collect())
}

/// The new epoch; nobody stays signed in, and no code of before the restore is good.
async fn begin_epoch(core: &Core, epoch: u64, made_at_ms: i64) -> Result<(), StoreError> {
    let at_ms = core.now_ms();
    let begin = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let epoch_number = i64::try_from(epoch).unwrap_or(i64::MAX);
            let sql = query("UPDATE installation SET epoch = ?").bind(epoch_number);
            sql.execute(&mut tx.connection).await?;
            for sql in [
                "DELETE FROM backup",
                "DELETE FROM recoveries",
                "DELETE FROM found_sessions",
                "DELETE FROM office_sessions",
                "DELETE FROM sign_in_links",
                "DELETE FROM enrolment_codes WHERE device = ''",
            ] {
                query(sql).execute(&mut tx.connection).await?;
            }
            let detail = format!("the backup of {made_at_ms} ms since 1970; epoch {epoch}");
            let act = Act { at_ms, who: OPERATOR, what: "restored", detail: &detail };
            audit::record(tx, GATEWAY_CHAIN, act).await
        })
    });
    begin.await
}

/// The old database steps aside, the new one takes its name.
fn swap(data: &Path, staging: &Path, epoch: u64) -> io::Result<Option<PathBuf>> {
    if has_log(staging) {
        return Err(io::Error::other("the new database was not closed in order"));
    }
    let folder = data.join(format!("before-epoch-{epoch}"));
    let (old, new) = (database_path(data), database_path(staging));
    // Cut short after any of these, there is no database, and the next restore goes on: an old log
    // must never lie beside a new database, which would take it for its own.
    let mut kept = None;
    for part in PARTS {
        let with = |path: PathBuf| {
            let mut name = path.into_os_string();
            name.push(part);
            PathBuf::from(name)
        };
        let (from, to) = (with(old.clone()), with(database_path(&folder)));
        if from.exists() {
            super::init::make_folder(&folder)?;
            std::fs::rename(from, to)?;
            kept = Some(folder.clone());
        }
    }
    if let Some(folder) = &kept {
        File::open(folder)?.sync_all()?;
        File::open(data)?.sync_all()?;
    }
    std::fs::rename(new, old)?;
    std::fs::remove_dir_all(staging)?;
    File::open(data)?.sync_all()?;
    Ok(kept)
}
