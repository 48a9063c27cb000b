//! The journal: entries and commits, written and read back.

pub(crate) mod checkpoint_file;
pub(crate) mod commit;
pub(crate) mod entry;
pub(crate) mod personal;

pub use crate::context::{Attribution, StoreContext};
pub use crate::unit_of_work::append;
pub use entry::Entry;
