//! Test or live.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of Stripe's two worlds a key, an order or an event belongs to. They never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Made-up cards, no money.
    Test,
    /// Real cards, real money.
    Live,
}

impl Mode {
    /// `test` or `live`, as the command line and the database write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// Reads what [`Mode::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "test" => Some(Self::Test),
            "live" => Some(Self::Live),
            _ => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
