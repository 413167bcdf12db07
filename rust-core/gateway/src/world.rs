//! The clock, the source of randomness and the room on the disk, passed in so that tests and simulations
//! own them.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the gateway cannot compute by itself: the time, bytes that nobody can guess, and how much the
/// disk still takes.
pub trait World: Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Fills the buffer from a cryptographic source, or says why it cannot.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;

    /// Room that is left where the folder lies, in bytes; none if the system does not say.
    fn free_bytes(&self, folder: &Path) -> Option<u64> {
        let space = rustix::fs::statvfs(folder).ok()?;
        Some(space.f_bavail.saturating_mul(space.f_frsize))
    }

    /// Where calls with live keys go in place of Stripe itself. Nowhere, but in a test that plays a live
    /// Stripe on this machine: neither an administrator nor an operator can choose it.
    fn live_stand_in(&self) -> Option<&str> {
        None
    }
}

/// The system gave no random bytes. Nothing that needs a key or an ID may go on.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system gives no random numbers; restart this machine, then try again")]
pub struct NoEntropy;

/// A world that can be shared between tasks.
pub type SharedWorld = Arc<dyn World>;

/// The machine's own clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemWorld;

impl World for SystemWorld {
    fn now_ms(&self) -> i64 {
        // A clock before 1970 is wrong by decades; zero makes every comparison err towards "old".
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}

/// So many random bytes.
pub(crate) fn random<const N: usize>(world: &dyn World) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    world.fill(&mut bytes)?;
    Ok(bytes)
}
