//! The way between handheld and gateway, with a switch.

use holdfast_handheld::engine::{Request, TransportFault};
use holdfast_handheld::net::{Exchange, HttpNetwork, Network};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How the air is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Air {
    Clear,
    /// Nothing gets through.
    Dead,
    /// Orders reach the gateway, their answers do not come back.
    OneWayForOrders,
}

/// A real network behind a switch.
#[derive(Clone)]
pub(crate) struct Radio {
    real: Arc<HttpNetwork>,
    air: Arc<Mutex<Air>>,
    /// Orders that went out.
    orders_sent: Arc<AtomicUsize>,
}

impl Radio {
    pub(crate) fn new(air: Air) -> Self {
        let real = HttpNetwork::new("test", "en-US").expect("a network");
        Self { real: Arc::new(real), air: Arc::new(Mutex::new(air)), orders_sent: Arc::default() }
    }

    pub(crate) fn set(&self, air: Air) {
        *self.air.lock().expect("the switch") = air;
    }

    pub(crate) fn orders_sent(&self) -> usize {
        self.orders_sent.load(Ordering::SeqCst)
    }
}

impl Network for Radio {
    fn exchange(&self, request: Request) -> Exchange {
        let air = *self.air.lock().expect("the switch");
        let is_order = request.url.ends_with("/orders");
        if air == Air::Dead {
            return Box::pin(async { Err(TransportFault::Unreachable) });
        }
        let exchange = self.real.exchange(request);
        let orders_sent = Arc::clone(&self.orders_sent);
        Box::pin(async move {
            let answer = exchange.await;
            if is_order {
                orders_sent.fetch_add(1, Ordering::SeqCst);
            }
            if is_order && air == Air::OneWayForOrders {
                return Err(TransportFault::Timeout);
            }
            answer
        })
    }
}
