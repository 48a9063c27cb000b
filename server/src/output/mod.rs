//! What people and scripts see: words in two languages, tables in three forms, progress, spreadsheets.

mod language;
mod progress;
mod report;
mod sheet;
mod story;
mod table;
mod xlsx;

pub use language::Words;
pub use progress::Progress;
pub use report::{report_table, staff_table};
pub use story::{evidence, happening, outlook, said, who};
pub use table::{Format, Table, write_file};
pub use xlsx::report_xlsx;
