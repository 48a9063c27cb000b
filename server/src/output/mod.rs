//! The output for people and scripts: texts in two languages, tables in three formats, progress, spreadsheets.

mod event_text;
mod holds;
mod locale;
mod news;
mod progress;
mod report;
mod sheet;
mod stdout;
mod table;
mod xlsx;

pub use event_text::{actor_name, event_text, evidence, pending_changes_text, value_text};
pub use holds::{capital, evidence_rows, hold_text, masked_name, since_row};
pub use locale::Locale;
pub use news::{news_words, to_owners};
pub use progress::Progress;
pub use report::{report_table, staff_table};
pub(crate) use stdout::print_line;
pub use stdout::{Stdout, fault as stdout_fault, print};
pub use table::{Format, Table, try_file, write_file};
pub use xlsx::report_xlsx;
