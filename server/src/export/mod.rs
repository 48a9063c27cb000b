//! Tables in three formats, spreadsheets, and the files that they are written to.

mod report;
mod sheet;
mod table;
mod xlsx;

pub use report::{report_table, staff_table};
pub use table::{Format, Table, try_file, write_file};
pub use xlsx::report_xlsx;
