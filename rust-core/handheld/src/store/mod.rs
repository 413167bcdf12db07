//! Where records are kept: all or nothing, durable when `commit` returns, sealed at rest.
//!
//! [`RecordStore`] is what the runtime needs. [`SealedStore`] is the real one: redb for the
//! transactions, [`seal`] for the secrecy, [`folder`] for "one core for each data folder". A
//! simulation brings a store of its own, with the faults it wants.

mod codec;
mod copies;
pub mod folder;
mod index;
mod installation;
pub mod seal;
mod sealed;
mod watched;

pub use sealed::SealedStore;

use crate::engine::{Durable, StoreFault, Write};
use holdfast_protocol::wire::CopiesFile;

/// Keeps records.
pub trait RecordStore: Send {
    /// Everything that can be read, and the names of what cannot.
    fn load(&mut self) -> Result<Durable, StoreFault>;

    /// Stores all of the writes or none, and returns when they survive a power cut.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreFault>;

    /// The copies of waiting orders that only their gateways can read. A store without any has none
    /// to give.
    fn copies(&mut self) -> Result<Vec<CopiesFile>, StoreFault> {
        Ok(Vec::new())
    }
}
