//! Rules about the tree that nobody should have to remember.
