//! The layers around each answer.

pub(crate) mod foreign;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod nul;
