//! The two letters as code. Everything here is pure: no input or output, no clock, no randomness, no SQL, no HTTP.
//!
//! [`values`] are parsed once, when they enter. [`citizens`] is letter 125/UBND, [`officials`] letter 108/STTTT-CNTT; both return
//! [`event`]s or a reason for refusal. [`hold`] is the central idea: an account is open exactly while nothing holds it.

pub mod citizens;
pub mod client;
pub mod counter;
pub mod event;
pub mod hold;
pub mod law;
pub mod network;
pub mod officials;
pub mod plan;
pub mod quarantine;
pub mod records;
pub mod state;
pub mod unit;
pub mod values;
