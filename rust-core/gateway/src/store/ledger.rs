//! The ledger's transaction on SQLite. Its rows are read and written in the files below, one for each
//! part of the ledger.

mod charges;
mod events;
mod evidence;
mod jobs;
mod payments;
mod recovery;
pub(crate) mod refunds;
pub(crate) mod refused_cash;
mod setup;

#[cfg(feature = "testing")]
pub(crate) use charges::claim;
pub(crate) use charges::{charge, fold_name, fold_plate};
pub(crate) use recovery::{found_session, recovery};
pub(crate) use setup::catalogue;

use super::{Change, StoreError, WriteTx};
use crate::audit::Head;
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};

type Result<T> = std::result::Result<T, holdfast_ledger::StoreError>;
type Sql<'q> = Query<'q, Sqlite, SqliteArguments>;

/// One transaction, as decisions see it.
pub(crate) struct LedgerTx<'c> {
    connection: &'c mut SqliteConnection,
    effect: Effect<'c>,
}

enum Effect<'c> {
    /// Written, and told to screens and workers after the commit.
    Real { changes: &'c mut Vec<Change>, work: &'c mut bool, heads: &'c mut Vec<Head> },
    /// Nothing is written: the decision shows what it would do.
    Preview,
}

impl<'c> LedgerTx<'c> {
    /// Inside the writer's transaction.
    pub(crate) fn within(tx: &'c mut WriteTx) -> Self {
        let WriteTx { connection, changes, work, heads } = tx;
        Self { connection, effect: Effect::Real { changes, work, heads } }
    }

    /// On a connection that only reads.
    pub(crate) fn preview(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, effect: Effect::Preview }
    }

    /// What a row outside the ledger's own is written with; none in a preview.
    fn real(&mut self) -> Option<(&mut SqliteConnection, &mut Vec<Head>)> {
        match &mut self.effect {
            Effect::Real { heads, .. } => Some((&mut *self.connection, &mut **heads)),
            Effect::Preview => None,
        }
    }

    async fn one(&mut self, sql: Sql<'_>) -> Result<Option<SqliteRow>> {
        Ok(sql.fetch_optional(&mut *self.connection).await.map_err(StoreError::Sql)?)
    }

    async fn all(&mut self, sql: Sql<'_>) -> Result<Vec<SqliteRow>> {
        Ok(sql.fetch_all(&mut *self.connection).await.map_err(StoreError::Sql)?)
    }

    /// Writes, and says how many rows were touched.
    async fn write(&mut self, sql: Sql<'_>) -> Result<u64> {
        if matches!(self.effect, Effect::Preview) {
            return Ok(1);
        }
        let done = sql.execute(&mut *self.connection).await.map_err(StoreError::Sql)?;
        Ok(done.rows_affected())
    }
}
