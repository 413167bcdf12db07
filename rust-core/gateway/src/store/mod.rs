//! The ledger's home: a SQLite database, one writer, several readers.
//!
//! Columns are only BIGINT, TEXT and BLOB, so that PostgreSQL can take the same schema
//! (`migrations/`). Changes go through [`writer`]; reads use connections of their own, which in
//! WAL mode never wait for the writer.

mod file;
mod ledger;
pub(crate) mod rows;
mod writer;

pub(crate) use file::{connect_file, is_whole};
#[cfg(feature = "testing")]
pub(crate) use ledger::claim;
pub(crate) use ledger::{
    LedgerTx, catalogue, charge, fold_name, fold_plate, found_session, recovery, refunds,
    refused_cash,
};
pub(crate) use writer::{WriteTx, Writer};

use crate::world::{NoEntropy, SharedWorld, World, random};
use holdfast_domain::{DeviceId, PaymentId, TenantSlug};
use holdfast_ledger::{Decision, Env};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;

/// Name of the database within the data folder.
const FILE_NAME: &str = "holdfast.db";
/// Connections that read: more than this many cores seldom pay for themselves in SQLite.
const READERS: u32 = 4;
/// How long a connection waits for another process to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// News kept for a slow listener; one that falls further behind reads the database instead.
const NEWS_MAX: usize = 1024;

/// A payment changed; screens that show it should look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) tenant: TenantSlug,
    pub(crate) device: DeviceId,
    pub(crate) payment: PaymentId,
    /// The tenant's revision that the change got.
    pub(crate) revision: u64,
}

/// Why the database did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQL failed.
    #[error("the database failed; check the disk and its free space")]
    Sql(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database cannot be brought up to date; it may be of a newer gateway")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The change was made but not committed: it did not happen.
    #[error("the database could not save the change; check the disk and its free space")]
    Commit,
    /// Another process held the database for too long; the change was not begun.
    #[error("the database is busy; try again")]
    Busy,
    /// The gateway is stopping.
    #[error("the gateway is stopping; try again in a moment")]
    Closed,
    /// A value in the database is none that this program writes.
    #[error("the database holds a value that does not belong there ({0}); restore a backup")]
    Damaged(&'static str),
    /// No randomness for a key or an ID.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl From<StoreError> for holdfast_ledger::StoreError {
    fn from(error: StoreError) -> Self {
        Self(Box::new(error))
    }
}

impl StoreError {
    /// What this store told the ledger, which hands it on.
    pub(crate) fn of_ledger(error: holdfast_ledger::StoreError) -> Self {
        error.0.downcast::<Self>().map_or(Self::Damaged("ledger"), |error| *error)
    }
}

/// The open database.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) writer: Writer,
    pub(crate) reads: SqlitePool,
    /// Every committed change of a payment.
    pub(crate) news: broadcast::Sender<Change>,
    /// Rings when a job may be due.
    pub(crate) work: Arc<Notify>,
    /// Whose list of deliveries has grown.
    pub(crate) delivered: broadcast::Sender<TenantSlug>,
    world: SharedWorld,
}

impl Store {
    /// Opens the database of a data folder, creating it if that is asked for, and brings its
    /// schema up to date.
    pub(crate) async fn open(
        folder: &Path,
        create: bool,
        world: SharedWorld,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        let path = database_path(folder);
        let options = options(&path);
        let mut connection =
            SqliteConnection::connect_with(&options.clone().create_if_missing(create)).await?;
        migrator().run(&mut connection).await?;
        let reads = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await?;
        let (news, _) = broadcast::channel(NEWS_MAX);
        let (delivered, _) = broadcast::channel(NEWS_MAX);
        let work = Arc::new(Notify::new());
        let (writer, task) = Writer::start(connection, news.clone(), Arc::clone(&work));
        Ok((Self { writer, reads, news, work, delivered, world }, task))
    }

    /// Frees every leased job. A server that starts is the only one on its database, so whoever held
    /// them is gone; fences stay, should a late answer of theirs come all the same.
    pub(crate) async fn free_leases(&self) -> Result<u64, StoreError> {
        let now_ms = self.world.now_ms();
        let free = self.writer.run(move |tx| {
            Box::pin(async move {
                let sql = sqlx::query(
                    "UPDATE jobs SET leased_until_ms = 0, due_at_ms = ? WHERE leased_until_ms > 0",
                );
                let done = sql.bind(now_ms).execute(&mut tx.connection).await?;
                Ok::<_, StoreError>(done.rows_affected())
            })
        });
        free.await
    }

    /// Tells the pages that follow a tenant's deliveries that there is something new on disk.
    pub(crate) fn tell_delivery(&self, tenant: &TenantSlug) {
        // No screen may be listening.
        let _ = self.delivered.send(tenant.clone());
    }

    /// What a decision would answer, without doing it. It reads one snapshot and writes nothing.
    pub(crate) async fn preview<D: Decision>(
        &self,
        decision: &D,
    ) -> Result<D::Outcome, holdfast_ledger::StoreError> {
        let env = env(self.world.as_ref())?;
        let mut transaction = self.reads.begin().await.map_err(StoreError::Sql)?;
        let outcome = decision.decide(&mut LedgerTx::preview(&mut transaction), &env).await?;
        transaction.rollback().await.map_err(StoreError::Sql)?;
        Ok(outcome)
    }
}

impl holdfast_ledger::Store for Store {
    async fn run<D: Decision>(
        &self,
        decision: D,
    ) -> Result<D::Outcome, holdfast_ledger::StoreError> {
        let world = Arc::clone(&self.world);
        let change = self
            .writer
            .run(move |tx| Box::pin(async move { decide(tx, world.as_ref(), &decision).await }));
        change.await
    }
}

/// Runs a decision inside a change that writes more than the ledger.
pub(crate) async fn decide<D: Decision>(
    tx: &mut WriteTx,
    world: &dyn World,
    decision: &D,
) -> Result<D::Outcome, holdfast_ledger::StoreError> {
    let env = env(world)?;
    decision.decide(&mut LedgerTx::within(tx), &env).await
}

fn env(world: &dyn World) -> Result<Env, StoreError> {
    Ok(Env { now_ms: world.now_ms(), entropy: random(world)? })
}

/// Where the database of a data folder lies.
pub(crate) fn database_path(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// True while changes stand in the write-ahead log beside the database and not in its own file.
pub(crate) fn has_log(folder: &Path) -> bool {
    folder.join(format!("{FILE_NAME}-wal")).metadata().is_ok_and(|log| log.len() > 0)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged payment survives a power cut: each commit is on disk before its answer.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
}

fn migrator() -> Migrator {
    let migrations = [
        (1, "first", include_str!("../../migrations/0001_first.sql")),
        (2, "office", include_str!("../../migrations/0002_office.sql")),
        (20, "recovery", include_str!("../../migrations/0020_recovery.sql")),
        (30, "ca", include_str!("../../migrations/0030_ca.sql")),
        (31, "continuity", include_str!("../../migrations/0031_continuity.sql")),
        (40, "deliveries", include_str!("../../migrations/0040_deliveries.sql")),
        (50, "charges", include_str!("../../migrations/0050_charges.sql")),
        (60, "refunds", include_str!("../../migrations/0060_refunds.sql")),
        (61, "live mode", include_str!("../../migrations/0061_live_mode.sql")),
        (70, "asking", include_str!("../../migrations/0070_asking.sql")),
        (71, "bodies", include_str!("../../migrations/0071_bodies.sql")),
        (80, "readiness", include_str!("../../migrations/0080_readiness.sql")),
        (90, "returns", include_str!("../../migrations/0090_returns.sql")),
        (91, "refused cash", include_str!("../../migrations/0091_refused_cash.sql")),
        (100, "losses", include_str!("../../migrations/0100_losses.sql")),
    ];
    let migration = |(number, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.into_iter().map(migration).collect())
}

#[cfg(test)]
mod tests;
