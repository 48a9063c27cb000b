//! The journal: the only place where state changes. [`crate::append`] writes entries, their personal values and the resulting rows of the
//! projections, in the caller's transaction.
//!
//! An entry has a MAC over all its parts; a commit has a MAC over the MACs of its entries, and becomes a leaf of the Merkle tree
//! (`maintenance/seal.rs`). An entry never contains a personal value: it has a salted commitment, and the encrypted value is a row beside it.

pub(crate) mod checkpoint_file;
pub(crate) mod commit;
pub(crate) mod entry;
pub(crate) mod personal;

pub use crate::context::{Attribution, StoreContext};
pub use entry::Entry;
