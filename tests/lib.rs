//! What the cross-part tests share.

pub mod simulation;
