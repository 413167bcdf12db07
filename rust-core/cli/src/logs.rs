//! Logs of the long-running commands, on standard error.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Which lines are logged, in the words of `tracing_subscriber::EnvFilter`.
const FILTER: &str = "HOLDFAST_LOG";
/// `json` for one JSON object a line.
const FORMAT: &str = "HOLDFAST_LOG_FORMAT";

/// Begins to log.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process keeps the first.
    let _ = if std::env::var(FORMAT).is_ok_and(|format| format == "json") {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
}
