//! The one writer: every change goes through one task and one connection.
//!
//! SQLite takes one writer at a time, and a durable commit costs an fsync. So changes queue here,
//! and the writer takes as many as are waiting into one transaction: while the disk is busy with
//! one commit, the next batch collects (group commit). Each change stands in a savepoint of its
//! own, so one that fails takes no other with it, and nobody is answered before the commit that
//! holds their change is on disk.

use super::{Change, StoreError};
use crate::audit::Head;
use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

/// Changes in one commit at the most: keeps the wait of the first one short.
const BATCH_MAX: usize = 64;
/// Changes waiting at the most; more callers wait for a place, which slows them down.
const QUEUE_MAX: usize = 1024;

/// What a change works with: the writer's connection, inside the change's savepoint.
pub(crate) struct WriteTx {
    pub(crate) connection: SqliteConnection,
    /// What screens have to be told once this is committed.
    pub(crate) changes: Vec<Change>,
    /// True if there is work that a worker should look for.
    pub(crate) work: bool,
    /// New heads of audit chains; the ordinary log gets them once they are committed.
    pub(crate) heads: Vec<Head>,
}

/// Told after the commit: true if the change is on disk.
type Reply = Box<dyn FnOnce(bool) + Send>;
/// One change: true to keep it, and the reply that waits for the commit.
type Work = Box<dyn for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, (bool, Reply)> + Send>;

/// The way to the writer; cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Work>,
}

impl Writer {
    /// Starts the task. It ends when the last [`Writer`] is dropped and the queue is empty.
    pub(crate) fn start(
        connection: SqliteConnection,
        news: broadcast::Sender<Change>,
        work: Arc<Notify>,
    ) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let tx = WriteTx { connection, changes: Vec::new(), work: false, heads: Vec::new() };
        (Self { queue }, tokio::spawn(write_all(tx, waiting, news, work)))
    }

    /// Runs one change and answers when it is durable. An error undoes this change alone.
    ///
    /// The change is finished even if the caller stops waiting.
    pub(crate) async fn run<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |tx| {
            Box::pin(async move {
                let result = change(tx).await;
                let keep = result.is_ok();
                let reply: Reply = Box::new(move |committed| {
                    let lost = keep && !committed;
                    let outcome = if lost { Err(StoreError::Commit.into()) } else { result };
                    // Nobody may be waiting any more; the change stands all the same.
                    let _ = reply.send(outcome);
                });
                (keep, reply)
            })
        });
        self.queue.send(work).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Busy)?
    }
}

async fn write_all(
    mut tx: WriteTx,
    mut waiting: mpsc::Receiver<Work>,
    news: broadcast::Sender<Change>,
    work: Arc<Notify>,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut replies = Vec::with_capacity(batch.len());
        let committed = match commit_batch(&mut tx, &mut batch, &mut replies).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(error = %error, "a commit failed; free disk space or check the disk");
                // Whatever is left of the transaction must not leak into the next one.
                let _ = execute(&mut tx, "ROLLBACK").await;
                false
            }
        };
        for change in tx.changes.drain(..) {
            if committed {
                // No screen may be listening.
                let _ = news.send(change);
            }
        }
        for Head { chain, number, hash } in tx.heads.drain(..) {
            if committed {
                tracing::info!(tenant = chain, number, hash, "audit log");
            }
        }
        if std::mem::take(&mut tx.work) && committed {
            work.notify_one();
        }
        replies.into_iter().for_each(|reply| reply(committed));
        // Work that was never begun drops its channel, which reads as "busy" to its caller.
        batch.clear();
    }
    // An orderly end folds the write-ahead log back into the database's own file.
    if let Err(error) = tx.connection.close().await {
        tracing::error!(%error, "the database was not closed in order; it recovers when opened");
    }
}

async fn commit_batch(
    tx: &mut WriteTx,
    batch: &mut Vec<Work>,
    replies: &mut Vec<Reply>,
) -> Result<(), sqlx::Error> {
    // Each call is a round trip to the connection's own thread, so statements go together.
    let mut first = true;
    for work in batch.drain(..) {
        let begin = if std::mem::take(&mut first) {
            "BEGIN IMMEDIATE; SAVEPOINT change"
        } else {
            "RELEASE change; SAVEPOINT change"
        };
        execute(tx, begin).await?;
        let (changes_before, heads_before) = (tx.changes.len(), tx.heads.len());
        let (keep, reply) = work(tx).await;
        replies.push(reply);
        if !keep {
            tx.changes.truncate(changes_before);
            tx.heads.truncate(heads_before);
            execute(tx, "ROLLBACK TO change").await?;
        }
    }
    execute(tx, "RELEASE change; COMMIT").await
}

async fn execute(tx: &mut WriteTx, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(&mut tx.connection).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_domain::{DeviceId, PaymentId, TenantSlug};
    use sqlx::Row;

    async fn writer() -> (Writer, broadcast::Receiver<Change>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let options = super::super::options(&folder.path().join("test.db")).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("CREATE TABLE n (n BIGINT PRIMARY KEY)")
            .execute(&mut connection)
            .await
            .unwrap();
        let (news, heard) = broadcast::channel(16);
        (Writer::start(connection, news, Arc::default()).0, heard, folder)
    }

    fn change(revision: u64) -> Change {
        Change {
            tenant: TenantSlug::parse("demo").unwrap(),
            device: DeviceId::from_bytes([1; 8]),
            payment: PaymentId::mint(revision, &[0; 10]),
            revision,
        }
    }

    async fn insert(writer: &Writer, number: i64) -> Result<(), StoreError> {
        writer
            .run(move |tx| {
                Box::pin(async move {
                    let insert = sqlx::query("INSERT INTO n (n) VALUES (?)").bind(number);
                    insert.execute(&mut tx.connection).await?;
                    tx.changes.push(change(number.unsigned_abs()));
                    Ok(())
                })
            })
            .await
    }

    async fn count(writer: &Writer) -> i64 {
        let count = writer.run(|tx| {
            Box::pin(async move {
                let row =
                    sqlx::query("SELECT count(*) FROM n").fetch_one(&mut tx.connection).await?;
                Ok::<i64, StoreError>(row.get(0))
            })
        });
        count.await.unwrap()
    }

    #[tokio::test]
    async fn one_failing_change_takes_no_other_with_it() {
        let (writer, mut heard, _folder) = writer().await;
        insert(&writer, 1).await.unwrap();
        // All at once, so that they share a batch: the second 1 fails.
        let results = tokio::join!(
            insert(&writer, 2),
            insert(&writer, 1),
            insert(&writer, 3),
            insert(&writer, 4)
        );
        assert!(results.0.is_ok() && results.1.is_err() && results.2.is_ok() && results.3.is_ok());
        assert_eq!(count(&writer).await, 4);
        let mut revisions = Vec::new();
        while let Ok(change) = heard.try_recv() {
            revisions.push(change.revision);
        }
        revisions.sort_unstable();
        assert_eq!(revisions, [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_change_is_finished_even_if_the_caller_is_gone() {
        let (writer, _heard, _folder) = writer().await;
        let gone = tokio::spawn({
            let writer = writer.clone();
            async move { insert(&writer, 7).await }
        });
        // The change is queued at the first poll; the caller is gone at the second.
        tokio::task::yield_now().await;
        gone.abort();
        let _ = gone.await;
        while count(&writer).await == 0 {
            tokio::task::yield_now().await;
        }
    }
}
