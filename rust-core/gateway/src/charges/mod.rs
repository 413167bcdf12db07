//! What is owed, as the office, programs and handhelds write and read it.
//!
//! [`typed`] checks what was typed, field by field; [`csv`] reads and writes files; [`list`] finds
//! charges; [`credentials`] lets programs in. What may be written is the ledger's to decide.

pub(crate) mod credentials;
pub(crate) mod csv;
pub(crate) mod list;
pub(crate) mod typed;

use crate::core::Core;
use crate::processors;
use crate::store::StoreError;
use holdfast_domain::{Currency, Mode, TenantSlug};

/// What a tenant's payment types say about its charges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habit {
    /// The currency that is meant where none is named.
    pub(crate) currency: Currency,
    /// The mode whose payments count: live, once any payment type is.
    pub(crate) mode: Mode,
}

pub(crate) async fn habit(core: &Core, tenant: &TenantSlug) -> Result<Habit, StoreError> {
    let types = processors::payment_types(core, tenant).await?;
    let is_live = types.iter().any(|it| it.mode == Mode::Live);
    Ok(Habit {
        currency: types.first().map_or(Currency::USD, |it| it.currency),
        mode: if is_live { Mode::Live } else { Mode::Test },
    })
}
