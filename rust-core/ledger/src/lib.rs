//! What the gateway decides.
