//! The reasons for refusing a whole file. Nothing of such a file is loaded.

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
    /// It is a pipe or a device, which can be read only once. A file is read twice.
    #[error("{} is a pipe or a device", .0.display())]
    ComesOnce(PathBuf),
    /// It has no bytes, or no heading.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// It is not canonical CSV.
    #[error("{} is no canonical CSV: {format:?}", path.display())]
    NotCsv {
        /// The file.
        path: PathBuf,
        /// The recognised format.
        format: FileFormat,
    },
    /// Not UTF-8 text.
    #[error("{}, row {row}, is not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The row; the heading is 1.
        row: u64,
    },
    /// The heading is not that of the table.
    #[error("{} has other columns than {table}: missing {missing:?}, unknown {unknown:?}, twice {twice:?}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// The expected table.
        table: &'static str,
        /// Required columns that are missing.
        missing: Vec<String>,
        /// Columns that the table does not have.
        unknown: Vec<String>,
        /// Columns that appear twice.
        twice: Vec<String>,
    },
    /// The file ends within a record, so it was cut off.
    #[error("{} ends inside record {row}", path.display())]
    EndsInsideRecord {
        /// The file.
        path: PathBuf,
        /// The row; the heading is 1.
        row: u64,
    },
    /// A record is longer than any that is right.
    #[error("{}, row {row}, is too long", path.display())]
    LongRecord {
        /// The file.
        path: PathBuf,
        /// The row, the heading being 1.
        row: u64,
    },
    /// Units that are above themselves, or that succeed themselves.
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
    /// A form without number or account, or with an invalid time.
    #[error("{}, row {row}: {column} is missing or no value", path.display())]
    BadSubmission {
        /// The file.
        path: PathBuf,
        /// The row; the heading is 1.
        row: u64,
        /// The column.
        column: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}
