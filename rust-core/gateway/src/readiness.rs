//! Whether this gateway should be sent work: for load balancers and orchestrators.
//!
//! *Healthy* means that the process answers; *ready* that it can also keep what it is given. A
//! gateway that drains, whose database takes no write, or whose disk is nearly full, is alive and not
//! ready: whoever can ask another one should.

use crate::core::Core;
use crate::store::StoreError;
use sqlx::query;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Free space under which nothing more is taken, in bytes: the write-ahead log of a busy hour still
/// fits, so that what was taken can be finished.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// How long an answer of the database is good: each probe is a durable write, and anybody may ask.
const PROBE_AGAIN: Duration = Duration::from_secs(5);
/// How long a probe may take: longer than a busy disk's commit.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no work should be sent here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// It was told to stop, and finishes what it has.
    Draining,
    /// The database takes no write.
    Database(String),
    /// The disk is nearly full.
    Disk { free_mb: u64 },
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draining => f.write_str("draining: it was told to stop"),
            Self::Database(why) => write!(f, "database: {why}"),
            Self::Disk { free_mb } => {
                write!(f, "disk: only {free_mb} MB are free; make room")
            }
        }
    }
}

/// Asks the database from time to time.
#[derive(Default)]
pub(crate) struct Readiness {
    probed: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

impl Readiness {
    /// Ready, or why not.
    pub(crate) async fn ask(&self, core: &Core, draining: bool) -> Result<(), NotReady> {
        if draining {
            return Err(NotReady::Draining);
        }
        let mut probed = self.probed.lock().await;
        if let Some((at, answer)) = probed.as_ref()
            && at.elapsed() < PROBE_AGAIN
        {
            return answer.clone();
        }
        let answer = probe(core).await;
        if let Err(why) = &answer {
            tracing::error!(%why, "not ready");
        }
        *probed = Some((Instant::now(), answer.clone()));
        answer
    }
}

async fn probe(core: &Core) -> Result<(), NotReady> {
    if let Some(free) = free_bytes(core.folder()).filter(|free| *free < FREE_BYTES_MIN) {
        return Err(NotReady::Disk { free_mb: free / (1024 * 1024) });
    }
    let write = core.store.writer.run(|tx| {
        Box::pin(async move {
            let sql = query("UPDATE installation SET last_fence = last_fence");
            sql.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    match tokio::time::timeout(PROBE_TIMEOUT, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(NotReady::Database(error.to_string())),
        Err(_) => Err(NotReady::Database("it does not answer; check the disk".to_owned())),
    }
}

/// Room that is left where the database lies.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}
