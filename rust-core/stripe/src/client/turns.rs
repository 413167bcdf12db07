//! Taking turns: every attempt of every client with one key waits here for its place in the
//! [`Window`]. Whoever only looks queues apart from whoever acts, each in order of arrival, and the
//! head of either queue alone asks for a place, so that many who wait cost nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::config::ClientConfig;
use crate::pace::Pace;
use crate::rate::{Purpose, RateLimit, Window};

/// One key's turns.
pub(super) struct Turns {
    limit: RateLimit,
    window: Mutex<Window>,
    looks: Lane,
    acts: Lane,
}

#[derive(Default)]
struct Lane {
    head: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

/// The queue is longer than anybody should wait.
pub(super) struct TooMany {
    /// When to come back, in seconds.
    pub(super) retry_after_s: u64,
}

/// Counts somebody who waits, for as long as they do.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    pub(super) fn new(limit: RateLimit) -> Self {
        let window = Mutex::new(Window::new(limit));
        Self { limit, window, looks: Lane::default(), acts: Lane::default() }
    }

    /// The turns of this key at this address, shared with every other client that has it: the limit
    /// is the key's, however many clients a program makes.
    pub(super) fn shared(config: &ClientConfig) -> Arc<Self> {
        static ALL: LazyLock<Mutex<HashMap<[u8; 32], Weak<Turns>>>> = LazyLock::new(Mutex::default);
        let mut name = Sha256::new_with_prefix(config.base.as_str());
        name.update(config.key.expose());
        let name = name.finalize().into();
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&name).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Self::new(config.rate));
        all.insert(name, Arc::downgrade(&turns));
        turns
    }

    /// Waits until a request for this purpose may leave. When so many are ahead that it would take
    /// longer than `patience`, it does not even begin to: a durable job comes back by itself, and a
    /// person would rather read so than wait.
    pub(super) async fn wait(
        &self,
        purpose: Purpose,
        patience: Duration,
        pace: &dyn Pace,
    ) -> Result<(), TooMany> {
        let lane = self.lane(purpose);
        let ahead = lane.waiting.fetch_add(1, Ordering::Relaxed);
        let _counted = Waiting(&lane.waiting);
        let patience_s = usize::try_from(patience.as_secs()).unwrap_or(usize::MAX);
        if ahead > self.limit.places(purpose).saturating_mul(patience_s) {
            return Err(TooMany { retry_after_s: patience.as_secs() });
        }
        let _head = lane.head.lock().await;
        loop {
            let taken = self.window().take(purpose, pace.now());
            match taken {
                Ok(()) => return Ok(()),
                Err(wait) => pace.sleep(wait).await,
            }
        }
    }

    /// Stripe said 429.
    pub(super) fn refused(&self, wait: Duration, now: Duration) {
        self.window().refused(wait, now);
    }

    #[cfg(test)]
    pub(super) fn waiting(&self, purpose: Purpose) -> usize {
        self.lane(purpose).waiting.load(Ordering::Relaxed)
    }

    fn lane(&self, purpose: Purpose) -> &Lane {
        match purpose {
            Purpose::Look => &self.looks,
            Purpose::Act => &self.acts,
        }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
