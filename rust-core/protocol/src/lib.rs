//! What handheld and gateway say to each other.
