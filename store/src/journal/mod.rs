//! The journal: entries and commits, written and read back.

pub(crate) mod checkpoint_file;
pub(crate) mod commit;
pub mod entry;
pub(crate) mod personal;

pub use entry::Entry;
