//! Waiting for the end.

use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGTERM, or at SIGINT from a terminal.
pub(crate) async fn until_told_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    Ok(())
}
