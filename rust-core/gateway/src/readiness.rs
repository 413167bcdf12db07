//! Whether this gateway should be sent work: for load balancers and orchestrators.
//!
//! *Healthy* means that the process answers; *ready* that it can also keep what it is given. A
//! gateway that drains, whose database takes no write, or whose disk is nearly full, is alive and not
//! ready: whoever can ask another one should.

use crate::core::Core;
use crate::store::StoreError;
use sqlx::query;
use std::fmt;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Free space under which nothing more is taken, in bytes: the write-ahead log of a busy hour still
/// fits, so that what was taken can be finished.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// What a probe writes, in bytes: as much as the largest commit of a busy second. One page alone fits
/// where a quota, or the limit of a file's size, has no room for a payment.
const PROBE_BYTES: usize = 64 * 1024;
/// How long a good answer of the database stands: each probe is a durable write, and anybody may ask.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// The same for a bad one: whoever made room wants to see it.
const BAD_FOR: Duration = Duration::from_secs(5);
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

/// Asks the database from time to time, and the disk each time.
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
        let room = room(core);
        if let (Ok(()), Some((at, answer))) = (&room, probed.as_ref())
            && !matches!(answer, Err(NotReady::Disk { .. }))
            && at.elapsed() < if answer.is_ok() { GOOD_FOR } else { BAD_FOR }
        {
            return answer.clone();
        }
        let answer = match room {
            Ok(()) => probe(core).await,
            full => full,
        };
        let was_ready = probed.as_ref().is_none_or(|(_, before)| before.is_ok());
        if let (Err(why), true) = (&answer, was_ready) {
            tracing::error!(%why, "not ready");
        }
        *probed = Some((Instant::now(), answer.clone()));
        answer
    }
}

/// Whether something new may be taken: what was promised must still fit on the disk.
pub(crate) fn room(core: &Core) -> Result<(), NotReady> {
    match core.world.free_bytes(core.folder()) {
        Some(free) if free < FREE_BYTES_MIN => {
            Err(NotReady::Disk { free_mb: free / (1024 * 1024) })
        }
        _ => Ok(()),
    }
}

async fn probe(core: &Core) -> Result<(), NotReady> {
    let [changing, ..] = core.now_ms().to_le_bytes();
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO readiness_probe (one, filler) VALUES (1, ?) \
                 ON CONFLICT (one) DO UPDATE SET filler = excluded.filler",
            );
            sql.bind(vec![changing; PROBE_BYTES]).execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    match tokio::time::timeout(PROBE_TIMEOUT, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(NotReady::Database(error.to_string())),
        Err(_) => Err(NotReady::Database("it does not answer; check the disk".to_owned())),
    }
}
