//! The device core: what a handheld knows, and how it keeps its promise.
//!
//! A tour, from the outside in:
//! - [`Core`] is the facade. The Kotlin screens see it through `ffi`, tests use it directly. Its
//!   types are in [`view`] (what a screen shows), [`error`] (why not) and [`port`] (what the
//!   platform lends: a device key, a key vault, a listener).
//! - [`engine`] decides everything, without I/O. Its page explains the life of a payment.
//! - [`store`] keeps records sealed and durable, [`net`] carries requests, and the private
//!   `runtime` is the thin shell of threads and clocks that drives the engine with both.

mod address;
pub mod core;
pub mod engine;
pub mod error;
pub mod net;
pub mod port;
pub mod qr;
mod runtime;
pub mod search;
pub mod software;
pub mod store;
pub mod view;

pub use crate::core::{Core, CoreConfig};
pub use error::{
    CodeError, EnrolError, ExportError, HoldError, MethodError, OpenError, QrError, ReceiptError,
    RefreshError, RequestError, RetryError, SummaryError,
};
pub use port::{CoreListener, DeviceKey, DeviceKeyError, KeyVault, Ports, VaultError};
pub use qr::{QrMatrix, qr_code};
pub use search::{ChargeView, FoundCharges, SearchError};
pub use view::{
    Cap, CartLine, CatalogueItemView, CopiesExport, EnrolmentView, KeyState, LinkState, MoneyView,
    OfficerAction, ParkedReason, PaymentTypeView, PaymentView, Provider, QuarantineView,
    RecordFault, RequestKind, RequestView, Snapshot, SummaryLineView, WhoActs,
};
