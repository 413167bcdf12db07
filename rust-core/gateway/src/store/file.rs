//! A database file by itself: a backup, or what a restore finds.

use super::{BUSY_TIMEOUT, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{Connection, Row, SqliteConnection, query};
use std::path::Path;

/// Opens a file as it is; nothing is brought up to date.
pub(crate) async fn connect_file(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    Ok(SqliteConnection::connect_with(&options).await?)
}

/// Reads all of a database: what is wrong with it, if anything is.
pub(crate) async fn is_whole(
    file: &mut SqliteConnection,
) -> Result<Result<(), String>, StoreError> {
    let row = query("PRAGMA integrity_check").fetch_one(file).await?;
    let said: String = row.try_get(0)?;
    Ok(if said == "ok" { Ok(()) } else { Err(said) })
}
