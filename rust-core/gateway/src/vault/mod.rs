//! How secrets rest: envelope encryption with AES-256-GCM.
//!
//! One *master key* lives in a file beside the database, never in it. It only wraps *data keys*,
//! one for each tenant and one for the gateway itself, which stand in the database in wrapped
//! form. Data keys seal the secrets: Stripe's keys, webhook secrets, the secrets of handhelds.
//! So a copy of the database alone tells nothing, the master key can be changed by wrapping a
//! few data keys anew, and one tenant's key opens nothing of another's.
//!
//! Each sealed value is bound to its [`Place`] (tenant, table, row, column): copied to another
//! row it no longer opens.

mod envelope;
mod master;

pub use envelope::SealError;
pub(crate) use envelope::{DataKey, GATEWAY_SCOPE, Place, key_number, rewrap, wrap_new};
pub(crate) use master::MasterKey;
pub use master::MasterKeyError;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The master key with the data keys that have been unwrapped so far.
pub(crate) struct Vault {
    master: MasterKey,
    /// Where the master key comes from, should it be rotated beside this process.
    folder: PathBuf,
    opened: RwLock<HashMap<(String, u32), Arc<DataKey>>>,
}

impl Vault {
    pub(crate) fn new(folder: &Path, master: MasterKey) -> Self {
        Self { master, folder: folder.to_owned(), opened: RwLock::default() }
    }

    /// A data key that was unwrapped before.
    pub(crate) fn known(&self, scope: &str, number: u32) -> Option<Arc<DataKey>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.get(&(scope.to_owned(), number)).cloned()
    }

    /// The data key of a scope, unwrapped once and kept.
    pub(crate) fn data_key(
        &self,
        scope: &str,
        number: u32,
        wrapped: &[u8],
    ) -> Result<Arc<DataKey>, SealError> {
        if let Some(key) = self.known(scope, number) {
            return Ok(key);
        }
        let key = match envelope::unwrap(&self.master, scope, number, wrapped) {
            Ok(key) => key,
            Err(error) => self.unwrap_after_rotation(scope, number, wrapped).ok_or(error)?,
        };
        let key = Arc::new(key);
        let mut known = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.entry((scope.to_owned(), number)).or_insert(key)))
    }

    /// `keys rotate` may have run since this process read the master key.
    fn unwrap_after_rotation(&self, scope: &str, number: u32, wrapped: &[u8]) -> Option<DataKey> {
        let candidates = MasterKey::candidates(&self.folder).ok()?;
        let mut opened =
            candidates.iter().map(|master| envelope::unwrap(master, scope, number, wrapped));
        opened.find_map(Result::ok)
    }

    pub(crate) fn master(&self) -> &MasterKey {
        &self.master
    }
}
