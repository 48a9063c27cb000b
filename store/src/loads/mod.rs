//! The import of files. Short transactions stage rows that do not count yet; one last short transaction makes all of them count.
//!
//! ```text
//!            health is bad                approve
//!  judged ──────────────────▶  waiting ─────────────▶ open ──── finish ────▶ applied
//!     └───────────── health is good ───────────────────▲│
//!                                                       └── dies, or aborts ──▶ discarded
//! ```

mod accounts;
pub(crate) mod begin;
mod discard;
mod evidence;
mod finish;
mod health;
pub(crate) mod incoming;
mod known_profiles;
mod learn;
pub(crate) mod open_load;
mod profiles;
mod queries;
mod references;

pub(crate) use discard::{AHEAD, close_applied_loads, forget_silent_loads};
pub(crate) use evidence::{LOAD, of_load, waiting};
pub use health::HealthFault;
pub(crate) use references::rows_of as rows_of_reference;

/// How long an open load may go without a heartbeat before it is discarded: 15 seconds, in microseconds.
pub(crate) const SILENCE: i64 = 15_000_000;
