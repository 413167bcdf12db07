//! What the tests start from.
