//! `holdfast backup`: a consistent copy of the database, made beside a running server.
//!
//! SQLite writes the copy out of one read transaction, which in WAL mode keeps no writer waiting. The
//! copy gets its name last: a file of that name is a whole backup.

use crate::core::{Core, FolderError};
use crate::store::{StoreError, connect_file, is_whole};
use crate::world::SystemWorld;
use sqlx::{Connection, query};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Permissions of a backup: what is in it is no secret, and nobody else's business.
const MODE: u32 = 0o600;
/// What is appended to the name while the copy is not whole.
const UNFINISHED: &str = "unfinished";

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// When it was begun: whatever came later may not be in it.
    pub made_at_ms: i64,
    /// Size of the file.
    pub bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file of that name is there.
    #[error("{path}: is there already; choose another name, or remove it yourself")]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{path}: cannot be written; check the folder and its free space")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The copy is not what a database should be.
    #[error("the copy is damaged ({0}), so it was thrown away; check the disk")]
    Damaged(String),
    /// Database or keys.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::Sql(error).into()
    }
}

/// Writes a backup of a data folder to a new file. The master key is not in it.
pub async fn backup(data: &Path, file: &Path) -> Result<BackedUp, BackupError> {
    if file.exists() {
        return Err(BackupError::AlreadyThere { path: file.to_owned() });
    }
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let made = copy(&core, file).await;
    core.close().await;
    let unfinished = unfinished(file);
    let made = made.and_then(|made_at_ms| {
        finish(&unfinished, file)
            .map(|bytes| BackedUp { made_at_ms, bytes })
            .map_err(|source| BackupError::Io { path: file.to_owned(), source })
    });
    if made.is_err() {
        // It may not be there at all.
        let _ = std::fs::remove_file(&unfinished);
    }
    made
}

async fn copy(core: &Core, file: &Path) -> Result<i64, BackupError> {
    // Before the snapshot: a restore asks Stripe from here on.
    let made_at_ms = core.now_ms();
    let unfinished = unfinished(file);
    let io_error = |source| BackupError::Io { path: file.to_owned(), source };
    // SQLite fills a file that is empty, and leaves its permissions as they are.
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(MODE);
    options.open(&unfinished).map_err(io_error)?;
    let name =
        unfinished.to_str().ok_or_else(|| io_error(io::ErrorKind::InvalidFilename.into()))?;
    query("VACUUM INTO ?").bind(name).execute(&core.store.reads).await?;
    let mut copy = connect_file(&unfinished).await?;
    let mark = query("INSERT INTO backup (one, made_at_ms) VALUES (1, ?)").bind(made_at_ms);
    mark.execute(&mut copy).await?;
    let whole = is_whole(&mut copy).await?;
    copy.close().await?;
    whole.map_err(BackupError::Damaged)?;
    Ok(made_at_ms)
}

/// Brings the copy to disk and gives it its name.
fn finish(unfinished: &Path, file: &Path) -> io::Result<u64> {
    let copy = File::open(unfinished)?;
    copy.sync_all()?;
    std::fs::rename(unfinished, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(copy.metadata()?.len())
}

fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    name.into()
}
