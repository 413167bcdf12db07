//! What the cross-part tests share.
