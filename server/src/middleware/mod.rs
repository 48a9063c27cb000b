//! The layers around each answer.

pub mod foreign;
pub mod guard;
pub mod headers;
pub mod nul;
