//! The readers of the files that come in from outside: the canonical tables of the province's offices, as CSV.
//!
//! A file is read twice. [`check_file`] reads it once, counts, and finds the rows that repeat or contradict one another. [`CheckedFile::rows`] reads
//! it again and yields one row after another, so that a file of any length takes little memory. Nothing is guessed and nothing is dropped:
//! `read + repaired + superseded + quarantined = rows`.
//!
//! Spreadsheets will enter through `source.rs`: whatever yields records of cells under canonical names is read the same way.

mod check;
mod conflicts;
mod error;
mod format;
mod read;
mod registry;
mod row;
mod sandbox;
mod source;
mod submissions;
mod table;

pub use check::{CheckSummary, CheckedFile, Context, RowCounts, check_file};
pub use error::FileError;
pub use format::FileFormat;
pub use registry::{ReplyFault, read_reply};
pub use row::{OwnerHints, Record, Row, RowResult};
pub use sandbox::RegistryBehaviour;
pub use submissions::{submissions, submissions_of};
pub use table::Table;
