//! What a call gives back before it is written out.

use std::sync::Arc;

use serde_json::Value;

use super::model::Snapshot;

/// An answer. An object is kept as its photograph, which a replay writes out again to the same
/// bytes: a stored answer then costs next to nothing.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// One object, nothing expanded.
    Object(Snapshot),
    /// Anything else.
    Json(Arc<Value>),
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::Json(Arc::new(value))
    }
}
