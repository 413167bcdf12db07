//! The gateway: it takes signed orders, opens Stripe's card pages, hears its webhooks, makes one
//! order for each paid payment, and shows all of it to payers, handhelds and the office.
//!
//! # A guided tour
//!
//! - [`start`] serves a data folder that [`admin::init`] made; [`admin`] has everything else that an
//!   operator does, beside a running server or without one.
//! - `core` is the opened data folder: `store` (SQLite behind the ledger's traits, one writer with
//!   group commit), `vault` (secrets sealed under data keys, wrapped by the master key), a clock.
//! - `http` is what the network sees; `pages` the HTML; `worker` the durable jobs.
//! - What is asked of Stripe, and what follows, is `holdfast_ledger`'s: `worker` and `http` only call
//!   it with this server's store and clients.
//!
//! # What always holds
//!
//! - Nothing is acknowledged before it is on disk.
//! - A secret is plain only in memory, for the call that needs it; in the database it is sealed for
//!   its own row and column, and on pages it is masked.
//! - Looking at a page changes nothing.
//! - Requests are answered only under registered host names.

mod accounts;
pub mod admin;
mod audit;
mod cash;
mod certificate;
mod charges;
mod cidr;
mod clients;
mod connection;
mod core;
mod credentials;
mod deliveries;
mod device_tokens;
mod folder_lock;
mod handhelds;
mod http;
mod live_mode;
mod metrics;
mod pages;
mod password;
mod payments;
mod permissions;
mod processors;
mod readiness;
mod recoveries;
mod refunds;
mod serve;
mod settings;
mod sign_in;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tokens;
mod urls;
mod users;
mod vault;
mod webhook_books;
mod webhook_secrets;
mod worker;
pub mod world;

pub use cidr::{Cidr, NotACidr};
pub use core::{FolderError, UnknownTenant};
pub use holdfast_domain::{
    DeviceId, GatewayId, Mode, OfficerId, PaymentTypeCode, Secret, TenantSlug,
};
pub use http::addresses;
pub use http::hosts::NotAHost;
pub use http::tls::TlsError;
pub use serve::{Options, Running, StartError, TlsFiles, start, start_in};
pub use store::StoreError;
pub use urls::{PublicUrl, UrlError};
pub use vault::{MasterKeyError, SealError};

/// Where the gateway listens unless it is told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8480";
