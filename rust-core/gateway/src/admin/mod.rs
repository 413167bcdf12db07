//! What an operator does from the command line, beside a running server or without one.
//!
//! Each function opens the data folder, makes one change in one transaction, and closes it again.

mod backup;
mod catalogue;
mod doctor;
mod handheld;
mod import;
mod init;
mod keys;
mod processor;
mod restore;
mod tenant;

pub use backup::{BackedUp, BackupError, backup};
pub use catalogue::{CatalogueError, Loaded, catalogue_load};
pub use doctor::{Finding, Health, doctor};
pub use handheld::{
    Approved, EnrolCode, HandheldError, OfficerError, handheld_approve, handheld_code,
    handheld_revoke, officer_add,
};
pub use import::{ImportError, Imported, order_import};
pub use init::{Init, InitError, Initialised, init};
pub use keys::{KeysRotated, keys_rotate};
pub use processor::{ProcessorError, ProcessorSet, SetProcessor, stripe_set};
pub use restore::{Restore, RestoreError, Restored, restore};
pub use tenant::{SignInLink, TenantAdd, TenantError, sign_in_link, tenant_add};

pub(crate) use init::{copy_secret, signing_key, token_secret};
pub(crate) use tenant::{checked_name, only_tenant, tenant_of_host};
