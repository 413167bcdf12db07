//! Where records are kept: all or nothing, durable when `commit` returns, sealed at rest.
//!
//! [`RecordStore`] is what the runtime needs. [`SealedStore`] is the real one: redb for the
//! transactions, [`seal`] for the secrecy, [`folder`] for "one core for each data folder". A
//! simulation brings a store of its own, with the faults it wants.

mod codec;
pub mod folder;
pub mod seal;
mod sealed;

pub use sealed::SealedStore;

use crate::engine::{Durable, StoreFault, Write};

/// Keeps records.
pub trait RecordStore: Send {
    /// Everything that can be read, and the names of what cannot.
    fn load(&mut self) -> Result<Durable, StoreFault>;

    /// Stores all of the writes or none, and returns when they survive a power cut.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreFault>;
}
