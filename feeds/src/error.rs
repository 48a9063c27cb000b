//! Why a file is refused as a whole. Nothing of it was taken in.

use crate::format::FileFormat;
use std::path::PathBuf;

/// Why a file is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No such file.
    #[error("{} is not there", .0.display())]
    NotFound(PathBuf),
    /// It is a directory.
    #[error("{} is a directory", .0.display())]
    IsDirectory(PathBuf),
    /// What is read comes once only, from a pipe or a device: a file is read twice.
    #[error("{} is a pipe or a device", .0.display())]
    ComesOnce(PathBuf),
    /// Not a byte in it, or no heading.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// Something else than canonical CSV.
    #[error("{} is no canonical CSV: {format:?}", path.display())]
    NotCsv {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: FileFormat,
    },
    /// Not UTF-8 text.
    #[error("{}, row {row}, is not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The row, the heading being 1.
        row: u64,
    },
    /// The heading is not that of the table.
    #[error("{} has other columns than {table}: missing {missing:?}, unknown {unknown:?}, twice {twice:?}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// The table that was asked for.
        table: &'static str,
        /// Columns that must be there.
        missing: Vec<String>,
        /// Columns that the table does not have.
        unknown: Vec<String>,
        /// Columns that stand twice.
        twice: Vec<String>,
    },
    /// The end of the file lies within a record: it was cut off.
    #[error("{} ends inside record {row}", path.display())]
    EndsInsideRecord {
        /// The file.
        path: PathBuf,
        /// The row, the heading being 1.
        row: u64,
    },
    /// Units that are above themselves, or succeed themselves.
    #[error("in {}, unit {unit} leads back to itself", path.display())]
    UnitLoop {
        /// The file.
        path: PathBuf,
        /// One of the units.
        unit: String,
    },
    /// The file changed between the first reading and the second.
    #[error("{} changed while it was read", .0.display())]
    Changed(PathBuf),
    /// A form without number or account, or with a time that is none.
    #[error("{}, row {row}: {column} is missing or no value", path.display())]
    BadSubmission {
        /// The file.
        path: PathBuf,
        /// The row, the heading being 1.
        row: u64,
        /// The column.
        column: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}
