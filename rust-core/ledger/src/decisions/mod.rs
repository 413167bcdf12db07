//! The decisions, one module each.

pub(crate) mod accept;
pub(crate) mod approve;
pub(crate) mod cash;
pub(crate) mod event;
pub(crate) mod follow;
pub(crate) mod jobs;
pub(crate) mod learn;
pub(crate) mod loss;
pub(crate) mod notice;
pub(crate) mod open;
pub(crate) mod pay;
pub(crate) mod recover;
pub(crate) mod refused_cash;
