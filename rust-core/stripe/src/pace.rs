//! Time and lots, passed in so that tests neither wait nor guess.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Where a client's time, waits and random numbers come from.
pub trait Pace: Send + Sync {
    /// The time since some beginning, the same for all who share a key. It never runs backwards.
    fn now(&self) -> Duration;

    /// A random number for jitter; it need not be unguessable.
    fn jitter(&self) -> u64;

    /// Waits.
    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Real time and the system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealPace;

static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Pace for RealPace {
    fn now(&self) -> Duration {
        BEGINNING.elapsed()
    }

    fn jitter(&self) -> u64 {
        // Without randomness the middle of the range is as good a wait as any.
        getrandom::u64().unwrap_or(500)
    }

    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(wait))
    }
}
