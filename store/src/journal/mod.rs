//! The journal: entries and commits, written and read back.

pub mod entry;

pub use entry::{Attribution, Entry, StoreContext, append};
