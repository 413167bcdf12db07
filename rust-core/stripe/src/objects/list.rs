//! One page of a list.

use serde::{Deserialize, Serialize};

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The page's entries.
    pub data: Vec<T>,
    /// Whether another page follows; ask for it with `starting_after` = the last entry's ID.
    #[serde(default)]
    pub has_more: bool,
}
