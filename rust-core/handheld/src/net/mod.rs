//! The network: one HTTP exchange at a time, over a trait so that tests can lose what they like.

mod http;
mod trust;

pub use http::HttpNetwork;

use crate::engine::{Request, Response, TransportFault};
use std::future::Future;
use std::pin::Pin;

/// One exchange on its way.
pub type Exchange = Pin<Box<dyn Future<Output = Result<Response, TransportFault>> + Send>>;

/// Carries requests. The runtime sees to the timeout; dropping the future gives up.
pub trait Network: Send + Sync + 'static {
    /// Makes one exchange. Redirects are answers like any other, and are not followed.
    fn exchange(&self, request: Request) -> Exchange;
}
