//! Changing the master key, beside a running server or without one.
//!
//! The new key waits in a file of its own while one transaction wraps every data key with it; then it
//! takes the old one's name. A rotation that is cut short anywhere leaves one of the two keys that
//! opens the database, and both are tried.

use crate::audit::{self, Act, GATEWAY_CHAIN, OPERATOR};
use crate::core::{Core, FolderError};
use crate::store::{StoreError, rows};
use crate::vault::{MasterKey, SealError, rewrap};
use crate::world::{SharedWorld, SystemWorld};
use sqlx::query;
use std::path::Path;
use std::sync::Arc;

/// What was wrapped anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysRotated {
    /// Data keys: one for each tenant, and the gateway's own.
    pub data_keys: usize,
}

/// Makes a new master key and wraps every data key with it.
pub async fn keys_rotate(data: &Path) -> Result<KeysRotated, FolderError> {
    let world: SharedWorld = Arc::new(SystemWorld);
    let core = Core::open(data, Arc::clone(&world)).await?;
    let rotated = rotate(&core, data, world).await;
    core.close().await;
    rotated
}

async fn rotate(core: &Core, data: &Path, world: SharedWorld) -> Result<KeysRotated, FolderError> {
    let candidates = MasterKey::candidates(data)?;
    // The waiting key of an unfinished rotation is the one in force if it opens the database.
    let in_force = in_force(core, candidates).await?;
    let next = MasterKey::create_next(data, world.as_ref())?;
    let at_ms = core.now_ms();
    let wrap = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query("SELECT scope, number, wrapped FROM data_keys");
            let found = sql.fetch_all(&mut tx.connection).await.map_err(StoreError::Sql)?;
            let count = found.len();
            for row in found {
                let (scope, number) = (rows::text(&row, "scope")?, rows::small(&row, "number")?);
                let old = rows::bytes(&row, "wrapped")?;
                let wrapped = rewrap((&in_force, &next), &scope, number, &old, world.as_ref())?;
                let sql = query("UPDATE data_keys SET wrapped = ? WHERE scope = ? AND number = ?");
                let sql = sql.bind(wrapped).bind(scope).bind(i64::from(number));
                sql.execute(&mut tx.connection).await.map_err(StoreError::Sql)?;
            }
            let detail = format!("{count} data keys wrapped with a new master key");
            let act = Act { at_ms, who: OPERATOR, what: "keys_rotated", detail: &detail };
            audit::record(tx, GATEWAY_CHAIN, act).await?;
            Ok::<_, FolderError>(count)
        })
    });
    let data_keys = wrap.await?;
    MasterKey::promote_next(data)?;
    Ok(KeysRotated { data_keys })
}

async fn in_force(core: &Core, candidates: Vec<MasterKey>) -> Result<MasterKey, FolderError> {
    let sql = query("SELECT scope, number, wrapped FROM data_keys ORDER BY scope, number LIMIT 1");
    let row = sql.fetch_one(&core.store.reads).await.map_err(StoreError::Sql)?;
    let (scope, number) = (rows::text(&row, "scope")?, rows::small(&row, "number")?);
    let wrapped = rows::bytes(&row, "wrapped")?;
    let opens = |master: &MasterKey| {
        rewrap((master, master), &scope, number, &wrapped, core.world.as_ref()).is_ok()
    };
    Ok(candidates.into_iter().find(opens).ok_or(SealError::DoesNotOpen)?)
}
