//! The real network behind a switch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_handheld::engine::{Request, TransportFault};
use holdfast_handheld::net::{Exchange, HttpNetwork, Network};

/// Switched off, nothing gets through.
#[derive(Clone)]
pub(crate) struct Radio {
    real: Arc<HttpNetwork>,
    is_off: Arc<AtomicBool>,
}

impl Radio {
    pub(crate) fn new() -> Result<Self, String> {
        let real = HttpNetwork::new("robot", "en-US").map_err(|error| error.to_string())?;
        Ok(Self { real: Arc::new(real), is_off: Arc::default() })
    }

    pub(crate) fn switch(&self, on: bool) {
        self.is_off.store(!on, Ordering::SeqCst);
    }
}

impl Network for Radio {
    fn exchange(&self, request: Request) -> Exchange {
        if self.is_off.load(Ordering::SeqCst) {
            return Box::pin(async { Err(TransportFault::Unreachable) });
        }
        self.real.exchange(request)
    }
}
