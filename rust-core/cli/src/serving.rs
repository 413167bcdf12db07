//! Waiting for the end.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, or SIGINT from a terminal. Made before the program says that it is ready: whoever reads
/// that line may stop it at once, and shall find it listening.
pub(crate) struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    /// Listens from now on.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Returns once one has come, also if it came before.
    pub(crate) async fn told(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("stopping");
    }
}
